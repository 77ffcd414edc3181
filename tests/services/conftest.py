from __future__ import annotations

from collections.abc import Iterator

import pytest

from klyx.database import Database, DatabaseSettings


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with the current schema, once on each engine."""
    made = Database(DatabaseSettings(url=database_url))
    yield made
    made.dispose()
