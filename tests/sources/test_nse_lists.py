"""The exchange's lists, as files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from klyx.sources import nse_lists
from klyx.sources.base import Listing, SectorEntry, SourceUnavailable

DATA = Path(__file__).parents[3] / "shared" / "data"
HEADING = b"SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE\r\n"


def test_headings_are_padded_and_other_series_are_left_out() -> None:
    content = (
        b"\xef\xbb\xbf" + HEADING + b"M&M,Mahindra & Mahindra Limited,EQ,03-JAN-1996,5,1,INE101A01026,5\r\n"
        b" AJMERA , Ajmera Realty ,BE,soon,2,1,,2\r\n"
        b"SMALL,Small Limited,SM,01-JAN-2020,2,1,INE1,2\r\n"
        b"M&M,Twice Limited,BE,03-JAN-1996,5,1,INE2,5\r\n"
        b"cut off\r\n"
    )
    assert nse_lists.listings(content) == [
        Listing("M&M", "Mahindra & Mahindra Limited", "EQ", "INE101A01026", date(1996, 1, 3)),
        Listing("AJMERA", "Ajmera Realty", "BE", None, None),
    ]


def test_a_list_of_sectors() -> None:
    content = (
        b"symbol,name,sector,industry_group,industry,isin,website\n"
        b"infy,Infosys Limited,Information Technology,Software,IT Services,,https://www.infosys.com\n"
        b"ODD,Odd Limited,-,,nan,,javascript:alert(1)\n"
    )
    assert nse_lists.sector_list(content) == [
        SectorEntry("INFY", "Information Technology", "IT Services", "https://www.infosys.com"),
        SectorEntry("ODD", None, None, None),
    ]


def test_of_two_lists_the_believed_one_wins_where_it_knows_the_sector() -> None:
    believed = [SectorEntry("A", "Energy", "Oil", None), SectorEntry("B", None, None, "https://b.example")]
    others = [SectorEntry(symbol, "Services", None, None) for symbol in "ABC"]
    assert {one.symbol: one.sector for one in nse_lists.joined(believed, others)} == {
        "A": "Energy",
        "B": "Services",
        "C": "Services",
    }


def test_a_symbol_that_changed_twice_and_one_that_changed_back() -> None:
    content = (
        b"SYMB_COMPANY_NAME, SM_KEY_SYMBOL, SM_NEW_SYMBOL, SM_APPLICABLE_FROM\n"
        b"C Limited,B,C,01-MAR-2020\n"
        b"C Limited,A,B,01-MAR-2010\n"
        b"Back,X,Y,01-JAN-2011\n"
        b"Back,Y,X,01-JAN-2012\n"
        b'"Eternal Limited, formerly",ZOMATO,ETERNAL,09-APR-2025\n'
    )
    assert nse_lists.renamed(content) == {"A": "C", "B": "C", "Y": "X", "ZOMATO": "ETERNAL"}


@pytest.mark.parametrize("content", [b"", b"<html><body>Access Denied</body></html>", HEADING, b"symbol,sector\n"])
def test_anything_else_is_a_failure(content: bytes) -> None:
    for read in (nse_lists.listings, nse_lists.index_members, nse_lists.sector_list, nse_lists.renamed):
        with pytest.raises(SourceUnavailable):
            read(content)


@pytest.mark.skipif(not (DATA / "EQUITY_L.csv").exists(), reason="the exchange's files are not here")
def test_the_exchanges_own_files() -> None:
    listings = nse_lists.listings((DATA / "EQUITY_L.csv").read_bytes())
    assert len(listings) == 2384
    assert {one.series for one in listings} == {"EQ", "BE", "BZ"}
    assert all(one.isin and one.listed_on for one in listings)
    entries = nse_lists.sector_list((DATA / "nse_sectors.csv").read_bytes())
    assert len({one.symbol for one in entries} & {one.symbol for one in listings}) > 1300
