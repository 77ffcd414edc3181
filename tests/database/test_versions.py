from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import DataVersion, FundamentalsCache, Stock, StockFieldProvenance, StockMetadata, User
from klyx.database.types import utc_now
from klyx.database.upsert import insert_if_absent
from klyx.database.versions import FUNDAMENTALS, STOCKS, mark_changed, read_version


def version(database: Database, namespace: str = STOCKS) -> int:
    with database.read() as session:
        return read_version(session, namespace)


@pytest.fixture
def stock_id(database: Database) -> int:
    with database.begin() as session:
        return session.scalars(insert(Stock).values(stock_name="A", nse_code="A").returning(Stock.id)).one()


def new_object(session: Session, stock_id: int) -> None:
    session.add(StockMetadata(stock_id=stock_id))


def changed_object(session: Session, stock_id: int) -> None:
    session.scalars(select(Stock)).one().stock_name = "B"


def deleted_object(session: Session, stock_id: int) -> None:
    session.delete(session.scalars(select(Stock)).one())


def statement(session: Session, stock_id: int) -> None:
    session.execute(update(Stock).values(current_price=2.0))


def deletion(session: Session, stock_id: int) -> None:
    session.execute(delete(Stock))


def upsert(session: Session, stock_id: int) -> None:
    row = {"stock_id": stock_id, "field": "rsi", "source": "Klyx", "obtained_at": utc_now()}
    insert_if_absent(session, StockFieldProvenance, [row])


def failure(session: Session, stock_id: int) -> None:
    statement(session, stock_id)
    raise LookupError


def by_hand(session: Session, stock_id: int) -> None:
    mark_changed(session, STOCKS)


@pytest.mark.parametrize("write", [new_object, changed_object, deleted_object, statement, deletion, upsert, by_hand])
def test_a_write_raises_the_version(
    database: Database, stock_id: int, write: Callable[[Session, int], None]
) -> None:
    before = version(database)
    with database.begin() as session:
        write(session, stock_id)
    assert version(database) > before > 0


def test_other_data_and_reading_leave_it(database: Database, stock_id: int) -> None:
    before = version(database)
    with database.begin() as session:
        session.execute(select(Stock)).all()
        session.add(User(email="a@example.org", name="A", password_hash="x"))
        session.add(FundamentalsCache(symbol="A", type="standalone", payload={}, fetched_at=utc_now()))
    assert version(database) == before
    assert version(database, FUNDAMENTALS) > 0


def test_a_transaction_that_fails_raises_nothing(database: Database, stock_id: int) -> None:
    before = version(database)
    told: list[Mapping[str, int]] = []
    database.on_new_versions = told.append
    with pytest.raises(LookupError), database.begin() as session:
        failure(session, stock_id)
    with database.begin() as session:
        session.execute(select(User)).all()
    assert (version(database), told) == (before, [])


def test_the_new_versions_are_told_after_the_commit(database: Database, stock_id: int) -> None:
    told: list[tuple[Mapping[str, int], int]] = []
    database.on_new_versions = lambda versions: told.append((versions, version(database)))
    with database.begin() as session:
        statement(session, stock_id)
    assert told == [({STOCKS: version(database)}, version(database))]


def test_a_clock_that_went_back_does_not_lower_it(database: Database, stock_id: int) -> None:
    ahead = 9_000_000_000_000_000
    with database.begin() as session:
        session.execute(update(DataVersion).values(version=ahead))
    with database.begin() as session:
        statement(session, stock_id)
    assert version(database) == ahead + 1


def test_writers_at_once_each_get_their_own(database: Database, stock_id: int) -> None:
    seen: list[int] = []
    database.on_new_versions = lambda versions: seen.append(versions[STOCKS])

    def write() -> None:
        for _ in range(10):
            with database.begin() as session:
                statement(session, stock_id)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 40
    assert version(database) == max(seen)
