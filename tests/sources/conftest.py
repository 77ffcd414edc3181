"""A fake Yahoo for every test of the sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.yahoo import FakeYahoo


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    with FakeYahoo() as server:
        yield server
