"""From the exchange's quote document to the raw field vocabulary. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klyx.sources.answers import number, positive

Fields = dict[str, float | str]


def knows(document: object) -> bool:
    """Whether the document is a quote at all; for an unknown symbol it is a message."""
    return bool(part(document, "info").get("symbol"))


def fields_of(document: object) -> Fields:
    """The fields of a `quote-equity` document. Prices and the market capitalisation are in rupees.

    The market capitalisation is the number of shares issued times the last price; the volume of the day is in
    none of the document's parts.
    """
    price_info, metadata = part(document, "priceInfo"), part(document, "metadata")
    year = part(price_info, "weekHighLow")
    price = positive(price_info.get("lastPrice")) or positive(price_info.get("close"))
    shares = positive(part(document, "securityInfo").get("issuedSize"))
    found = {
        "currentPrice": price,
        "_previous_close": positive(price_info.get("previousClose")),
        "week52High": positive(year.get("max")),
        "week52Low": positive(year.get("min")),
        # A company that makes losses has "NA" or a number below zero, which is no price-earnings ratio.
        "pe_ratio": positive(metadata.get("pdSymbolPe")),
        "sector_pe": positive(metadata.get("pdSectorPe")),
        "marketCap": price * shares if price is not None and shares is not None else None,
    }
    fields: Fields = {name: value for name, value in found.items() if value is not None}
    return {**fields, **_texts(document)}


def part(document: object, name: str) -> Mapping[str, Any]:
    """An object inside the document; empty when it is missing, or anything else."""
    inner = document.get(name) if isinstance(document, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _texts(document: object) -> dict[str, str]:
    info, place = part(document, "info"), part(document, "industryInfo")
    candidates = {
        "_company_name": info.get("companyName"),
        "_isin": info.get("isin") or part(document, "metadata").get("isin"),
        "_sector": place.get("sector"),
        "_industry": place.get("basicIndustry") or place.get("industry") or info.get("industry"),
    }
    return {
        name: text.strip()[:200]
        for name, text in candidates.items()
        if isinstance(text, str) and text.strip().strip("-") and number(text) is None
    }
