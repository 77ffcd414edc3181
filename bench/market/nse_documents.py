"""The exchange's answers in their shapes: lists in CSV, cookies, and the nested quote document."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from bench.market import Answer, Company, Market, Query, State
from bench.market.companies import RENAMED

SITE: Final = "www.nseindia.com"
ARCHIVES: Final = "nsearchives.nseindia.com"
# Not of the exchange: where whoever keeps a list of sectors serves it (SECTOR_LIST_URL).
SECTOR_HOST: Final = "sectors.example"
SECTOR_LIST_URL: Final = f"https://{SECTOR_HOST}/nse_sectors.csv"
HOSTS: Final = (SITE, ARCHIVES, SECTOR_HOST)
COOKIE: Final = "nsit=simulated"
MEMBERS: Final = {"ind_niftytotalmarket_list.csv": 750, "ind_nifty500list.csv": 500}
_CSV: Final = {"Content-Type": "text/csv"}
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_HTML: Final = {"Content-Type": "text/html; charset=utf-8"}
_NOT_FOUND: Final[Answer] = (404, _HTML, b"<html><body>Resource not found</body></html>")


def symbol_of(_host: str, path: str, query: Query) -> str | None:
    return query["symbol"][0] if path == "api/quote-equity" and "symbol" in query else None


def answer(company: Company | None, host: str, path: str, _query: Query, state: State) -> Answer:
    if host == SITE:
        return _site(company, path, state)
    market = state.market
    if host == SECTOR_HOST:
        return (200, _CSV, market.sector_list()) if path == "nse_sectors.csv" else _NOT_FOUND
    name = path.rpartition("/")[2]
    if path == "content/equities/EQUITY_L.csv":
        return 200, _CSV, market.equity_list()
    if path == "content/equities/symbolchange.csv":
        return 200, _CSV, _renamed(market)
    if path.startswith("content/indices/") and name in MEMBERS:
        return 200, _CSV, _members(market, MEMBERS[name])
    return _NOT_FOUND


def _site(company: Company | None, path: str, state: State) -> Answer:
    """Pages give cookies; the quote is refused without them, as it is to whoever does not look like a browser."""
    if path.startswith("get-quotes/") or not path:
        cookies = f"{COOKIE}; Domain=.nseindia.com; Path=/; Secure"
        return 200, {**_HTML, "Set-Cookie": cookies}, b"<!DOCTYPE html><html><body>NSE India</body></html>"
    if path != "api/quote-equity":
        return _NOT_FOUND
    if COOKIE not in state.headers.get("cookie", "") or "Mozilla" not in state.headers.get("user-agent", ""):
        return 401, _HTML, b"<html><body>Resource access denied</body></html>"
    if company is None:
        return 404, _JSON, b'{"msg": "no data found"}'
    return 200, _JSON, json.dumps(quote(company)).encode()


def quote(company: Company) -> dict[str, Any]:
    """The `quote-equity` document, without the parts that nobody reads."""
    listed, change = company.listed, company.price - company.previous_close
    stamp = f"{company.today:%d-%b-%Y} 16:00:00"
    return {
        "info": {
            "symbol": company.symbol,
            "companyName": company.name,
            "industry": company.industry,
            "activeSeries": [listed.series],
            "isFNOSec": False,
            "isin": listed.isin,
            "isSuspended": False,
        },
        "metadata": {
            "series": listed.series,
            "symbol": company.symbol,
            "isin": listed.isin,
            "status": "Listed",
            "listingDate": f"{listed.listed_on:%d-%b-%Y}",
            "industry": company.industry,
            "lastUpdateTime": stamp,
            "pdSectorPe": company.sector_pe,
            "pdSymbolPe": round(company.pe, 2) if company.pe is not None else "NA",
            "pdSectorInd": f"NIFTY {company.sector.upper()}",
        },
        "securityInfo": {
            "boardStatus": "Main",
            "tradingStatus": "Active",
            "faceValue": listed.face_value,
            "issuedSize": company.shares,
        },
        "priceInfo": {
            "lastPrice": company.price,
            "change": round(change, 2),
            "pChange": round(change / company.previous_close * 100, 2),
            "previousClose": company.previous_close,
            "open": company.open,
            "close": company.price,
            "basePrice": company.previous_close,
            "intraDayHighLow": {"min": company.day_low, "max": company.day_high, "value": company.price},
            "weekHighLow": {"min": company.week_52_low, "max": company.week_52_high, "value": company.price},
        },
        "industryInfo": {
            "macro": company.sector,
            "sector": company.sector,
            "industry": company.industry,
            "basicIndustry": company.industry,
        },
    }


def _members(market: Market, count: int) -> bytes:
    """Of an index: the first companies of the list, which is as good as the largest."""
    rows = [(one.name, one.sector, one.symbol, one.series, one.isin) for one in market.listed[:count]]
    return _csv(("Company Name", "Industry", "Symbol", "Series", "ISIN Code"), rows)


def _renamed(market: Market) -> bytes:
    heading = ("SYMB_COMPANY_NAME", " SM_KEY_SYMBOL", " SM_NEW_SYMBOL", " SM_APPLICABLE_FROM")
    old = [("Old Mills Limited", "OLDMILLS", "NEWMILLS", "02-JAN-2012")]
    known = {company.symbol: company.name for company in market}
    return _csv(heading, old + [(known.get(new, new), former, new, "09-APR-2025") for former, new in RENAMED.items()])


def _csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue().encode()
