"""Attach the cache of ready answers to the application."""

from __future__ import annotations

from flask import Flask

from klyx.caching.answers import EXTENSION_KEY, Answers
from klyx.caching.flights import Flights
from klyx.caching.ready import ReadyAnswers
from klyx.caching.store import Store
from klyx.flood_guard import FloodGuard
from klyx.request_log import RequestLog
from klyx.runtime import Runtime
from klyx.web import EXTENSION_KEY as RUNTIME_KEY


def init_caching(app: Flask, guard: FloodGuard, log: RequestLog) -> None:
    """Call after the blueprints and before whatever wraps the application further."""
    runtime: Runtime = app.extensions[RUNTIME_KEY]
    settings, gate = runtime.settings, runtime.redis_gate
    answers = Answers(
        versions=runtime.versions,
        store=Store(app, settings, gate),
        flights=Flights(None if settings.cache_url is None else runtime.redis, gate),
        enabled=settings.answer_cache_enabled,
    )
    app.extensions[EXTENSION_KEY] = answers
    if answers.enabled:
        app.wsgi_app = ReadyAnswers(app.wsgi_app, answers, guard, log)  # type: ignore[method-assign]
