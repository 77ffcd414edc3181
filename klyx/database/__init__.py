"""The application's database: one class, two engines, the same queries on both."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from klyx.database.engine import parse_url, postgresql_engine, reading_engine, sqlite_engine
from klyx.database.errors import DatabaseUnavailable, PoolExhausted, as_unavailable
from klyx.database.pool import ConnectionPool
from klyx.database.settings import DatabaseSettings
from klyx.database.versions import ChangeObserver, raise_versions, watch

__all__ = ["Database", "DatabaseSettings", "DatabaseUnavailable", "PoolExhausted"]


class Database:
    """PostgreSQL or SQLite, as the URL says. Nothing connects before the first statement.

    `begin` and `read` raise DatabaseUnavailable (503) when the database is unreachable, locked or too
    slow, and PoolExhausted (503) when no connection became free; other failures pass unchanged.
    Objects stay readable after their session has ended.
    """

    engine: Engine
    pool: ConnectionPool | None = None

    def __init__(self, settings: DatabaseSettings) -> None:
        url = parse_url(settings.url)
        self.settings = settings
        if url.get_backend_name() == "postgresql":
            self.engine, self.pool = postgresql_engine(url, settings)
        else:
            self.engine = sqlite_engine(url, settings)
        reading = reading_engine(self.engine)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(reading, expire_on_commit=False, autoflush=False)
        watch(self._writers)
        self.observer: ChangeObserver | None = None

    @property
    def dialect_name(self) -> str:
        """"postgresql" or "sqlite"."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self, *changing: str) -> Iterator[Session]:
        """A session in a transaction that may write: committed at the end, rolled back on an error.

        `changing` are the namespaces (klyx.database.versions) that it is going to change. Their versions rise
        with or without it; given, nobody is served an old answer in the moment between the commit and its news.
        """
        mark = self.observer.announce(changing) if self.observer is not None and changing else None
        versions: dict[str, int] = {}
        outcome_is_unknown = False
        try:
            with _failures_explained(), self._writers.begin() as session:
                yield session
                session.flush()
                raised = raise_versions(session)
                outcome_is_unknown = True
            versions, outcome_is_unknown = raised, False
        finally:
            # After a commit that failed nobody knows what it did: then the mark stays until it ends by itself.
            if self.observer is not None and (versions or mark) and not outcome_is_unknown:
                self.observer.settle(versions, changing, mark)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading: it waits for no writer, and a write in it fails.

        On PostgreSQL each of its statements sees what was committed before it.
        """
        with _failures_explained(), self._readers() as session:
            yield session

    def ping(self) -> None:
        """Raise DatabaseUnavailable or PoolExhausted unless the database answers."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every idle connection; those in use are closed when they come back."""
        self.engine.dispose()
        if self.pool is not None:
            self.pool.closeall()


@contextmanager
def _failures_explained() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        explained = as_unavailable(error)
        if explained is None:
            raise
        raise explained from error
