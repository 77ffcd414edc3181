"""What a web process does before it ends, so that nobody is left in the middle of something.

Whoever runs the application finds it at the application, and calls it while there is time left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

_KEY = "klyx_last_words"


class _Application(Protocol):
    extensions: dict[str, Any]


def say_before_the_end(app: _Application, words: Callable[[], None]) -> None:
    """Have `words` called once when the process is about to end. They must not take long."""
    app.extensions.setdefault(_KEY, []).append(words)


def say_last_words(app: object) -> None:
    """Of a WSGI application; one of another make has none."""
    extensions = getattr(app, "extensions", None)
    if isinstance(extensions, dict):
        for words in extensions.get(_KEY, ()):
            words()
