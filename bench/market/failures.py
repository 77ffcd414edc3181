"""Bad weather: what a simulated source does instead of answering, and what it does to its answers."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from bench.market import Answer

Kind = Literal[
    "silence", "half_way", "drip", "reset", "html", "403", "404", "429", "500", "503",
    "truncated_gzip", "huge", "nan", "strings", "absurd", "empty", "nothing",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# These never end in a whole answer; the server sends them piece by piece.
PARTIAL: Final = frozenset({"silence", "half_way", "drip", "reset", "huge"})
HUGE_BYTES: Final = 200 * 1024 * 1024

_HTML: Final = (
    b"<!DOCTYPE html><html><head><title>Access Denied</title></head><body><h1>Access Denied</h1></body></html>"
)
_NUMBER_IN_CELL: Final = re.compile(rb"(>\s*)-?[\d,]+(?:\.\d+)?(\s*%?\s*<)")
# Keys of dates and identities: a document with broken figures still says what it is about.
_KEPT: Final = re.compile(r"time|date|epoch|gmtoffset|maxage|count|total$|start", re.IGNORECASE)


@dataclass(slots=True)
class Rule:
    """Which requests fail and how: those of one source, or all, whose path contains `path`, `times` times."""

    kind: Kind
    slug: str | None = None
    path: str = ""
    symbol: str | None = None
    times: int | None = None
    retry_after: str | None = None

    def meets(self, slug: str, path: str, symbol: str | None) -> bool:
        return self.times != 0 and self.slug in (None, slug) and self.path in path and self.symbol in (None, symbol)


def spoiled(rule: Rule, answer: Answer) -> Answer:
    """The answer as it arrives under a rule that still ends in a whole one."""
    status, headers, body = answer
    if rule.kind in _REFUSALS:
        retry_after = {} if rule.retry_after is None else {"Retry-After": rule.retry_after}
        return int(rule.kind), {"Content-Type": "text/html", **retry_after}, _REFUSALS[rule.kind]
    if rule.kind == "html":
        return 200, {"Content-Type": "text/html; charset=utf-8"}, _HTML
    if rule.kind == "nothing":
        return 200, headers, b""
    if rule.kind == "truncated_gzip":
        # Stored, not squeezed: half of the file is half of the text, and its length is told truthfully.
        whole = gzip.compress(body, 0)
        return status, {**headers, "Content-Encoding": "gzip"}, whole[: len(whole) // 2]
    return status, headers, _with_other_figures(rule.kind, headers.get("Content-Type", ""), body)


_REFUSALS: Final[dict[str, bytes]] = {
    "403": _HTML,
    "404": b"<html><body>not found</body></html>",
    "429": b"Too Many Requests\r\n",
    "500": b"<html><body>error</body></html>",
    "503": b"<html><body>try again</body></html>",
}


def _with_other_figures(kind: str, content_type: str, body: bytes) -> bytes:
    if "json" in content_type:
        return _json_with_other_figures(kind, body)
    if kind == "empty":
        return b"<html><body></body></html>" if "html" in content_type else b""
    other = {"nan": b"NaN", "strings": b"n.a.", "absurd": b"-999,999,999,999,999,999.00"}[kind]
    return _NUMBER_IN_CELL.sub(rb"\g<1>" + other + rb"\g<2>", body)


def _json_with_other_figures(kind: str, body: bytes) -> bytes:
    document = json.loads(body)
    if kind == "empty":
        return json.dumps(_emptied(document)).encode()
    odd = itertools.cycle(("n.a.", "1,234.50 Cr", "Infinity", "-"))
    change: Callable[[float], Any] = {
        "nan": lambda _: float("nan"),
        "strings": lambda _: next(odd),
        "absurd": lambda value: -1e18 if value else 1e18,
    }[kind]
    return json.dumps(_changed(document, change)).encode()


def _changed(node: Any, change: Callable[[float], Any], key: str = "") -> Any:
    if isinstance(node, dict):
        return {name: _changed(value, change, str(name)) for name, value in node.items()}
    if isinstance(node, list):
        return [_changed(value, change, key) for value in node]
    if isinstance(node, (int, float)) and not isinstance(node, bool) and not _KEPT.search(key):
        return change(node)
    return node


def _emptied(document: Any) -> Any:
    """The same envelope with nothing inside: two levels are kept."""
    if isinstance(document, list):
        return []
    return {name: type(value)() if isinstance(value, (dict, list)) else None for name, value in document.items()}
