"""How a view gets an answer that must be fetched outside first: a worker does it, the request waits for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import current_app

from jobs.queue import enqueue
from klyx.errors import Unavailable
from klyx.services import lookups
from klyx.services.jobs import FINAL_STATES
from klyx.services.lookups import WaitingRoom
from klyx.web import runtime

ROOM_KEY = "klyx_lookup_room"
LONGEST_WAIT_SECONDS = 17.0
# Of the threads of a process, the part that may wait; the others serve what is there.
THREADS_FOR_ONE_PLACE = 8
# Every request that waits holds a thread, also those for the same figures; other callers must find a place too.
PLACES_PER_CALLER = 2
TAKES_LONGER = "Fetching this takes longer than usual. Please try again in a few seconds."
RETRY_SECONDS = 10


def wait_for_lookup(
    *,
    kind: str,
    unique_key: str,
    arguments: Mapping[str, Any],
    caller: str | None,
    seconds: float | None = None,
) -> None:
    """Returns when the lookup has ended well; waits `seconds`, LONGEST_WAIT_SECONDS unless told.

    `caller`: who waits (a rate-limit key), None where something else bounds how much one caller asks for.
    Raises Unavailable when it failed, is not done by then, or too many wait.
    """
    with _room().place(caller):
        job_id = request_lookup(kind=kind, unique_key=unique_key, arguments=arguments)
        job = lookups.answer_within(runtime().database, job_id, LONGEST_WAIT_SECONDS if seconds is None else seconds)
    if job is None or job.state not in FINAL_STATES:
        raise Unavailable(TAKES_LONGER, RETRY_SECONDS)
    if job.error:
        raise Unavailable(job.error, int(lookups.PAUSE_AFTER_FAILURE.total_seconds()))


def request_lookup(*, kind: str, unique_key: str, arguments: Mapping[str, Any]) -> str:
    """See to it that the lookup is under way; its job's id. Raises Unavailable as `lookups.start` does."""
    with runtime().database.begin() as session:
        job_id, is_new = lookups.start(session, kind=kind, unique_key=unique_key, arguments=arguments)
    if is_new:
        enqueue(runtime(), job_id, kind)
    return job_id


def _room() -> WaitingRoom:
    places = max(1, runtime().settings.web_threads // THREADS_FOR_ONE_PLACE)
    return cast(WaitingRoom, current_app.extensions.setdefault(ROOM_KEY, WaitingRoom(places, PLACES_PER_CALLER)))
