"""Streamed chat completions over HTTP. Not klyx.sources.http: that one reads whole, bounded answers of known sites."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import requests
import urllib3

from klyx.services.chat.interruptible import InterruptibleAdapter
from klyx.services.chat.steps import AnswerFailed, Cancellation, NothingTaken
from klyx.sources.base import Deadline
from klyx.sources.http import retry_after_seconds

logger = logging.getLogger(__name__)

Chunk = Mapping[str, Any]
CONNECT_SECONDS = 5.0
# A model may think for a while before its first word.
SILENCE_SECONDS = 45.0
MOST_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.5
READ_SIZE = 16 * 1024
LONGEST_LINE = 1024 * 1024
# And everything from 500 on: proxies before a service have numbers of their own.
RETRIED = frozenset({408, 409, 429})
UNREACHABLE = "I am sorry, the language model cannot be reached just now. Please ask again in a minute."
BUSY = "I am sorry, the language model is busy just now. Please ask again in a minute."
REFUSED = "I am sorry, the language model refused the question. Please tell us if this goes on."
CUT_OFF = "I am sorry, the answer was cut off. Please ask again."
TOO_SLOW = "I am sorry, this took too long. Please ask again, perhaps about fewer stocks."


class _RetriableError(Exception):
    """Nothing was said yet, and another try may help. `message` is for people if it does not."""

    def __init__(self, message: str, pause_seconds: float | None = None, *, was_taken_up: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.pause_seconds = pause_seconds
        self.was_taken_up = was_taken_up


class ModelClient:
    """Talks to one service. Safe for threads: each question has a connection of its own."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._api_key = api_key

    def stream(self, body: Mapping[str, Any], cancelled: Cancellation, deadline: Deadline) -> Iterator[Chunk]:
        """The chunks of one completion; ends early when cancelled. Raises AnswerFailed, NothingTaken where it can.

        Refusals and failures before the first chunk are tried again while the deadline allows.
        """
        pause = FIRST_PAUSE_SECONDS
        was_taken_up = False
        for attempt in range(1, MOST_ATTEMPTS + 1):
            begun = False
            try:
                for chunk in self._attempt(body, cancelled, deadline):
                    begun = True
                    yield chunk
            except _RetriableError as error:
                wait = pause if error.pause_seconds is None else error.pause_seconds
                was_taken_up = was_taken_up or error.was_taken_up
                logger.warning("model not available", extra={"attempt": attempt, "reason": str(error)})
                if cancelled.is_set():
                    return
                if begun:
                    raise AnswerFailed(CUT_OFF) from error
                if attempt == MOST_ATTEMPTS or wait >= deadline.remaining():
                    raise (AnswerFailed if was_taken_up else NothingTaken)(error.message) from error
                if cancelled.wait(wait):
                    return
                pause *= 2
            else:
                return

    def _attempt(self, body: Mapping[str, Any], cancelled: Cancellation, deadline: Deadline) -> Iterator[Chunk]:
        left = deadline.remaining()
        if left <= 0:
            raise NothingTaken(TOO_SLOW)
        session = requests.Session()
        # Nothing comes from the environment, a .netrc included.
        session.trust_env = False
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "text/event-stream"}
        timeout = (min(CONNECT_SECONDS, left), min(SILENCE_SECONDS, left))
        with closing(session), ExitStack() as wakers:
            adapter = InterruptibleAdapter(lambda cut: wakers.enter_context(cancelled.waking(cut)))
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            try:
                response = session.post(
                    self._url, json=body, headers=headers, timeout=timeout, stream=True, allow_redirects=False
                )
            except requests.RequestException as error:
                # Who lets us wait for an answer has the question.
                was_taken_up = isinstance(error, requests.ReadTimeout)
                raise _RetriableError(UNREACHABLE, was_taken_up=was_taken_up) from error
            with closing(response):
                _check_status(response)
                yield from _chunks(response, cancelled, deadline)


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in RETRIED or status >= 500:
        default = FIRST_PAUSE_SECONDS if status != 429 else 2.0
        message = BUSY if status == 429 else UNREACHABLE
        raise _RetriableError(message, retry_after_seconds(response, default), was_taken_up=False)
    logger.error("model refused", extra={"status": status})
    raise NothingTaken(REFUSED)


def _chunks(response: requests.Response, cancelled: Cancellation, deadline: Deadline) -> Iterator[Chunk]:
    """Every `data:` line as JSON, up to `[DONE]`."""
    is_done = False
    for line in _lines(response, cancelled, deadline):
        if cancelled.is_set():
            return
        if not line.startswith(b"data:"):
            continue
        payload = line[5:].strip()
        if payload == b"[DONE]":
            is_done = True
            break
        try:
            chunk = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise _RetriableError(CUT_OFF) from error
        if not isinstance(chunk, dict) or chunk.get("error"):
            raise _RetriableError(UNREACHABLE)
        yield chunk
        is_done = is_done or any(choice.get("finish_reason") for choice in chunk.get("choices") or [])
    if not is_done and not cancelled.is_set():
        raise _RetriableError(CUT_OFF)


def _lines(response: requests.Response, cancelled: Cancellation, deadline: Deadline) -> Iterator[bytes]:
    pending = b""
    try:
        while piece := response.raw.read1(READ_SIZE, decode_content=True):
            *lines, pending = (pending + piece).split(b"\n")
            yield from lines
            if deadline.expired:
                raise AnswerFailed(TOO_SLOW)
            if len(pending) > LONGEST_LINE:
                raise _RetriableError(UNREACHABLE)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if cancelled.is_set():
            return
        raise _RetriableError(UNREACHABLE) from error
    if pending:
        yield pending
