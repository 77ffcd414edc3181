from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

import pytest
from sqlalchemy import delete, event, insert, select, update
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


class Observer:
    """Notes what it is told, and the version it finds in the database then."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.announced: list[tuple[tuple[str, ...], int]] = []
        self.settled: list[Mapping[str, int]] = []
        self.marks: list[str | None] = []
        self.seen: list[int] = []

    def announce(self, namespaces: Collection[str]) -> str:
        self.announced.append((tuple(namespaces), version(self.database)))
        return "mark"

    def settle(self, versions: Mapping[str, int], announced: Collection[str], mark: str | None) -> None:
        self.settled.append(versions)
        self.marks.append(mark)
        self.seen.append(version(self.database))


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
    observer = database.observer = Observer(database)
    with pytest.raises(LookupError), database.begin() as session:
        failure(session, stock_id)
    with database.begin() as session:
        session.execute(select(User)).all()
    assert (version(database), observer.settled) == (before, [])


def test_an_announced_change_that_does_not_come_is_settled(database: Database, stock_id: int) -> None:
    observer = database.observer = Observer(database)
    with pytest.raises(LookupError), database.begin(STOCKS) as session:
        failure(session, stock_id)
    with database.begin(STOCKS) as session:
        session.execute(select(User)).all()
    assert (observer.settled, observer.marks) == ([{}, {}], ["mark", "mark"])


def test_changes_are_announced_before_and_told_after_the_transaction(database: Database, stock_id: int) -> None:
    before = version(database)
    observer = database.observer = Observer(database)
    with database.begin(STOCKS) as session:
        statement(session, stock_id)
    now = version(database)
    assert observer.announced == [((STOCKS,), before)]
    assert observer.settled == [{STOCKS: now}]
    assert observer.marks == ["mark"]
    assert observer.seen == [now]


def test_after_a_commit_that_failed_nothing_is_settled(database: Database, stock_id: int) -> None:
    observer = database.observer = Observer(database)

    def fail(_session: Session) -> None:
        raise LookupError

    def write() -> None:
        with database.begin(STOCKS) as session:
            event.listen(session, "before_commit", fail)
            statement(session, stock_id)

    with pytest.raises(LookupError):
        write()
    assert (observer.announced != [], observer.settled) == (True, [])


def test_a_clock_that_went_back_does_not_lower_it(database: Database, stock_id: int) -> None:
    ahead = 9_000_000_000_000_000
    with database.begin() as session:
        session.execute(update(DataVersion).values(version=ahead))
    with database.begin() as session:
        statement(session, stock_id)
    assert version(database) == ahead + 1


def test_writers_at_once_each_get_their_own(database: Database, stock_id: int) -> None:
    observer = database.observer = Observer(database)

    def write() -> None:
        for _ in range(10):
            with database.begin() as session:
                statement(session, stock_id)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = {settled[STOCKS] for settled in observer.settled}
    assert len(versions) == 40
    assert version(database) == max(versions)
