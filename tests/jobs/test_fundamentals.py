"""A run of statements by a real worker, against a MoneyControl on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from jobs.queue import enqueue
from klyx.config import load_settings
from klyx.database.models import DataRefreshLog, FundamentalsCache
from klyx.runtime import Runtime, build_runtime
from klyx.services import fundamentals
from klyx.services.market_runs import runs
from klyx.services.market_runs.kinds import RUN_KINDS, Selection
from klyx.services.market_runs.names import RUN_JOB
from klyx.services.market_runs.runs import Options
from tests.jobs.support import program, wait_for
from tests.sources.moneycontrol import MARKET, moneycontrol
from tests.stock_rows import add_stock

COMPANIES = list(MARKET)[:12]


def start(runtime: Runtime) -> int:
    with runtime.database.begin() as session:
        run, _ = runs.start(session, "fundamentals", Options("command", Selection(), batch_size=5), 3)
        job_id, run_id = str(run.job_id), run.id
    enqueue(runtime, job_id, RUN_JOB)
    return run_id


def ended(runtime: Runtime, run_id: int) -> DataRefreshLog | None:
    with runtime.database.read() as session:
        run = session.get_one(DataRefreshLog, run_id)
        return None if run.status == "running" else run


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_statements_of_all_stocks(environment: dict[str, str], tmp_path: Path) -> None:
    assert "fundamentals" in RUN_KINDS
    with moneycontrol() as (simulator, _):
        environment |= {
            "SOURCES_ENABLED": "moneycontrol",
            "SOURCE_LIMIT_MONEYCONTROL": "1000 per second",
            **simulator.environment,
        }
        runtime = build_runtime(load_settings(environment))
        with runtime.database.begin() as session:
            for company in COMPANIES:
                add_stock(session, company.name, company.symbol, market_cap=company.market_cap)
        with program("jobs.worker", environment):
            run_id = start(runtime)
            wait_for(lambda: ended(runtime, run_id), "the end of the run", seconds=60)
        requests = len(simulator.arrivals.of())
        run = ended(runtime, run_id)
        assert run is not None
        assert (run.status, run.stocks_updated, run.stocks_failed) == ("success", len(COMPANIES), 0)
        groups = sum(company.has_subsidiaries for company in COMPANIES)
        # A search, four statements of two pages for each kind, and once the short ratios where there is no group.
        assert requests == len(COMPANIES) * 9 + groups * 8 + (len(COMPANIES) - groups) * 5
        with runtime.database.read() as session:
            assert session.scalar(select(func.count()).select_from(FundamentalsCache)) == 2 * len(COMPANIES)
            for company in COMPANIES:
                kept = fundamentals.find(session, company.symbol, "standalone")
                assert all(kept.data[section] for section in ("balance_sheet", "profit_loss", "cash_flow", "ratios"))
        runtime.close()
