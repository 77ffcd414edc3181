"""Only what can be true goes on: figures out of range, text for numbers and NaN are refused, and logged once."""

from __future__ import annotations

import dataclasses
import logging
import math
import re
import threading
from collections import Counter
from collections.abc import Mapping

from klyx.services.analysis.text import clean_text
from klyx.services.market_data.vocabulary import NUMBERS, TEXTS, NumberField, TextField
from klyx.sources.base import SourceRecord

logger = logging.getLogger(__name__)

_SAMPLE_CHARACTERS = 40


class Rejections:
    """Counts what was refused by source and field; logs the first of each. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, record: SourceRecord, field: str, reason: str) -> None:
        with self._lock:
            self._counts[record.source, field] += 1
            is_first = self._counts[record.source, field] == 1
        if is_first:
            logger.warning(
                "A market-data source gave an implausible figure",
                extra={
                    "source": record.source,
                    "field": field,
                    "symbol": record.symbol,
                    "value": repr(record.fields[field])[:_SAMPLE_CHARACTERS],
                    "reason": reason,
                },
            )

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """(source, field) -> how often."""
        with self._lock:
            return dict(self._counts)


def plausible(record: SourceRecord, rejections: Rejections) -> SourceRecord:
    """The record with its plausible fields only."""
    return dataclasses.replace(record, fields=plausible_fields(record, rejections))


def plausible_fields(record: SourceRecord, rejections: Rejections) -> dict[str, float | str]:
    """The fields of the vocabulary that can be true, under their names; a field nobody defined is left out."""
    kept: dict[str, float | str] = {}
    for name, value in record.fields.items():
        try:
            if name in NUMBERS:
                kept[name] = _number(NUMBERS[name], value)
            elif name in TEXTS:
                kept[name] = _text(TEXTS[name], value)
        except _RejectedError as rejected:
            rejections.note(record, name, str(rejected))
    low, high = kept.get("week52Low"), kept.get("week52High")
    if isinstance(low, float) and isinstance(high, float) and low > high:
        for name in ("week52Low", "week52High"):
            del kept[name]
            rejections.note(record, name, "the low is above the high")
    return kept


class _RejectedError(Exception):
    """Why a value cannot be true."""


def _number(field: NumberField, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _RejectedError("no number")
    try:
        number = float(value)
    except OverflowError:
        raise _RejectedError("out of range") from None
    if not math.isfinite(number):
        raise _RejectedError("not finite")
    if not field.lowest <= number <= field.highest or (field.never_zero and number == 0):
        raise _RejectedError("out of range")
    if field.is_whole and not number.is_integer():
        raise _RejectedError("not a whole number")
    return number


def _text(field: TextField, value: object) -> str:
    if not isinstance(value, str):
        raise _RejectedError("no text")
    cleaned = clean_text(value)
    if not cleaned or len(cleaned) > field.longest:
        raise _RejectedError("empty or too long")
    if field.pattern is not None and not re.fullmatch(field.pattern, cleaned):
        raise _RejectedError("not one of the known forms")
    return cleaned
