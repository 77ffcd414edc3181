"""A kind of run for tests, and a worker (`python -m tests.jobs.run_kinds`) that knows it.

Asking for a stock adds a line to `<folder>/asked`; what happens then, the file `<folder>/<symbol>` says.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from jobs import worker
from klyx.database import Database
from klyx.database.models import DataRefreshLog, Stock
from klyx.database.versions import STOCKS
from klyx.services.market_runs.kinds import RUN_KINDS, Chosen, Fetched, Item, RunKind, Selection, StockWork, WorkContext
from klyx.sources.base import SourceRateLimited, SourceUnavailable

KIND = "test"
FOLDER = "klyx-test-run"


def folder_of(context: WorkContext) -> Path:
    return context.settings.instance_folder / FOLDER


def choose(session: Session, selection: Selection) -> Sequence[Chosen]:
    stocks = select(Stock.id, Stock.nse_code).where(Stock.nse_code.is_not(None)).order_by(Stock.id)
    rows = session.execute(stocks.limit(selection.limit).offset(selection.offset))
    return [Chosen(row.id, str(row.nse_code)) for row in rows]


def ask(context: WorkContext, item: Item) -> Fetched:
    folder = folder_of(context)
    with (folder / "asked").open("a") as asked:
        asked.write(f"{item.nse_code}\n")
    what = (folder / item.nse_code).read_text() if (folder / item.nse_code).exists() else ""
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "unavailable":
        raise SourceUnavailable("the source did not answer")
    if what == "bug":
        raise ZeroDivisionError
    if what == "rest":
        (folder / item.nse_code).unlink()
        raise SourceRateLimited("the source wants a rest", 1.0)
    if what == "partly":
        # As long as the source wants a rest: each time, so that the rests run out.
        return Fetched(item, 1.0, {"first": "ok", "second": "SourceRateLimited"}, rest_seconds=0.1)
    if what == "unstorable":
        return Fetched(item, "not a number", {"first": "ok"})
    if what == "half":
        return Fetched(item, 1.0, {"first": "ok", "second": "SourceUnavailable"})
    pace = folder / "seconds"
    threading.Event().wait(float(pace.read_text()) if pace.exists() else 0.0)
    return Fetched(item, 1.0, {"first": "ok"})


def write(session: Session, results: Sequence[Fetched]) -> None:
    """Adds to the stock's price, so that what is stored twice shows."""
    for result in results:
        price = func.coalesce(Stock.current_price, 0) + float(result.value)
        session.execute(update(Stock).where(Stock.id == result.item.stock_id).values(current_price=price))


def finish(database: Database) -> dict[str, int]:
    """Leaves a row behind, so that what is done twice shows."""
    with database.begin() as session:
        session.execute(insert(DataRefreshLog).values(refresh_type="finish", status="success"))
    return {"finished": 1}


WORK = StockWork(choose, ask, write, finish, (STOCKS,))
TEST_KIND = RunKind(KIND, "Test", "Testing", "Tested", "tests.jobs.run_kinds:WORK")


if __name__ == "__main__":
    RUN_KINDS[KIND] = TEST_KIND
    worker.main()
