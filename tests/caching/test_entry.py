from __future__ import annotations

import gzip
import time

import pytest

from klyx.caching.entry import make_entry, unpack


def test_an_entry_survives_being_packed() -> None:
    entry = make_entry(b'{"a":1}\n' * 500, content_type="text/csv", etag="e", version=7, ttl_seconds=60, compress=True)
    assert unpack(entry.pack()) == entry
    assert gzip.decompress(entry.gzipped) == entry.body
    assert len(entry.gzipped) < len(entry.body) < entry.size


@pytest.mark.parametrize(("size", "compress"), [(100, True), (10_000, False)])
def test_small_and_personal_bodies_are_not_compressed(size: int, compress: bool) -> None:
    entry = make_entry(b"x" * size, content_type="t", etag="e", version=1, ttl_seconds=1, compress=compress)
    assert entry.gzipped == b""
    assert unpack(entry.pack()) == entry


def test_an_entry_is_fresh_until_its_time_is_over() -> None:
    entry = make_entry(b"x", content_type="t", etag="e", version=1, ttl_seconds=0.05, compress=False)
    assert entry.is_fresh
    while time.time() <= entry.fresh_until:
        pass
    assert not entry.is_fresh


@pytest.mark.parametrize("packed", [b"", b"\n", b"[]\nx", b"{}\n", b"\x80\x04pickle", b'{"body":3,"gzipped":0}\nxx'])
def test_anything_else_is_no_entry(packed: bytes) -> None:
    assert unpack(packed) is None
