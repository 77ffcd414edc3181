"""What of an assistant's text may reach a browser: no tags, and UI blocks only when their numbers are known.

Clients put text into pages as HTML, and draw a block that begins with `:::ui-component` at the start of a line.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

logger = logging.getLogger(__name__)

FENCE = ":::"
OPENING = ":::ui-component"
MAX_BLOCK_CHARACTERS = 20_000
# Clients lose a line that is cut over two pieces: small events are the least likely to be. Counted as sent.
PIECE_BYTES = 480
# Any run of them: a pair taken out of the middle would leave another fence.
_COLONS = re.compile(":{3,}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

BlockCheck = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""The block as it may be shown, or None when it must not be."""


def storable(text: str) -> str:
    """Text without NUL and halves of surrogate pairs, which databases refuse."""
    return _UNSTORABLE.sub("", text)


def neutralise(text: str) -> str:
    """Storable text without tags and without what a client could take for a block."""
    return _COLONS.sub("::", storable(text).replace("<", "&lt;").replace(">", "&gt;"))


def as_block(block: Mapping[str, Any]) -> str:
    """A block on lines of its own, for text that may not have ended its line."""
    return f"\n\n{fenced(block)}\n"


def fenced(block: Mapping[str, Any]) -> str:
    """A block from the beginning of a line to the end of one. In JSON, `<`, `>` and the fence are escapes."""
    body = json.dumps(block, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    body = body.replace("<", "\\u003c").replace(">", "\\u003e").replace(FENCE, "\\u003a\\u003a\\u003a")
    return f"{OPENING}\n{body}\n{FENCE}\n"


class SafeText:
    """Makes a stream of text safe: `feed` and `end` give what may be shown, in order, nothing of it empty.

    A block is held back until it is complete. One that `check` refuses, or that is not readable, is left out.
    """

    def __init__(self, check: BlockCheck) -> None:
        self._check = check
        self._pending = ""
        self._block: str | None = None
        self._at_line_start = True
        self.dropped_blocks = 0

    def feed(self, text: str) -> Iterator[str]:
        # Here and not when it is shown: what is left out in between makes neighbours of two colons.
        self._pending += storable(text).replace("\r\n", "\n").replace("\r", "\n")
        while (shown := self._next()) is not None:
            if shown:
                yield shown

    def end(self) -> Iterator[str]:
        """The rest; an unfinished block is left out."""
        if self._block is not None:
            self._drop("unfinished")
            self._block = None
        elif self._pending:
            yield neutralise(self._pending)
        self._pending = ""

    def _next(self) -> str | None:
        """One more piece that can be decided on, or None when more text is needed."""
        if self._block is not None:
            return self._next_of_block(self._block)
        if self._at_line_start and OPENING.startswith(self._pending[: len(OPENING)]):
            if len(self._pending) < len(OPENING):
                return None
            self._pending = self._pending[len(OPENING) :]
            self._block = ""
            return ""
        if not self._pending:
            return None
        line_end = self._pending.find("\n")
        if line_end >= 0:
            piece, self._pending = self._pending[: line_end + 1], self._pending[line_end + 1 :]
            self._at_line_start = True
            return neutralise(piece)
        # Colons at the very end may be the beginning of a fence.
        kept = len(self._pending) - len(self._pending.rstrip(":"))
        piece = self._pending[: len(self._pending) - kept]
        if not piece:
            return None
        self._pending = self._pending[len(piece) :]
        self._at_line_start = False
        return neutralise(piece)

    def _next_of_block(self, begun: str) -> str | None:
        block = begun + self._pending
        closing = block.find(FENCE)
        if closing < 0:
            self._pending = ""
            self._block = block
            if len(block) <= MAX_BLOCK_CHARACTERS:
                return None
            self._block = None
            return self._drop("too long")
        body, self._pending = block[:closing], block[closing + len(FENCE) :]
        self._block = None
        self._at_line_start = False
        return self._shown(body)

    def _shown(self, body: str) -> str:
        try:
            block = json.loads(body)
        except (ValueError, RecursionError):
            return self._drop("unreadable")
        if not isinstance(block, dict):
            return self._drop("unreadable")
        allowed = self._check(block)
        return self._drop("refused") if allowed is None else fenced(allowed)

    def _drop(self, reason: str) -> str:
        self.dropped_blocks += 1
        logger.warning("UI block left out", extra={"reason": reason})
        return ""


def sent_bytes(text: str) -> int:
    """What a text takes within an event: ASCII, six bytes for most other characters, twelve for an emoji."""
    return len(json.dumps(text)) - 2


def fitting(text: str, most_bytes: int = PIECE_BYTES) -> str:
    """As much of the beginning as takes `most_bytes` when it is sent."""
    if sent_bytes(text) <= most_bytes:
        return text
    left = most_bytes
    for place, character in enumerate(text):
        left -= sent_bytes(character)
        if left < 0:
            return text[:place]
    return text


def pieces(text: str) -> Iterator[str]:
    """Text in parts that are small enough to be sent as one event each, lines of a block kept whole where they fit."""
    for line in text.splitlines(keepends=True):
        start = 0
        while start < len(line):
            # No character takes less than a byte.
            piece = fitting(line[start : start + PIECE_BYTES])
            start += len(piece)
            yield piece
