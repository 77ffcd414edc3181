"""What all sources say of one stock, as it comes from them: kept for a quarter of an hour with the job that asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import Job, JobState, Stock
from klyx.database.types import utc_now
from klyx.errors import NotFound
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.market_data.gather import Gathered
from klyx.services.market_data.merge import merge

LOOKUP_KIND = "multi_source_lookup"
FRESH_FOR = timedelta(minutes=15)
UNKNOWN_STOCK = "There is no stock with this symbol. Please check it or search for the company's name."


class NotAsked(Exception):
    """Nobody asked the sources for this stock in the last quarter of an hour."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.lookup: dict[str, Any] = {
            "kind": LOOKUP_KIND,
            "unique_key": _unique_key(symbol),
            "arguments": {"symbol": symbol},
        }


def find(session: Session, symbol: str) -> Mapping[str, Any]:
    """The newest answer about a stock we list: see `answer_of`. Raises NotFound for other symbols, and NotAsked."""
    code = normalise_nse_code(symbol)
    if code is None or session.scalar(select(Stock.id).where(Stock.nse_code == code)) is None:
        raise NotFound(UNKNOWN_STOCK)
    # Narrowed by the moment it was made, by which there is an index.
    done = select(Job.result).where(
        Job.workspace_id.is_(None),
        Job.created_at > utc_now() - FRESH_FOR,
        Job.unique_key == _unique_key(code),
        Job.state == JobState.SUCCEEDED.value,
    )
    result: Mapping[str, Any] | None = session.scalars(done.order_by(Job.finished_at.desc()).limit(1)).first()
    if result is None:
        raise NotAsked(code)
    return result


def answer_of(gathered: Gathered) -> dict[str, Any]:
    """`data`: the merged raw fields and what they rest on; `quality`: how complete they are. JSON types only.

    Amounts are rupees and shares fractions, as everywhere in the raw vocabulary (klyx.sources.base.SourceRecord).
    """
    merged = merge(gathered.records)
    moment = merged.fetched_at
    timestamp = None if moment is None else f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat('T', 'seconds')}Z"
    data = {
        **merged.values,
        "_sources": merged.sources,
        "_quality_score": merged.quality_score,
        "_last_updated": timestamp,
    }
    quality = {
        "symbol": gathered.symbol,
        "score": merged.quality_score,
        "missing_fields": list(merged.missing),
        "source": ", ".join(merged.sources) or None,
        "timestamp": timestamp,
        "sources_used": merged.sources,
        "fetch_attempts": [dict(attempt) for attempt in gathered.attempts],
    }
    return {"data": data, "quality": quality}


def _unique_key(symbol: str) -> str:
    return f"multi_source:{symbol}"
