"""The answers that this process is making, so that none of them is lost when it has to end."""

from __future__ import annotations

import threading
from weakref import WeakSet

from klyx.services.chat.answering import Answering

RESTARTED = "I am sorry, the service is being restarted. Please ask again in a minute."


class OpenAnswers:
    """Safe for threads. An answer that is made needs no leave: nobody holds it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: WeakSet[Answering] = WeakSet()

    def add(self, answering: Answering) -> None:
        with self._lock:
            self._answers.add(answering)

    def give_up(self) -> None:
        """Each is ended with an apology and kept, in its own thread."""
        with self._lock:
            answers = list(self._answers)
        for answering in answers:
            answering.give_up(RESTARTED)
