"""Unpacking answers."""

from __future__ import annotations

import gzip
import zlib

import pytest

from klyx.sources.unpacking import DamagedAnswer, Unpacker

WHOLE = b"SYMBOL,NAME\n" * 10_000


def unpacked(packed: bytes, arriving: int = 100) -> bytes:
    unpacker = Unpacker(1000)
    pieces: list[bytes] = []
    for start in range(0, len(packed), arriving):
        pieces += unpacker.unpack(packed[start : start + arriving])
    unpacker.end()
    assert all(len(piece) <= 1000 for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(WHOLE), zlib.compress(WHOLE), gzip.compress(WHOLE[:60]) + gzip.compress(WHOLE[60:]) + b"\0" * 8],
    ids=["gzip", "deflate", "members and padding"],
)
@pytest.mark.parametrize("arriving", [1, 100, 10**6])
def test_a_whole_answer(packed: bytes, arriving: int) -> None:
    assert unpacked(packed, arriving) == WHOLE


@pytest.mark.parametrize("missing", [1, 8, 9, 100])
def test_an_answer_that_ends_too_early(missing: int) -> None:
    with pytest.raises(DamagedAnswer, match="too early"):
        unpacked(gzip.compress(WHOLE)[:-missing])


def test_an_answer_that_is_not_what_it_says() -> None:
    with pytest.raises(DamagedAnswer, match="cannot be unpacked"):
        unpacked(b"<html></html>")


def test_nothing_at_all() -> None:
    assert unpacked(b"") == b""


def test_little_that_becomes_much_comes_in_small_pieces() -> None:
    packed = gzip.compress(bytes(50_000_000))
    assert max(len(piece) for piece in Unpacker(65_536).unpack(packed)) == 65_536
