"""Unpacking answers piece by piece, and noticing when the end is missing.

urllib3 hands over half of a packed answer as if it were all of it, and a list that was cut short looks like a
shorter list.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PACKED = frozenset({"gzip", "x-gzip", "deflate"})
# gzip or zlib, whichever the data says.
_ANY_HEADER = zlib.MAX_WBITS | 32


class DamagedAnswer(Exception):
    """The answer cannot be unpacked, or ends too early."""


class Unpacker:
    """One packed answer."""

    def __init__(self, piece_bytes: int) -> None:
        self._piece_bytes = piece_bytes
        self._stream = zlib.decompressobj(_ANY_HEADER)
        self._began = False

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """What so much of the answer holds, in pieces of at most `piece_bytes`. Raises DamagedAnswer."""
        while packed:
            if self._stream.eof:
                # Members follow one another; what else follows is padding.
                if not packed.startswith(b"\x1f"):
                    return
                self._stream = zlib.decompressobj(_ANY_HEADER)
            self._began = True
            try:
                piece = self._stream.decompress(packed, self._piece_bytes)
            except zlib.error as error:
                raise DamagedAnswer("The answer cannot be unpacked") from error
            packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece

    def end(self) -> None:
        """Raises DamagedAnswer when more was to come."""
        if self._began and not self._stream.eof:
            raise DamagedAnswer("The answer ends too early")
