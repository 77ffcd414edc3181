"""Headlines and price histories for an analysis: what is kept and fresh, else what the sources say by the deadline."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self, TypeVar

import orjson
from sqlalchemy import and_, select

from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance
from klyx.database.starter import SAMPLE_SOURCE
from klyx.database.types import utc_now
from klyx.services import price_history
from klyx.services.analysis.columns import NSE_CODE, STOCK_NAME
from klyx.services.analysis.insights import News
from klyx.services.analysis.table import Row, text
from klyx.services.analysis.technicals import TechnicalSnapshot, technical_snapshot
from klyx.services.news.digest import MOST_IN_TEXT, digest
from klyx.services.technicals.definitions import definitions_of
from klyx.sources.base import (
    Deadline,
    HistorySource,
    NewsSource,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
)

logger = logging.getLogger(__name__)

HISTORY = timedelta(days=365)
# Over a long weekend the last session's indicators are still today's.
FRESH_BARS = timedelta(days=5)
FRESH_NEWS = timedelta(days=1)
STOPPING_ERRORS = (SourceRateLimited, SourceCircuitOpen)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Insights:
    """Technical snapshots by NSE code, and news by the stock's name in its row."""

    snapshots: dict[str, TechnicalSnapshot] = field(default_factory=dict)
    news: dict[str, News] = field(default_factory=dict)


class InsightSearch:
    """Looks for the insights of the listed ones among `rows` in threads of its own, from now on.

    A stock whose row holds a complete technical snapshot needs no history. Use as a context manager; `collect` waits.
    """

    def __init__(
        self,
        database: Database,
        history_sources: Sequence[HistorySource],
        news_sources: Sequence[NewsSource],
        rows: Sequence[Row],
        listed: Sequence[str],
        deadline: Deadline,
        parallelism: int,
    ) -> None:
        self._deadline = deadline
        self._found = Insights()
        self._futures: list[Future[None]] = []
        self._histories = ThreadPoolExecutor(max(1, parallelism), thread_name_prefix="histories")
        self._headlines = ThreadPoolExecutor(max(1, parallelism), thread_name_prefix="headlines")
        known = set(listed)
        by_code = {text(row, NSE_CODE): row for row in rows if text(row, NSE_CODE) in known}
        lacking = [code for code, row in by_code.items() if not technical_snapshot(row).is_complete]
        self._found.snapshots.update(_kept_snapshots(database, lacking))
        kept_news = _kept_news(database, list(by_code))
        names = {code: text(by_code[code], STOCK_NAME) for code in kept_news}
        fresh_since = utc_now() - FRESH_NEWS
        fresh = {code for code, kept in kept_news.items() if kept.obtained_at >= fresh_since}
        self._found.news.update({names[code]: kept_news[code].news for code in fresh})
        self._older_news = {names[code]: kept.news for code, kept in kept_news.items() if code not in fresh}
        self._history_questions = _Questions(history_sources)
        self._news_questions = _Questions(news_sources)
        if history_sources:
            for code in lacking:
                if code not in self._found.snapshots:
                    self._futures.append(self._histories.submit(self._ask_history, code))
        if news_sources:
            for code, row in by_code.items():
                if code not in fresh:
                    self._futures.append(self._headlines.submit(self._ask_news, text(row, STOCK_NAME)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for executor in (self._histories, self._headlines):
            executor.shutdown(wait=False, cancel_futures=True)

    def collect(self) -> Insights:
        """What was found by the deadline, else older headlines that are kept, as the stock's page shows them.

        Each source's failures are logged once, with their number.
        """
        wait(self._futures, timeout=self._deadline.remaining())
        for questions in (self._history_questions, self._news_questions):
            questions.log_failures()
        return Insights(dict(self._found.snapshots), self._older_news | self._found.news)

    def _ask_history(self, code: str) -> None:
        since = utc_now().date() - HISTORY
        ask = partial(_history, code=code, since=since, deadline=self._deadline)
        snapshot = self._history_questions.first(ask, self._deadline)
        if snapshot is not None:
            self._found.snapshots[code] = snapshot

    def _ask_news(self, stock_name: str) -> None:
        ask = partial(_news, stock_name=stock_name, deadline=self._deadline)
        news = self._news_questions.first(ask, self._deadline)
        if news is not None:
            self._found.news[stock_name] = news


class _Questions:
    """Asks sources in order until one answers; one that wants a rest is not asked again. Safe for threads."""

    def __init__(self, sources: Sequence[Any]) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._resting: set[str] = set()
        self._failures: Counter[tuple[str, str]] = Counter()

    def first(self, ask: Callable[[Any], Answer], deadline: Deadline) -> Answer | None:
        for source in self._sources:
            with self._lock:
                is_resting = source.slug in self._resting
            if is_resting or deadline.expired:
                continue
            try:
                return ask(source)
            except SourceError as error:
                with self._lock:
                    self._failures[source.name, type(error).__name__] += 1
                    if isinstance(error, STOPPING_ERRORS):
                        self._resting.add(source.slug)
            except Exception:
                logger.exception("A source of insights broke its promise", extra={"source": source.name})
        return None

    def log_failures(self) -> None:
        with self._lock:
            failures = dict(self._failures)
        for (source, error), times in failures.items():
            logger.warning("a source failed", extra={"source": source, "error": error, "times": times})


def _history(source: HistorySource, code: str, since: Any, deadline: Deadline) -> TechnicalSnapshot:
    return definitions_of(source.history(code, since, deadline)).snapshot()


def _news(source: NewsSource, stock_name: str, deadline: Deadline) -> News:
    return digest(source.headlines(stock_name, deadline), stock_name)


def _kept_snapshots(database: Database, codes: Sequence[str]) -> dict[str, TechnicalSnapshot]:
    today = utc_now().date()
    with database.read() as session:
        rows = session.execute(select(Stock.id, Stock.nse_code).where(Stock.nse_code.in_(codes)))
        ids = {row.id: row.nse_code for row in rows}
        histories = price_history.read_bars(session, list(ids), today - HISTORY)
    return {
        str(ids[stock_id]): definitions_of(bars).snapshot()
        for stock_id, bars in histories.items()
        if bars[-1].day >= today - FRESH_BARS
    }


@dataclass(frozen=True, slots=True)
class _KeptNews:
    news: News
    obtained_at: datetime


def _kept_news(database: Database, codes: Sequence[str]) -> dict[str, _KeptNews]:
    origin = StockFieldProvenance
    dated = and_(origin.stock_id == Stock.id, origin.field == "news_headlines", origin.source != SAMPLE_SOURCE)
    columns = (Stock.nse_code, Stock.news_headlines, Stock.news_sentiment, Stock.news_score, origin.obtained_at)
    with database.read() as session:
        rows = session.execute(select(*columns).join(origin, dated).where(Stock.nse_code.in_(codes))).all()
    return {
        str(code): _KeptNews(_as_news(headlines, sentiment, score), obtained_at)
        for code, headlines, sentiment, score, obtained_at in rows
        if headlines is not None and sentiment is not None and score is not None
    }


def _as_news(headlines: str, sentiment: str, score: int) -> News:
    items: Sequence[Mapping[str, Any]] = orjson.loads(headlines)
    lines = [f"News sentiment is {sentiment} (score {score})."] if items else ["There are no recent headlines."]
    lines += [f"{item['title']} ({item['publisher']})" for item in items[:MOST_IN_TEXT]]
    return News(sentiment=sentiment, score=score, headlines_json=headlines, text="\n".join(lines))
