"""How a refusal shows what it refuses."""

from __future__ import annotations

import re

MAX_SHOWN_CHARACTERS = 60
# Clients put messages into pages, and a log line must stay one line.
_UNSAFE = re.compile("[<>\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMES = {dict: "(an object)", list: "(a list)", bool: "(true or false)", type(None): "(nothing)"}


def shown(value: object) -> str:
    """A text in quotes, neutralised and cut to 60 characters; other things by what they are."""
    if isinstance(value, str):
        text = _UNSAFE.sub("", value[: 4 * MAX_SHOWN_CHARACTERS])
        short = text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[: MAX_SHOWN_CHARACTERS - 1]}…"
        return f'"{short}"'
    return _NAMES.get(type(value), "(a number)")
