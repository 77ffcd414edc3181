"""How complete the data of a stock is."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from klyx.services.analysis import columns as c
from klyx.services.analysis.enrichment import source_number
from klyx.services.analysis.table import Cell, finite, text

QualityLevel = Literal["high", "medium", "low"]

HIGH_QUALITY = 80
MEDIUM_QUALITY = 50

SOURCE_REQUIRED_FIELDS = (
    "currentPrice",
    "marketCap",
    "pe_ratio",
    "roe",
    "revenue",
    "net_income",
    "total_assets",
    "total_debt",
)
"""What a source record of a stock should hold."""

ROW_REQUIRED_COLUMNS = (
    c.PRICE,
    c.MARKET_CAP,
    c.PE,
    c.ROE,
    c.REVENUE_ANNUAL,
    c.NET_PROFIT_ANNUAL,
    c.TOTAL_ASSETS,
    c.TOTAL_DEBT,
    c.REVENUE_QUARTER,
    c.NET_PROFIT_QUARTER,
)
"""What an analysed row should hold: the same figures and the two of the last quarter."""

# A company without debt is complete; a price or a turnover of zero is a gap in disguise.
_MAY_BE_ZERO = frozenset({"total_debt", c.TOTAL_DEBT})


class Quality(TypedDict):
    """The `_quality` of a result row."""

    score: int
    level: QualityLevel
    present: int
    required: int
    missing: list[str]
    sources: list[str]


def quality_score(present: int, required: int) -> int:
    """The share of required figures present, in whole percent, rounded down."""
    return 100 * present // required if required else 0


def quality_level(score: int) -> QualityLevel:
    """high from 80, medium from 50, else low."""
    if score >= HIGH_QUALITY:
        return "high"
    return "medium" if score >= MEDIUM_QUALITY else "low"


def score_fields(fields: Mapping[str, object], required: Sequence[str] = SOURCE_REQUIRED_FIELDS) -> int:
    """The quality score of a source record's fields; 0 for an empty one."""
    return quality_score(len(required) - len(missing_fields(fields, required)), len(required))


def missing_fields(fields: Mapping[str, object], required: Sequence[str] = SOURCE_REQUIRED_FIELDS) -> list[str]:
    """The required fields that are absent, or 0 where that stands for "unknown"."""
    return [name for name in required if not _is_present(name, source_number(fields, name))]


def quality_of(row: Mapping[str, Cell]) -> Quality:
    """The quality of an analysed row, with the columns that are missing or an implausible 0."""
    missing = [column for column in ROW_REQUIRED_COLUMNS if not _is_present(column, finite(row.get(column)))]
    required = len(ROW_REQUIRED_COLUMNS)
    score = quality_score(required - len(missing), required)
    return Quality(
        score=score,
        level=quality_level(score),
        present=required - len(missing),
        required=required,
        missing=missing,
        sources=text(row, c.DATA_SOURCES).split(", ") if text(row, c.DATA_SOURCES) else [],
    )


def _is_present(name: str, value: float | None) -> bool:
    return value is not None and (value != 0 or name in _MAY_BE_ZERO)
