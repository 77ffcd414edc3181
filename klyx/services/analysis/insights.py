"""The columns people read: a summary in words, technical labels and news."""

from collections.abc import Mapping
from typing import TypedDict

from klyx.services.analysis import columns as c
from klyx.services.analysis.interpretation import summarise
from klyx.services.analysis.ratios import ratios_of_row
from klyx.services.analysis.table import Cell, Row
from klyx.services.analysis.technicals import TechnicalSnapshot, describe, technical_snapshot
from klyx.services.analysis.text import clean_text

FAILED_INSIGHTS = "The insights for this stock could not be generated. Run the analysis again."
_PARAGRAPHS = "\n\n"


class News(TypedDict):
    """What the headlines about one stock say. `headlines_json` is a JSON array as text."""

    sentiment: str
    score: int
    headlines_json: str
    text: str


def initial_insights() -> Row:
    """The insight columns before anything is known."""
    return {
        c.INSIGHTS: "",
        **TechnicalSnapshot().cells(),
        c.NEWS_SENTIMENT: "Neutral",
        c.NEWS_SCORE: 0,
        c.NEWS_HEADLINES: "[]",
    }


def insights_of(
    row: Mapping[str, Cell], news: News | None = None, from_history: TechnicalSnapshot | None = None
) -> Row:
    """The insight columns of an enriched row: summary, technical sentence and news by paragraph.

    The row's own indicators count when trend, RSI and MACD are all among them, else those of its price history.
    """
    snapshot = technical_snapshot(row)
    if from_history is not None and from_history != TechnicalSnapshot() and not snapshot.is_complete:
        snapshot = from_history
    paragraphs = [summarise(ratios_of_row(row)), describe(snapshot)]
    insights = initial_insights() | snapshot.cells()
    if news is not None:
        paragraphs += [paragraph for line in news["text"].splitlines() if (paragraph := clean_text(line))]
        insights[c.NEWS_SENTIMENT] = clean_text(news["sentiment"])
        insights[c.NEWS_SCORE] = news["score"]
        # Neither character has a meaning in JSON, so taking them out of titles keeps it valid.
        insights[c.NEWS_HEADLINES] = news["headlines_json"].replace("<", "").replace(">", "")
    insights[c.INSIGHTS] = _PARAGRAPHS.join(paragraphs)
    return insights
