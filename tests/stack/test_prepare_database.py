from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from klyx.config import load_settings
from klyx.database import Database
from klyx.database.models import Stock
from klyx.runtime import build_runtime
from klyx.stack import prepare_database
from tests.servers import ThrowAwayPostgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database without a schema; the environment names it."""
    url = ""
    if request.param == "postgresql":
        server: ThrowAwayPostgres = request.getfixturevalue("postgres")
        url = server.create_database()
    monkeypatch.setenv("INSTANCE_FOLDER", str(tmp_path))
    monkeypatch.setenv("POSTGRES_URL", url)
    runtime = build_runtime(load_settings())
    yield runtime.database
    runtime.close()


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Stock.id))) or 0


def test_an_empty_database_gets_schema_and_starter_list(empty: Database) -> None:
    assert prepare_database.main() == 0

    assert count(empty) == 50
    with empty.read() as session:
        assert set(session.scalars(select(Stock.data_sources))) == {"Sample data"}
        for score in (Stock.roce_annual_pct, Stock.rel_strength_score, Stock.momentum_score):
            assert session.scalar(select(func.count(score)))


def test_what_is_there_is_left_alone(empty: Database) -> None:
    assert prepare_database.main() == 0
    with empty.begin() as session:
        for stock in session.scalars(select(Stock).where(Stock.nse_code != "TCS")):
            session.delete(stock)

    assert prepare_database.main() == 0

    assert count(empty) == 1


def test_a_database_that_does_not_answer_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("INSTANCE_FOLDER", str(tmp_path))
    monkeypatch.setenv("POSTGRES_URL", "postgresql://klyx@127.0.0.1:1/klyx")

    assert prepare_database.main() == 1

    assert capsys.readouterr().err == "klyx: The database cannot be reached. Please try again in a moment.\n"
