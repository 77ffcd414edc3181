"""Runs of saved screens, and what has entered and left since one of them.

Only the owner's runs are kept: others may run a public screen without disturbing its history. Runs of other
conditions, before the screen was edited, answer another question and are never compared with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from klyx.database.models import ScreenRun, Stock, UserScreener
from klyx.database.types import utc_now
from klyx.errors import Conflict, Invalid, NotFound
from klyx.services.saved_screens import SavedScreen, find, find_own
from klyx.services.screener import Screen, ScreenResult, matching_ids, parse_screen, run_screen
from klyx.services.screener.portable import without_tags
from klyx.services.user_lock import lock_user

MAX_RUNS_KEPT = 30
NEVER_RUN = "This screen has not been run yet. Please run it first; from then on you can see what changes."
EDITED = "The filters of this screen were changed after its last run. Please run it again to see changes from then on."
# SQLite takes some 32,000 parameters in a statement.
_IDS_PER_STATEMENT = 10_000
_LATEST_FIRST = (ScreenRun.ran_at.desc(), ScreenRun.id.desc())


@dataclass(frozen=True, slots=True)
class SavedRun:
    """What a saved screen found. `stock_ids` are all matches of the owner's run, None in a run of others."""

    screen: SavedScreen
    result: ScreenResult
    ran_at: datetime
    filters_digest: str
    stock_ids: list[int] | None


@dataclass(frozen=True, slots=True)
class StockName:
    """`stock_name` is None for a stock that was deleted; its symbol is the one it had."""

    nse_code: str | None
    stock_name: str | None


@dataclass(frozen=True, slots=True)
class ScreenChanges:
    """What matches `now` and did not in the run at `compared_with` (entered), and the other way round (left).

    `since` is the moment asked for, None for "since the last run". Both lists are in the order of the names.
    """

    since: datetime | None
    compared_with: datetime
    now: datetime
    entered: list[StockName]
    left: list[StockName]
    unchanged_count: int


def run(
    session: Session,
    viewer_id: str | None,
    screener_id: int,
    *,
    limit: int,
    offset: int = 0,
    columns: Sequence[str] | None = None,
) -> SavedRun:
    """Run a screen of the viewer's own or a public one; keep the owner's run with `keep` afterwards.

    Raises NotFound, Invalid for an unknown column, Conflict for a screen that this version cannot run.
    """
    saved = find(session, viewer_id, screener_id)
    screen = _runnable(saved)
    ran_at = utc_now()
    result = run_screen(session, screen, limit=limit, offset=offset, columns=columns)
    stock_ids = matching_ids(session, screen) if saved.is_owner else None
    return SavedRun(saved, result, ran_at, _digest(screen), stock_ids)


def keep(session: Session, user_id: str, done: SavedRun) -> datetime | None:
    """Keep the owner's run; returns the moment of the one before it, None when there is none to compare with.

    A run that found the same stocks as the one before only moves the moment until which that holds.
    """
    lock_user(session, user_id)
    screener_id = done.screen.id
    owned = (UserScreener.id == screener_id, UserScreener.user_id == user_id)
    if done.stock_ids is None or session.scalar(select(UserScreener.id).where(*owned)) is None:
        # Somebody else's, or deleted since it was run.
        return None
    before = session.scalar(_runs(screener_id, done.filters_digest).order_by(*_LATEST_FIRST).limit(1))
    previous_run_at = before.last_ran_at if before else None
    if before is not None and before.stock_ids == done.stock_ids:
        before.last_ran_at = max(before.last_ran_at, done.ran_at)
        return previous_run_at
    names = _names(session, done.stock_ids)
    session.add(
        ScreenRun(
            screener_id=screener_id,
            filters_digest=done.filters_digest,
            stock_ids=done.stock_ids,
            nse_codes=[names[key].nse_code if key in names else None for key in done.stock_ids],
            ran_at=done.ran_at,
            last_ran_at=done.ran_at,
        )
    )
    session.flush()
    _forget_oldest(session, screener_id)
    return previous_run_at


def changes(session: Session, user_id: str, screener_id: int, since: datetime | None = None) -> ScreenChanges:
    """What entered and left the user's own screen since its last run not later than `since`.

    Without `since`, or when all runs are later, since the last and the first run respectively. Raises NotFound
    for an unknown screen and when no run is of the present filters, Forbidden for a public screen of somebody else.
    """
    saved = find_own(session, user_id, screener_id)
    screen = _runnable(saved)
    earlier = _run_at(session, screener_id, _digest(screen), since)
    if earlier is None:
        raise NotFound(EDITED if saved.last_run_at else NEVER_RUN)
    now = utc_now()
    current = matching_ids(session, screen)
    before = dict(zip(earlier.stock_ids, earlier.nse_codes, strict=True))
    matching = set(current)
    entered = [key for key in current if key not in before]
    left = [key for key in before if key not in matching]
    names = _names(session, entered + left)
    within = since is not None and since < earlier.last_ran_at
    return ScreenChanges(
        since,
        earlier.ran_at if within else earlier.last_ran_at,
        now,
        _by_name(names[key] for key in entered if key in names),
        _by_name(names.get(key) or StockName(before[key], None) for key in left),
        len(current) - len(entered),
    )


def _runnable(saved: SavedScreen) -> Screen:
    try:
        return parse_screen(saved.definition)
    except Invalid as error:
        message = (
            f"This screen was saved by another version and cannot be run any more. Please edit it. {error.message}"
        )
        raise Conflict(message) from error


def _digest(screen: Screen) -> str:
    """What tells one question from another; the order of the answer does not matter."""
    asked = {name: value for name, value in screen.definition().items() if name in ("filters", "logic")}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _runs(screener_id: int, filters_digest: str) -> Select[ScreenRun]:
    return select(ScreenRun).where(ScreenRun.screener_id == screener_id, ScreenRun.filters_digest == filters_digest)


def _run_at(session: Session, screener_id: int, filters_digest: str, since: datetime | None) -> ScreenRun | None:
    latest = _runs(screener_id, filters_digest).order_by(*_LATEST_FIRST).limit(1)
    if since is None:
        return session.scalar(latest)
    first = _runs(screener_id, filters_digest).order_by(ScreenRun.ran_at, ScreenRun.id).limit(1)
    return session.scalar(latest.where(ScreenRun.ran_at <= since)) or session.scalar(first)


def _forget_oldest(session: Session, screener_id: int) -> None:
    kept = select(ScreenRun.id).where(ScreenRun.screener_id == screener_id).order_by(*_LATEST_FIRST)
    forgotten = delete(ScreenRun).where(
        ScreenRun.screener_id == screener_id, ScreenRun.id.not_in(kept.limit(MAX_RUNS_KEPT))
    )
    session.execute(forgotten, execution_options={"synchronize_session": False})


def _names(session: Session, stock_ids: Sequence[int]) -> dict[int, StockName]:
    columns = (Stock.id, Stock.nse_code, without_tags(Stock.__table__.c.stock_name))
    found: dict[int, StockName] = {}
    for start in range(0, len(stock_ids), _IDS_PER_STATEMENT):
        part = stock_ids[start : start + _IDS_PER_STATEMENT]
        for stock_id, nse_code, stock_name in session.execute(select(*columns).where(Stock.id.in_(part))):
            found[stock_id] = StockName(nse_code, stock_name)
    return found


def _by_name(stocks: Iterable[StockName]) -> list[StockName]:
    return sorted(stocks, key=lambda stock: (stock.stock_name or stock.nse_code or "", stock.nse_code or ""))
