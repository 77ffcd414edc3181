"""The SQLAlchemy dialect that gives connections back to our pool instead of closing them."""

from typing import Any

from psycopg2 import _psycopg, extensions
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine.interfaces import DBAPIConnection

from klyx.database.pool import ConnectionPool

NUMBERS_AS_TEXT = "klyx_numbers_as_text"
"""An execution option of a statement whose rows are taken from the driver's cursor: numbers come as their text, bytes.

That takes a third of the time of making Python numbers, and for JSON they would only become the same text again.
"""
_NUMBER_OIDS = (*extensions.INTEGER.values, *extensions.LONGINTEGER.values, *extensions.FLOAT.values, 1700)
# psycopg2 has this caster and publishes it under no other name.
_CASTERS = dict.fromkeys(_NUMBER_OIDS, _psycopg.BYTES)


class PooledDialect(PGDialect_psycopg2):
    """psycopg2's dialect for an engine with NullPool: 'close' means putconn, 'terminate' means throw away."""

    supports_statement_cache = True
    connection_pool: ConnectionPool

    def on_connect(self) -> None:
        """Nothing: PooledConnection sets itself up once, and not at every checkout."""

    def do_close(self, dbapi_connection: DBAPIConnection) -> None:
        self.connection_pool.putconn(self._own(dbapi_connection))

    def do_terminate(self, dbapi_connection: DBAPIConnection) -> None:
        self.connection_pool.putconn(self._own(dbapi_connection), close=True)

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if context is not None and context.execution_options.get(NUMBERS_AS_TEXT):
            cursor.string_types = _CASTERS
        cursor.execute(statement, parameters)

    @staticmethod
    def _own(dbapi_connection: DBAPIConnection) -> Any:
        return dbapi_connection
