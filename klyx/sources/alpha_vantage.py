"""Alpha Vantage: the company overview, for those who have a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from klyx.sources.answers import as_source_error, document, number, positive
from klyx.sources.base import Deadline, SourceRateLimited, SourceRecord, SourceUnavailable, SymbolUnknown
from klyx.sources.context import SourceContext
from klyx.sources.http import bounded_by

NAME, SLUG = "Alpha Vantage", "alpha_vantage"
HOST = "www.alphavantage.co"
SYMBOL = re.compile(r"[A-Z0-9&_-]{1,30}")
RUPEES = "INR"
# What is said instead of an answer when the key was used too often.
NOTICES = ("Note", "Information")
MINUTE, HOUR = 60.0, 3600.0

# Rupees, where the currency is the rupee; none of these can be zero or below.
RUPEE_FIELDS = {
    "MarketCapitalization": "marketCap",
    "52WeekHigh": "week52High",
    "52WeekLow": "week52Low",
    "AnalystTargetPrice": "target_mean_price",
    "RevenueTTM": "revenue",
}
POSITIVE_FIELDS = {
    "PERatio": "pe_ratio",
    "PriceToBookRatio": "pb_ratio",
    "PriceToSalesRatioTTM": "ps_ratio",
    "PEGRatio": "peg_ratio",
}
# Margins, returns, growth and yields are fractions, as in the vocabulary.
PLAIN_FIELDS = {
    "ReturnOnEquityTTM": "roe",
    "ReturnOnAssetsTTM": "roa",
    "ProfitMargin": "profit_margin",
    "OperatingMarginTTM": "operating_margin",
    "QuarterlyRevenueGrowthYOY": "quarterly_revenue_growth",
    "QuarterlyEarningsGrowthYOY": "quarterly_profit_growth",
    "DividendYield": "dividend_yield",
    "Beta": "beta",
}
TEXT_FIELDS = {"Name": "_company_name", "Sector": "_sector", "Industry": "_industry"}


class AlphaVantageSource:
    """One request a symbol."""

    name, slug = NAME, SLUG

    def __init__(self, context: SourceContext) -> None:
        self._key = context.settings.alpha_vantage_api_key
        self._circuit = context.circuit(SLUG, NAME)
        self._session = context.session(NAME, SLUG, frozenset({HOST}))

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """The overview of an NSE symbol. It holds no price: the average of 50 days is none."""
        code = symbol.strip().upper()
        if not SYMBOL.fullmatch(code):
            raise SymbolUnknown(f"{symbol.strip()[:40]!r} is not an NSE symbol")
        query = {"function": "OVERVIEW", "symbol": f"{code}.NSE", "apikey": self._key}
        failure: requests.RequestException
        try:
            with bounded_by(deadline):
                response = self._session.get(f"https://{HOST}/query", params=query)
        except requests.RequestException as error:
            failure = error
        else:
            found = document(response, NAME, self._circuit, _is_refusal)
            return SourceRecord(code, NAME, datetime.now(UTC), self._fields(found, code))
        # Without its cause, which names the address and with it the key.
        raise as_source_error(failure, NAME)

    def _fields(self, found: Any, code: str) -> dict[str, float | str]:
        if not isinstance(found, dict):
            raise SourceUnavailable(f"{NAME} sent an answer that cannot be read")
        self._refuse_notices(found)
        if not found.get("Symbol"):
            raise SymbolUnknown(f"{NAME} does not know the symbol {code}")
        fields = fields_of(found)
        if all(name.startswith("_") for name in fields):
            raise SourceUnavailable(f"{NAME} sent an answer without figures")
        return fields

    def _refuse_notices(self, found: Mapping[str, Any]) -> None:
        """Raises SourceRateLimited or SourceUnavailable for what is said with a status of 200."""
        for key in NOTICES:
            if key in found:
                seconds = HOUR if "day" in str(found[key]).lower() else MINUTE
                self._circuit.rest(seconds)
                raise SourceRateLimited(f"{NAME} limits how often it may be asked", seconds)
        if _is_refusal(found):
            raise SourceUnavailable(f"{NAME} refused the request")


def _is_refusal(found: Any) -> bool:
    """Such as for a key that is not valid."""
    return isinstance(found, dict) and "Error Message" in found


def alpha_vantage(context: SourceContext) -> AlphaVantageSource | None:
    """None without a key."""
    return AlphaVantageSource(context) if context.settings.alpha_vantage_api_key else None


def fields_of(overview: Mapping[str, Any]) -> dict[str, float | str]:
    """The fields of an overview, whose figures are texts; "None" and "-" are unknown."""
    found = {name: number(overview.get(key)) for key, name in PLAIN_FIELDS.items()}
    found |= {name: positive(overview.get(key)) for key, name in POSITIVE_FIELDS.items()}
    if overview.get("Currency") == RUPEES:
        found |= {name: positive(overview.get(key)) for key, name in RUPEE_FIELDS.items()}
        found["basic_eps"] = number(overview.get("EPS"))
    fields: dict[str, float | str] = {name: value for name, value in found.items() if value is not None}
    for key, name in TEXT_FIELDS.items():
        text = overview.get(key)
        if isinstance(text, str) and text.strip().lower() not in {"", "none", "-"}:
            fields[name] = text.strip()[:200]
    return fields
