"""The child's modules run inside the tests' own process here."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _own_csv_limit() -> Iterator[None]:
    """What a child limits for its whole process must not hold for the tests that follow."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)
