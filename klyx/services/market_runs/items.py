"""The stocks of a run, batch by batch: which wait, which were begun, and what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from klyx.database.models import DataRefreshLog, ItemState, RefreshItem, Stock
from klyx.services.market_runs.kinds import Chosen, Fetched, Item

# An item that was begun so often without an end takes its worker down; it is not begun again.
MOST_ATTEMPTS = 2
WAITING = RefreshItem.state == ItemState.WAITING.value


def plan(session: Session, run: DataRefreshLog, chosen: Sequence[Chosen], batch_size: int) -> list[int]:
    """Write the run's stocks down in their order; returns the numbers of its batches."""
    rows: list[dict[str, Any]] = [
        {
            "run_id": run.id,
            "position": position,
            "batch": position // batch_size,
            "stock_id": stock.stock_id,
            "nse_code": stock.nse_code,
        }
        for position, stock in enumerate(chosen)
    ]
    if rows:
        session.execute(insert(RefreshItem), rows)
    session.execute(
        update(DataRefreshLog)
        .where(DataRefreshLog.id == run.id)
        .values(stocks_total=len(rows))
        .execution_options(synchronize_session=False)
    )
    return sorted({row["batch"] for row in rows})


def waiting(session: Session, run_id: int, batch: int) -> list[Item]:
    """What a batch has left to do, in order."""
    rows = session.execute(
        select(
            RefreshItem.position, RefreshItem.stock_id, RefreshItem.nse_code, Stock.stock_name, RefreshItem.attempts
        )
        .join(Stock, Stock.id == RefreshItem.stock_id)
        .where(RefreshItem.run_id == run_id, RefreshItem.batch == batch, WAITING)
        .order_by(RefreshItem.position)
    )
    return [Item(*row) for row in rows]


def waiting_batches(session: Session, run_id: int) -> list[int]:
    """The batches that have something left to do."""
    batches = select(RefreshItem.batch).where(RefreshItem.run_id == run_id, WAITING).distinct()
    return list(session.scalars(batches.order_by(RefreshItem.batch)))


def begin(session: Session, run_id: int, positions: Collection[int]) -> None:
    """Count an attempt of these, before any source is asked for them."""
    _change_attempts(session, run_id, positions, 1)


def give_back(session: Session, run_id: int, positions: Collection[int]) -> None:
    """These were begun and came to no end, but did no harm: the attempt does not count."""
    _change_attempts(session, run_id, positions, -1)


def _change_attempts(session: Session, run_id: int, positions: Collection[int], by: int) -> None:
    if positions:
        session.execute(
            update(RefreshItem)
            .where(RefreshItem.run_id == run_id, RefreshItem.position.in_(positions), WAITING)
            .values(attempts=RefreshItem.attempts + by)
            .execution_options(synchronize_session=False)
        )


def end(session: Session, run_id: int, results: Sequence[Fetched]) -> None:
    """Write down what came of these, and count them in the run. Keeps the run's row until the commit."""
    if not results:
        return
    table = RefreshItem.__table__
    ending = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.run_id == run_id, table.c.position == bindparam("at"))
        .values(state=bindparam("new_state"), error=bindparam("reason"), outcomes=bindparam("answers"))
    )
    session.connection().execute(ending, [_ended(result) for result in results])
    failed = sum(result.error is not None for result in results)
    session.execute(
        update(DataRefreshLog)
        .where(DataRefreshLog.id == run_id)
        .values(
            stocks_updated=func.coalesce(DataRefreshLog.stocks_updated, 0) + len(results) - failed,
            stocks_failed=func.coalesce(DataRefreshLog.stocks_failed, 0) + failed,
        )
        .execution_options(synchronize_session=False)
    )


def _ended(result: Fetched) -> dict[str, Any]:
    state = ItemState.DONE if result.error is None else ItemState.FAILED
    return {
        "at": result.item.position,
        "new_state": state.value,
        "reason": result.error,
        "answers": dict(result.outcomes) or None,
    }


def count(session: Session, run_id: int) -> tuple[int, int, int]:
    """How many stocks of a run are done, have failed, and are in it."""
    done = func.sum(case((RefreshItem.state == ItemState.DONE.value, 1), else_=0))
    failed = func.sum(case((RefreshItem.state == ItemState.FAILED.value, 1), else_=0))
    row = session.execute(select(done, failed, func.count()).where(RefreshItem.run_id == run_id)).one()
    return int(row[0] or 0), int(row[1] or 0), row[2]


def failures_by_source(session: Session, run_id: int) -> dict[str, dict[str, int]]:
    """How often each source failed in a run, and how: source -> error -> count."""
    counted: Counter[tuple[str, str]] = Counter()
    for outcomes in session.scalars(select(RefreshItem.outcomes).where(RefreshItem.run_id == run_id)):
        counted.update((source, word) for source, word in (outcomes or {}).items() if word != "ok")
    found: dict[str, dict[str, int]] = {}
    for (source, word), number in sorted(counted.items()):
        found.setdefault(source, {})[word] = number
    return found


def first_failed(session: Session, run_id: int, limit: int) -> list[Mapping[str, str | None]]:
    """The first stocks that failed, with the reason."""
    failed = select(RefreshItem.nse_code, RefreshItem.error).where(
        RefreshItem.run_id == run_id, RefreshItem.state == ItemState.FAILED.value
    )
    rows = session.execute(failed.order_by(RefreshItem.position).limit(limit))
    return [{"stock": code, "error": error} for code, error in rows]


def first_ended(session: Session, run_id: int, limit: int) -> list[dict[str, str]]:
    """The first stocks that came to an end: `stock`, `status` ("success" or "failed") and the `error` of a failure."""
    ended = select(RefreshItem.nse_code, RefreshItem.state, RefreshItem.error).where(
        RefreshItem.run_id == run_id, RefreshItem.state != ItemState.WAITING.value
    )
    rows = session.execute(ended.order_by(RefreshItem.position).limit(limit))
    told: list[dict[str, str]] = []
    for code, state, error in rows:
        status = "success" if state == ItemState.DONE.value else "failed"
        told.append({"stock": code, "status": status, **({"error": error} if error else {})})
    return told


def fail_waiting(session: Session, run_id: int, batch: int, reason: str) -> None:
    """Give up on what a batch has left."""
    end(session, run_id, [Fetched(item, error=reason) for item in waiting(session, run_id, batch)])
