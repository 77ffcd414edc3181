"""The SQLAlchemy dialect that gives connections back to our pool instead of closing them."""

from typing import Any

from psycopg2.pool import ThreadedConnectionPool
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine.interfaces import DBAPIConnection


class PooledDialect(PGDialect_psycopg2):
    """psycopg2's dialect for an engine with NullPool: 'close' means putconn, 'terminate' means throw away."""

    supports_statement_cache = True
    connection_pool: ThreadedConnectionPool

    def on_connect(self) -> None:
        """Nothing: PooledConnection sets itself up once, and not at every checkout."""

    def do_close(self, dbapi_connection: DBAPIConnection) -> None:
        self.connection_pool.putconn(self._own(dbapi_connection))

    def do_terminate(self, dbapi_connection: DBAPIConnection) -> None:
        self.connection_pool.putconn(self._own(dbapi_connection), close=True)

    @staticmethod
    def _own(dbapi_connection: DBAPIConnection) -> Any:
        return dbapi_connection
