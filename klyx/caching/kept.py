"""Values that cost more than the answer they belong to, worked out once per version of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import orjson
from flask import current_app

from klyx.caching.answers import EXTENSION_KEY, Answers
from klyx.caching.entry import Entry, make_entry

T = TypeVar("T", int, float, str, list[Any], dict[str, Any])

KEEP_SECONDS = 3600


def kept(namespace: str, question: Any, compute: Callable[[], T]) -> T:
    """What `compute` gives, a JSON value, for `question` (JSON too) and the present data of `namespace`."""
    answers = cast(Answers, current_app.extensions[EXTENSION_KEY])
    version = answers.versions.current(namespace)
    key = answers.key(namespace, version, "kept", question)

    def work_out() -> Entry:
        entry = make_entry(
            orjson.dumps(compute()),
            content_type="application/json",
            etag="",
            version=version,
            ttl_seconds=KEEP_SECONDS,
            compress=False,
        )
        answers.store.put(key, entry, KEEP_SECONDS)
        return entry

    entry = answers.store.get_fresh(key) or answers.flights.join(key, lambda: answers.store.get_fresh(key), work_out)
    return cast(T, orjson.loads(cast(Entry, entry).body))
