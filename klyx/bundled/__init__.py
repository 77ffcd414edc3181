"""What comes with the application: a starter list of stocks and four sample workbooks, figures invented."""

import csv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TEXT_COLUMNS = frozenset(
    {
        "stock_name",
        "nse_code",
        "bse_code",
        "isin",
        "stock_code",
        "industry_name",
        "sector_name",
        "recommendation_key",
        "tech_trend",
        "tech_rsi_state",
        "tech_macd_signal",
        "data_sources",
    }
)
WHOLE_COLUMNS = frozenset(
    {
        "piotroski_score",
        "analyst_count",
        "momentum_score",
        "durability_score",
        "valuation_score",
        "rel_strength_score",
        "data_quality_score",
    }
)
SAMPLE_NAMES = (
    "nifty50 technicals.xlsx",
    "nifty50-forecasts.xlsx",
    "nifty50-fundamentals.xlsx",
    "nifty50-trendlynescores, benchmarks.xlsx",
)


def starter_list_path() -> Path:
    """The NIFTY 50 as CSV; headings are columns of the tables stocks and stock_metadata, money in rupees."""
    return FOLDER / "nifty50.csv"


def sample_workbook_paths() -> tuple[Path, ...]:
    """The sample workbooks, in the order in which they are merged; money in crores, as exports have it."""
    return tuple(FOLDER / "samples" / name for name in SAMPLE_NAMES)


def read_starter_list() -> list[dict[str, str | int | float | None]]:
    """The rows of the starter list; an empty field is None."""
    with starter_list_path().open(encoding="utf-8", newline="") as source:
        return [{name: _typed(name, field) for name, field in row.items()} for row in csv.DictReader(source)]


def _typed(name: str, text: str) -> str | int | float | None:
    if not text:
        return None
    if name in TEXT_COLUMNS:
        return text
    return int(text) if name in WHOLE_COLUMNS else float(text)
