from __future__ import annotations

import pytest

from klyx.database import Database
from klyx.database.models import Stock
from klyx.errors import Invalid
from klyx.services import symbols
from klyx.services.holdings import corrections_of
from klyx.services.stocks import StockReference
from tests.workspaces import new_workspace

KNOWN = [
    StockReference(1, "Reliance Industries Ltd.", "RELIANCE", "Energy", None),
    StockReference(2, "Tata Consultancy Services Ltd.", "TCS", "IT", None),
    StockReference(3, "Mahindra & Mahindra Ltd.", "M&M", "Auto", None),
    StockReference(4, "Reliance Power Ltd.", "RPOWER", "Power", None),
    StockReference(5, "Unlisted Holdings Ltd.", None, None, None),
]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("RELIANC", "RELIANCE"),
        ("Relience Industris", "RELIANCE"),
        ("TSC", "TCS"),
        ("tata consultancy", "TCS"),
        ("M & M", "M&M"),
        ("Reliance Pwer Limited", "RPOWER"),
    ],
)
def test_the_likeliest_stock_comes_first(written: str, code: str) -> None:
    assert symbols.rank([written], KNOWN)[written][0].nse_code == code


def test_nothing_alike_has_no_candidates() -> None:
    hindi = "\u0939\u093f\u0902\u0926\u0940"
    assert symbols.rank([hindi, "%%%"], KNOWN) == {hindi: [], "%%%": []}
    assert symbols.rank(["Reliance"], []) == {"Reliance": []}


def test_of_equals_the_larger_company_comes_first() -> None:
    twins = [StockReference(number, "Twin Ltd.", f"T{number}", None, None) for number in range(9)]
    found = symbols.rank(["Twin"], twins)["Twin"]
    assert [stock.nse_code for stock in found] == ["T0", "T1", "T2", "T3", "T4"]


def test_ranking_stops_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(symbols.rank([f"Company {number}" for number in range(300)], KNOWN)) == symbols.MOST_RANKED
    monkeypatch.setattr(symbols, "RANKING_SECONDS", 0.0)
    assert symbols.rank(["RELIANC"], KNOWN) == {}


def test_corrections_are_counted_in_all(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "MOST_CORRECTIONS", 4)
    workspace_id = new_workspace(database)
    with database.begin() as session:
        symbols.submit_corrections(session, workspace_id, {"A": "1", "B": "2", "C": "3"})
        symbols.submit_corrections(session, workspace_id, {"b": "4", "3": "5"})
        assert corrections_of(session, workspace_id) == {"A": "1", "B": "4", "C": "5", "3": "5"}
    with pytest.raises(Invalid, match="At most 4"), database.begin() as session:
        symbols.submit_corrections(session, workspace_id, {"D": "6"})


def test_without_a_user_nothing_goes_into_a_portfolio(database: Database) -> None:
    with database.begin() as session:
        assert symbols.add_to_portfolio(session, None, [{"stock_name": "TCS", "nse_code": None, "symbol": None}]) == 0


def test_listed_codes_are_asked_for_in_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "CODES_AT_ONCE", 2)
    with database.begin() as session:
        session.add_all(Stock(stock_name=code, nse_code=code) for code in ("AAA", "BBB", "CCC"))
        session.flush()
        assert symbols.listed_codes(session, ["CCC", "", "XXX", "AAA", "CCC", "BBB"]) == ["CCC", "AAA", "BBB"]
