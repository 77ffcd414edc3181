"""Which data a transaction changed, and the version that this gives it.

A version rises in the very transaction that changes the data, so it can be neither forgotten nor seen too
early: whoever reads a version and then the data gets data at least that new. Statements of a session on the
tables below are noticed by themselves; what goes around the session (COPY) calls `mark_changed`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from sqlalchemy import Executable, case, event, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, sessionmaker

from klyx.database.models import DataVersion, FundamentalsCache, PriceBar, Stock, StockFieldProvenance, StockMetadata

STOCKS = "stocks"
FUNDAMENTALS = "fundamentals"
PRICES = "prices"
_NAMESPACE_BY_TABLE = {
    Stock.__tablename__: STOCKS,
    StockMetadata.__tablename__: STOCKS,
    StockFieldProvenance.__tablename__: STOCKS,
    FundamentalsCache.__tablename__: FUNDAMENTALS,
    PriceBar.__tablename__: PRICES,
}
_CHANGED = "klyx_changed_namespaces"


class ChangeObserver(Protocol):
    """Whoever keeps something under versions. Neither method fails, and neither is called in a transaction."""

    def announce(self, namespaces: Collection[str]) -> str:
        """These are about to change: until `settle`, only the database says which version they have.

        Returns a mark for `settle`.
        """

    def settle(self, versions: Mapping[str, int], announced: Collection[str], mark: str | None) -> None:
        """A transaction has ended and given these versions; none when it changed nothing or was rolled back."""


def portfolio_of(user_id: str) -> str:
    """The namespace of one user's portfolio."""
    return f"portfolio:{user_id}"


def mark_changed(session: Session, namespace: str) -> None:
    """The data of `namespace` has another version when this transaction commits."""
    session.info.setdefault(_CHANGED, set()).add(namespace)


def watch(sessions: sessionmaker[Session]) -> None:
    """Notice which namespaces the sessions of this factory write to."""
    event.listen(sessions, "do_orm_execute", _note_statement)
    event.listen(sessions, "after_flush", _note_objects)


def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        statement: Executable = state.statement
        _note_table(state.session, getattr(getattr(statement, "table", None), "name", None))


def _note_objects(session: Session, _context: UOWTransaction) -> None:
    for changed in (*session.new, *session.dirty, *session.deleted):
        _note_table(session, inspect(changed).mapper.local_table.name)


def _note_table(session: Session, table: Any) -> None:
    if namespace := _NAMESPACE_BY_TABLE.get(str(table)):
        mark_changed(session, namespace)


def raise_versions(session: Session) -> dict[str, int]:
    """Give every namespace that `session` changed its next version; call last before the commit.

    Returns the new versions. The rows stay locked until the commit, hence last and in one order for everybody.
    """
    changed: set[str] = session.info.pop(_CHANGED, set())
    return {namespace: _raise_version(session, namespace) for namespace in sorted(changed)}


def _raise_version(session: Session, namespace: str) -> int:
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # The time, so that a database restored from a backup does not use a version for other data again.
    insertion = make(DataVersion).values(namespace=namespace, version=time.time_ns() // 1000)
    offered, present = insertion.excluded.version, DataVersion.version
    upsert = insertion.on_conflict_do_update(
        index_elements=[DataVersion.namespace],
        set_={"version": case((offered > present, offered), else_=present + 1)},
    )
    return session.scalars(upsert.returning(DataVersion.version)).one()


def read_version(session: Session, namespace: str) -> int:
    """The version of `namespace`; 0 when its data was never changed."""
    return session.scalar(select(DataVersion.version).where(DataVersion.namespace == namespace)) or 0

