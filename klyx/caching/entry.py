"""A ready answer: encoded once, compressed once, sent many times."""

from __future__ import annotations

import gzip
import time
from dataclasses import asdict, dataclass
from typing import Any

import orjson

# Smaller bodies fit one packet anyway.
COMPRESS_FROM_BYTES = 1400
# Beyond this level JSON of stocks shrinks by a few percent and takes twice as long.
COMPRESSION_LEVEL = 5
_OVERHEAD_BYTES = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """`disposition` is the Content-Disposition of a download, `etag` without quotes, `fresh_until` in epoch seconds.

    `gzipped` is empty when compressing was not worth it.
    """

    body: bytes
    gzipped: bytes
    content_type: str
    disposition: str
    etag: str
    version: int
    fresh_until: float

    @property
    def is_fresh(self) -> bool:
        return time.time() < self.fresh_until

    @property
    def size(self) -> int:
        return len(self.body) + len(self.gzipped) + _OVERHEAD_BYTES

    def pack(self) -> bytes:
        head: dict[str, Any] = asdict(self)
        head.update(body=len(self.body), gzipped=len(self.gzipped))
        return b"\n".join((orjson.dumps(head), self.body + self.gzipped))


def unpack(packed: bytes) -> Entry | None:
    """The entry that `pack` made these bytes of; None when they are something else."""
    head, _, rest = packed.partition(b"\n")
    try:
        members = orjson.loads(head)
        length = members.pop("body")
        whole = length + members.pop("gzipped") == len(rest)
        return Entry(body=rest[:length], gzipped=rest[length:], **members) if whole else None
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return None


def make_entry(
    body: bytes,
    *,
    content_type: str,
    etag: str,
    version: int,
    ttl_seconds: float,
    compress: bool,
    disposition: str = "",
) -> Entry:
    worth_it = compress and len(body) >= COMPRESS_FROM_BYTES
    gzipped = gzip.compress(body, COMPRESSION_LEVEL, mtime=0) if worth_it else b""
    return Entry(body, gzipped, content_type, disposition, etag, version, time.time() + ttl_seconds)
