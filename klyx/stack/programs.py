"""The programs of the stack: how each is started."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from klyx.stack.program import Program
from klyx.stack.redis_server import RedisServer

# An open event stream must not hold up Ctrl-C for gunicorn's usual half minute.
WEB_GRACE_SECONDS = 3


def redis(server: RedisServer, environment: Mapping[str, str]) -> Program:
    return Program("Redis", server.command(), environment, stop_seconds=10.0, log=server.log)


def database_preparation(environment: Mapping[str, str]) -> Program:
    return Program("The preparation of the database", _python("klyx.stack.prepare_database"), environment)


def worker(environment: Mapping[str, str]) -> Program:
    """Serves every queue."""
    # Time for the job at hand to end; a longer one is taken up again by the next start.
    return Program("The worker", _python("jobs.worker"), environment, stop_seconds=10.0)


def interactive_worker(environment: Mapping[str, str]) -> Program:
    """Serves those who wait for an answer, however long a run of market data keeps the other worker."""
    command = (*_python("jobs.worker"), "--queues", "klyx")
    return Program("The interactive worker", command, environment, stop_seconds=10.0)


def scheduler(environment: Mapping[str, str]) -> Program:
    return Program("The scheduler", _python("jobs.scheduler"), environment)


def web(environment: Mapping[str, str]) -> Program:
    return _gunicorn("The web application", environment)


def chat(environment: Mapping[str, str]) -> Program:
    """The same application on ports and threads of its own, for streamed answers."""
    return _gunicorn("The server of the chat", {**environment, "HTTP_ROLE": "chat"})


def _gunicorn(title: str, environment: Mapping[str, str]) -> Program:
    options = ("--config", "deploy/gunicorn.conf.py", "--graceful-timeout", str(WEB_GRACE_SECONDS))
    command = (*_python("gunicorn"), *options, "wsgi:app")
    return Program(title, command, environment, stop_seconds=WEB_GRACE_SECONDS + 2.0)


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)
