"""The kinds of runs: what each is called, and what does its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database import Database
from klyx.services.jobs import ProgressReporter

if TYPE_CHECKING:
    # A web process starts runs, but does not load what asks the sources.
    from klyx.sources.build import Sources
    from klyx.sources.memo import Memo

DEFAULT_BATCH_SIZE = 50
LARGEST_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stocks a run is about: the largest first, `limit` at most, without the `offset` largest.

    `everything`: also those whose figures are still fresh. klyx.services.market_runs.choosing tells what counts.
    """

    offset: int = 0
    limit: int | None = None
    everything: bool = False

    def covers(self, other: Selection) -> bool:
        """Whether all that `other` selects, at the same moment, is in this one."""
        is_long_enough = self.limit is None or (
            other.limit is not None and other.offset + other.limit <= self.offset + self.limit
        )
        return self.everything >= other.everything and self.offset <= other.offset and is_long_enough


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stock that a run is about."""

    stock_id: int
    nse_code: str


@dataclass(frozen=True, slots=True)
class Item:
    """One stock of a run, at its place in it; `attempts` were begun before."""

    position: int
    stock_id: int
    nse_code: str
    stock_name: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What asking for one stock gave.

    `value` is for the kind's `store`, None when there is nothing to store. `outcomes`: for each source that was
    asked (its slug) "ok", or the name of its error. `error` says why the stock counts as failed, in words for
    people. `rest_seconds`: a source wants a rest for so long, and more could be known after it; a few times the stock
    is then asked for again, and what came counts only when that did not help.
    """

    item: Item
    value: Any = None
    outcomes: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    rest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What the work of a run may use."""

    settings: Settings
    database: Database
    sources: Sources
    memo: Memo | None = None


@dataclass(frozen=True, slots=True)
class StockWork:
    """Work that is done stock by stock, by several workers at once.

    `select`: the stocks, in order. `fetch` asks the sources, in one of several threads and outside any
    transaction; it answers with a Fetched whose `error` is set when nothing came of it. When all of its sources
    want a rest it may raise SourceRateLimited or SourceCircuitOpen: then it is asked again later, a few times.
    `store` writes the values of several stocks in one transaction, which is opened with `changing`; a stock whose
    values cannot be stored is tried alone. `finish` runs once after the last stock; what it returns is told with
    the run.
    """

    select: Callable[[Session, Selection], Sequence[Chosen]]
    fetch: Callable[[WorkContext, Item], Fetched]
    store: Callable[[Session, Sequence[Fetched]], None]
    finish: Callable[[Database], Mapping[str, Any]]
    changing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of work that is done in one go; `failures`: source -> error -> count. `details` are told too."""

    updated: int
    failed: int
    total: int
    details: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class NothingFetched(Exception):
    """No source gave what the run is made of; the message is for people. `failures` as in Outcome."""

    def __init__(self, message: str, failures: Mapping[str, Mapping[str, int]]) -> None:
        super().__init__(message)
        self.failures = failures


@dataclass(frozen=True, slots=True)
class WholeWork:
    """Work that is done in one go by one worker. `run` may be started anew after an interruption.

    `preview` does the same without storing anything. Both raise NothingFetched.
    """

    run: Callable[[WorkContext, ProgressReporter], Outcome]
    preview: Callable[[WorkContext], Outcome]


Work = StockWork | WholeWork


@dataclass(frozen=True, slots=True)
class RunKind:
    """`title` for lists; `doing` and `done` begin sentences. `work` names its Work.

    By name, so that whoever starts a run does not import what does its work.
    """

    name: str
    title: str
    doing: str
    done: str
    work: str

    def load(self) -> Work:
        module, _, attribute = self.work.partition(":")
        work: Work = getattr(import_module(module), attribute)
        return work


_KINDS = (
    RunKind("populate", "List of stocks", "Taking up the list", "Took up the list", "klyx.services.populate:WORK"),
    RunKind("refresh", "Prices", "Fetching prices", "Fetched prices", "klyx.services.refresh:WORK"),
    RunKind("enrich", "Figures", "Fetching figures", "Fetched figures", "klyx.services.enrich_run:WORK"),
    RunKind("technicals", "Indicators", "Fetching daily prices", "Worked out", "klyx.services.technicals.run:WORK"),
    RunKind(
        "fundamentals", "Statements", "Fetching statements", "Fetched statements", "klyx.services.fundamentals_run:WORK"
    ),
    RunKind("news", "News", "Reading news", "Read news", "klyx.services.news.run:WORK"),
    RunKind("cleaning", "Cleaning", "Cleaning up", "Cleaned up", "klyx.services.cleaning:WORK"),
)
RUN_KINDS: dict[str, RunKind] = {kind.name: kind for kind in _KINDS}
