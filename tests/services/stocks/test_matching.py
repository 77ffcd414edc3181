from __future__ import annotations

import pytest

from klyx.database import Database
from klyx.services.stocks import StockReference, known_names, loose_key, resolve_names
from tests.stock_rows import add_stock


def resolved(database: Database, *names: str) -> dict[str, str | None]:
    with database.read() as session:
        return {name: found.nse_code for name, found in resolve_names(session, names).items()}


@pytest.fixture
def listed(database: Database) -> Database:
    with database.begin() as session:
        add_stock(session, "Divi's Laboratories Ltd.", "DIVISLAB", isin="INE361B01024", market_cap=1e12)
        add_stock(session, "Mahindra & Mahindra Ltd.", "M&M", isin="INE101A01026", market_cap=3e12)
        add_stock(session, "Larsen & Toubro Ltd.", "LT", sector_name="Construction", market_cap=4e12)
        add_stock(session, "ITC", "OTHER", market_cap=1e6)
        add_stock(session, "ITC Ltd.", "ITC", market_cap=5e12)
        add_stock(session, "A B C Ltd.", "ABC1")
        add_stock(session, "ABC Limited", "ABC2")
        add_stock(session, "भारत Ltd.", "BHARAT")
        add_stock(session, "भीरत Ltd.", "BHIRAT")
        add_stock(session, "Unlisted Ltd.", None)
    return database


def test_references_are_complete_and_the_largest_comes_first(listed: Database) -> None:
    with listed.read() as session:
        references = known_names(session)
    assert len(references) == 10
    assert [reference.nse_code for reference in references[:3]] == ["ITC", "LT", "M&M"]
    assert references[1] == StockReference(references[1].id, "Larsen & Toubro Ltd.", "LT", "Construction", None)


def test_name_symbol_isin_letter_case(listed: Database) -> None:
    names = {
        "Divi's Laboratories Ltd.": "DIVISLAB",
        "divislab.ns": "DIVISLAB",
        " ine361b01024 ": "DIVISLAB",
        "DIVI'S LABORATORIES LTD.": "DIVISLAB",
        "M&M": "M&M",
        "m&m": "M&M",
        "Unlisted Ltd.": None,
        "भारत Ltd.": "BHARAT",
    }
    assert resolved(listed, *names) == names


def test_exact_name_comes_before_symbol(listed: Database) -> None:
    assert resolved(listed, "ITC", "itc", "ITC Ltd.") == {"ITC": "OTHER", "itc": "ITC", "ITC Ltd.": "ITC"}


def test_punctuation_spaces_and_limited_do_not_count(listed: Database) -> None:
    names = {
        "Divis Laboratories Limited": "DIVISLAB",
        "DIVI\u2019S  LABORATORIES, LTD": "DIVISLAB",
        "Larsen and Toubro": "LT",
        "Mahindra&Mahindra Ltd": "M&M",
    }
    assert resolved(listed, *names) == names


def test_short_and_former_names_of_large_companies(listed: Database) -> None:
    with listed.begin() as session:
        add_stock(session, "State Bank of India", "SBIN", market_cap=7e12)
        add_stock(session, "Eternal Ltd.", "ETERNAL")
        add_stock(session, "Dr. Reddy's Laboratories Ltd.", "DRREDDY")
        add_stock(session, "Nestle Ltd.", "OTHERNESTLE")
        add_stock(session, "Nestle India Ltd.", "NESTLEIND")
    names = {
        "SBI": "SBIN",
        "L&T": "LT",
        "l & t": "LT",
        "Zomato Ltd.": "ETERNAL",
        "Dr. Reddy's": "DRREDDY",
        # What a company is really called comes first.
        "Nestle": "OTHERNESTLE",
    }
    # An alias alone makes no stock known.
    assert resolved(listed, *names, "Airtel") == names


def test_ambiguous_and_unknown_names_are_left_out(listed: Database) -> None:
    assert resolved(listed, "A.B.C.", "Ltd.", "", "...", "🚀", "%", "' OR 1=1", "Reliance", "Divi") == {}
    assert resolved(listed, "A B C Ltd.", "abc limited") == {"A B C Ltd.": "ABC1", "abc limited": "ABC2"}


def test_many_names_at_once(listed: Database) -> None:
    names = [f"Unknown {number}" for number in range(5000)]
    assert resolved(listed, *names, "M&M", "Larsen and Toubro") == {"M&M": "M&M", "Larsen and Toubro": "LT"}
    assert resolved(listed) == {}


def test_vowel_signs_tell_names_apart() -> None:
    assert loose_key("भारत Ltd.") != loose_key("भीरत Ltd.")
    assert loose_key("Limited Brands Ltd. Limited") == "limitedbrands"
