"""The application's database: one class, two engines, the same queries on both."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from klyx.database.engine import READ_ONLY, parse_url, postgresql_engine, sqlite_engine
from klyx.database.errors import DatabaseUnavailable, PoolExhausted, as_unavailable
from klyx.database.pool import ConnectionPool
from klyx.database.settings import DatabaseSettings
from klyx.database.versions import raise_versions, watch

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
        reading = self.engine.execution_options(**{READ_ONLY: True}, postgresql_readonly=True)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(reading, expire_on_commit=False, autoflush=False)
        watch(self._writers)
        self.on_new_versions: Callable[[Mapping[str, int]], None] | None = None

    @property
    def dialect_name(self) -> str:
        """"postgresql" or "sqlite"."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session in a transaction that may write: committed at the end, rolled back on an error.

        Afterwards `on_new_versions` is told the versions that this gave the data (klyx.database.versions).
        """
        with _failures_explained(), self._writers.begin() as session:
            yield session
            session.flush()
            versions = raise_versions(session)
        if versions and self.on_new_versions is not None:
            self.on_new_versions(versions)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session in a read-only transaction: it waits for no writer, and a write in it fails."""
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
