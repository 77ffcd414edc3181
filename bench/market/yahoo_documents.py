"""Yahoo Finance's answers in their shapes: cookie and crumb, modules of a quote, series, the screener and charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote

from bench.market import Answer, Company, Query, State
from bench.market.companies import INDEX_SYMBOL, Bar
from bench.market.yahoo_figures import RANGES, modules, quote, series

DATA_HOSTS: Final = ("query1.finance.yahoo.com", "query2.finance.yahoo.com")
HOSTS: Final = ("fc.yahoo.com", "guce.yahoo.com", "consent.yahoo.com", "finance.yahoo.com", *DATA_HOSTS)
CRUMB: Final = "simulated.Crumb"
COOKIE: Final = "A3=d=simulated&S=1"
SUMMARY: Final = "v10/finance/quoteSummary/"
SERIES: Final = "ws/fundamentals-timeseries/v1/finance/timeseries/"
CHART: Final = "v8/finance/chart/"
_JSON: Final = {"Content-Type": "application/json;charset=utf-8"}
_INDIA_SECONDS: Final = 19_800
_LARGEST_PAGE: Final = 250


def symbol_of(_host: str, path: str, query: Query) -> str | None:
    """The part before `.NS`: no company of this exchange is known by its ticker of the other one."""
    ticker = ""
    if path.startswith((SUMMARY, SERIES, CHART)):
        ticker = unquote(path.rpartition("/")[2])
    elif path == "v7/finance/quote":
        ticker = query.get("symbols", [""])[0]
    return ticker.removesuffix(".NS") if ticker.endswith(".NS") and "," not in ticker else None


def answer(company: Company | None, host: str, path: str, query: Query, state: State) -> Answer:
    if host not in DATA_HOSTS:
        return _cookie(host)
    # Charts are given to anybody.
    if not path.startswith(CHART) and COOKIE not in state.headers.get("cookie", ""):
        return 401, _JSON, _error("finance", "Unauthorized", "Invalid Cookie")
    if path == "v1/test/getcrumb":
        return 200, {"Content-Type": "text/plain"}, CRUMB.encode()
    if path.startswith(SERIES):
        return 200, _JSON, _timeseries(company, path, query)
    if path.startswith(CHART):
        return _chart(company, path, query, state)
    if query.get("crumb") != [CRUMB]:
        return 401, _JSON, _error("finance", "Unauthorized", "Invalid Crumb")
    if path.startswith(SUMMARY):
        return _summary(company, path, query)
    if path == "v7/finance/quote":
        return 200, _JSON, _quotes(query, state)
    if path == "v1/finance/screener":
        return 200, _JSON, _screener(state)
    return 404, _JSON, _error("finance", "Not Found", "No such endpoint")


def _cookie(host: str) -> Answer:
    # A year, as Yahoo's: yfinance takes a moment after 2033 for milliseconds, and the cookie for an old one.
    expires = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    headers = {
        "Content-Type": "text/html",
        "Set-Cookie": f"{COOKIE}; Expires={expires}; Domain=.yahoo.com; Path=/; Secure",
    }
    if host == "fc.yahoo.com":
        return 404, headers, b"<html>not found</html>"
    return 200, headers, b'<form><input name="csrfToken" value="token"><input name="sessionId" value="1"></form>'


def _summary(company: Company | None, path: str, query: Query) -> Answer:
    if company is None:
        ticker = unquote(path.rpartition("/")[2])
        return 404, _JSON, _error("quoteSummary", "Not Found", f"Quote not found for symbol: {ticker}")
    wanted = query.get("modules", [""])[0].split(",")
    result = {name: values for name, values in modules(company).items() if name in wanted}
    return 200, _JSON, json.dumps({"quoteSummary": {"result": [result], "error": None}}).encode()


def _quotes(query: Query, state: State) -> bytes:
    tickers = query.get("symbols", [""])[0].split(",")
    known = [state.market.company(ticker.removesuffix(".NS")) for ticker in tickers if ticker.endswith(".NS")]
    result = [quote(company) for company in known if company is not None]
    return json.dumps({"quoteResponse": {"result": result, "error": None}}).encode()


def _screener(state: State) -> bytes:
    """A page of the whole exchange, the largest first."""
    asked = json.loads(state.body or b"{}")
    start, size = int(asked.get("offset") or 0), min(int(asked.get("size") or 25), _LARGEST_PAGE)
    ordered = state.market.by_market_cap()
    quotes = [quote(company) for company in ordered[start : start + size]]
    result = {"start": start, "count": len(quotes), "total": len(ordered), "quotes": quotes}
    return json.dumps({"finance": {"result": [result], "error": None}}).encode()


def _timeseries(company: Company | None, path: str, query: Query) -> bytes:
    ticker = unquote(path.rpartition("/")[2])
    result: list[dict[str, Any]] = []
    for name in query.get("type", [""])[0].split(","):
        entry: dict[str, Any] = {"meta": {"symbol": [ticker], "type": [name]}}
        points = series(company, name) if company is not None else []
        if company is not None and points:
            entry["timestamp"] = [_seconds(day) for day, _, _ in points]
            entry[name] = [
                {
                    "dataId": 20100,
                    "asOfDate": day.isoformat(),
                    "periodType": period,
                    "currencyCode": company.statement_currency,
                    "reportedValue": {"raw": value, "fmt": f"{value:.2f}"},
                }
                for day, period, value in points
            ]
        result.append(entry)
    return json.dumps({"timeseries": {"result": result, "error": None}}).encode()


def _chart(company: Company | None, path: str, query: Query, state: State) -> Answer:
    ticker = unquote(path.rpartition("/")[2])
    today = state.market.today
    if "period1" in query:
        since = datetime.fromtimestamp(max(int(query["period1"][0]), 0), UTC).date()
    else:
        since = today - timedelta(days=RANGES.get(query.get("range", ["1mo"])[0], 30))
    if company is not None:
        bars = company.bars(since)
    elif ticker == INDEX_SYMBOL:
        bars = state.market.index_bars(since)
    else:
        return 404, _JSON, _error("chart", "Not Found", "No data found, symbol may be delisted")
    return 200, _JSON, json.dumps({"chart": {"result": [_chart_of(ticker, bars)], "error": None}}).encode()


def _chart_of(ticker: str, bars: Sequence[Bar]) -> dict[str, Any]:
    stamps = [_opening(bar.day) for bar in bars]
    last = bars[-1] if bars else None
    hours = {"timezone": "IST", "gmtoffset": _INDIA_SECONDS}
    session = {**hours, "start": stamps[-1], "end": stamps[-1] + 22_500} if stamps else hours
    columns = {
        "open": [bar.open for bar in bars],
        "high": [bar.high for bar in bars],
        "low": [bar.low for bar in bars],
        "close": [bar.close for bar in bars],
        "volume": [bar.volume for bar in bars],
    }
    return {
        "meta": {
            "currency": "INR",
            "symbol": ticker,
            "exchangeName": "NSI",
            "fullExchangeName": "NSE",
            "instrumentType": "INDEX" if ticker == INDEX_SYMBOL else "EQUITY",
            "firstTradeDate": stamps[0] if stamps else None,
            "regularMarketTime": stamps[-1] + 22_500 if stamps else None,
            "hasPrePostMarketData": False,
            "gmtoffset": _INDIA_SECONDS,
            "timezone": "IST",
            "exchangeTimezoneName": "Asia/Kolkata",
            "regularMarketPrice": last.close if last else None,
            "chartPreviousClose": bars[0].open if bars else None,
            "priceHint": 2,
            "currentTradingPeriod": {"pre": session, "regular": session, "post": session},
            "dataGranularity": "1d",
            "range": "",
            "validRanges": list(RANGES),
        },
        "timestamp": stamps,
        "indicators": {"quote": [columns], "adjclose": [{"adjclose": columns["close"]}]},
    }


def _opening(day: date) -> int:
    """When trading began, at 9:15 in India."""
    return int(datetime.combine(day, time(3, 45), UTC).timestamp())


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _error(envelope: str, code: str, description: str) -> bytes:
    return json.dumps({envelope: {"result": None, "error": {"code": code, "description": description}}}).encode()
