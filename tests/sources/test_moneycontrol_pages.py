from __future__ import annotations

import json

import pytest

from klyx.sources.base import SourceUnavailable
from klyx.sources.moneycontrol_pages import CompanyPages, find_company

LINK = "https://www.moneycontrol.com/india/stockpricequote/refineries/relianceindustries/RI"


def answer(link: str = LINK, codes: str = "INE002A01018, RELIANCE, 500325") -> bytes:
    return json.dumps([{"link_src": link, "pdt_dis_nm": f"Reliance&nbsp;<span>{codes}</span>", "sc_id": "RI"}]).encode()


def test_the_company_and_its_pages() -> None:
    company = find_company(answer(), "RELIANCE")
    assert company == CompanyPages("refineries", "relianceindustries", "RI", "INE002A01018", "500325")
    assert company.statement_path("profit_loss", "standalone", 1) == "/financials/relianceindustries/profit-lossVI/RI"
    older = "/financials/relianceindustries/consolidated-balance-sheetVI/RI/2"
    assert company.statement_path("balance_sheet", "consolidated", 2) == older
    assert company.shareholding_path == "/company-facts/relianceindustries/shareholding-pattern/RI"


@pytest.mark.parametrize(
    ("codes", "symbol"),
    [
        ("INE101A01026, M&amp;M, 500520", "M&M"),
        ("INE009A01021, INFY, 500209", "INFY"),
        ("INE646L01027, INDIGO, 539448", "INDIGO"),
        ("INE917I01010, BAJAJ-AUTO, 532977", "BAJAJ-AUTO"),
        (", 3MINDIA, 523395", "3MINDIA"),
    ],
)
def test_codes_are_read_by_their_position(codes: str, symbol: str) -> None:
    assert find_company(answer(codes=codes), symbol) is not None


@pytest.mark.parametrize("code", [", ", ", ABC", ", 50032", ", 5003255", ""])
def test_what_is_no_code_of_the_bse_is_left_out(code: str) -> None:
    company = find_company(answer(codes=f"INE002A01018, RELIANCE{code}"), "RELIANCE")
    assert company is not None
    assert (company.isin, company.bse_code) == ("INE002A01018", None)


@pytest.mark.parametrize(
    "codes", ["INE002A01018, RELIANCEP1, 500325", "INE002A01018, , 500325", "RELIANCE", "", "RELIANCE, X, 1"]
)
def test_only_the_exact_code_counts(codes: str) -> None:
    assert find_company(answer(codes=codes), "RELIANCE") is None


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/india/stockpricequote/refineries/relianceindustries/RI",
        "https://www.moneycontrol.com.evil.example/india/stockpricequote/refineries/relianceindustries/RI",
        "https://user@www.moneycontrol.com/india/stockpricequote/refineries/relianceindustries/RI",
        "https://www.moneycontrol.com:8443/india/stockpricequote/refineries/relianceindustries/RI",
        "ftp://www.moneycontrol.com/india/stockpricequote/refineries/relianceindustries/RI",
        "//www.moneycontrol.com/india/stockpricequote/refineries/relianceindustries/RI",
        "https://www.moneycontrol.com/india/stockpricequote/../../relianceindustries/RI",
        "https://www.moneycontrol.com/india/stockpricequote/../relianceindustries/RI",
        "https://www.moneycontrol.com/india/stockpricequote/refineries/relianceindustries/RI%2F..",
        "https://www.moneycontrol.com/us/quote/relianceindustries/RI",
        "http://[::1",
        "",
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    assert find_company(answer(link), "RELIANCE") is None


@pytest.mark.parametrize("document", [b"", b"<html>Access Denied</html>", b'{"error": 1}', b"null", b"[1, null, "])
def test_an_answer_that_is_not_the_searchs(document: bytes) -> None:
    with pytest.raises(SourceUnavailable):
        find_company(document, "RELIANCE")


@pytest.mark.parametrize("document", [b"[]", b"[null, 3, []]", b'[{"pdt_dis_nm": "No Result Available"}]', b"[{}]"])
def test_no_candidates(document: bytes) -> None:
    assert find_company(document, "RELIANCE") is None


@pytest.mark.parametrize(
    ("link", "leads_there"),
    [
        ("https://www.moneycontrol.com/financials/x/profit-lossVI/X/2#X", True),
        ("/financials/x/profit-lossVI/X/2", True),
        ("https://evil.example/financials/x/profit-lossVI/X/2", False),
        ("/financials/y/profit-lossVI/X/2", False),
    ],
)
def test_links_between_pages(link: str, leads_there: bool) -> None:
    company = CompanyPages("sector", "x", "X")
    assert company.is_page(link, "/financials/x/profit-lossVI/X/2") is leads_there


def test_parts_that_make_no_address_are_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        CompanyPages("sector", "../x", "X")
