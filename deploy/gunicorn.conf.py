"""gunicorn, in production and under `make run`. Read before a port opens: a wrong setting ends it here."""

import ctypes
import gc
import sys
from contextlib import suppress

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from klyx.config import ConfigurationError, load_settings
from klyx.logs import configure_logging
from klyx.open_connections import OpenConnections
from klyx.priority import give_way

# Less than the workers' 10: somebody waits for these answers.
CHAT_NICENESS = 8


class StructuredLogger(Logger):
    """gunicorn's own lines, in the format of the application's."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


try:
    settings = load_settings()
except ConfigurationError as error:
    sys.exit(f"klyx: {error}")
configure_logging(settings.log_level)

# glibc gives every thread a heap of its own, and keeps ever larger blocks in them once such a block was freed; so a
# process with 32 threads grew by half. Two heaps, and large blocks straight from and to the system.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
with suppress(OSError, AttributeError):
    libc = ctypes.CDLL(None)
    libc.mallopt(M_ARENA_MAX, 2)
    libc.mallopt(M_MMAP_THRESHOLD, 128 * 1024)

# Streamed answers have a server of their own, so that however many are open, short requests find a thread. It is
# one process: the bounds on streams, in all and per user, are counted there.
bind = list(settings.chat_binds if settings.serves_chat else settings.http_binds)
workers = 1 if settings.serves_chat else settings.web_workers
worker_class = "klyx.gunicorn_worker.EnvelopeWorker"
threads = settings.chat_threads if settings.serves_chat else settings.web_threads
# A full worker stops accepting, so that another one does; the few above `threads` are idle connections.
worker_connections = threads + 8
# The most it knows: a screen's conditions or many names can stand in an address.
limit_request_line = 8190
# How long open requests and streams may go on after a stop or reload. `timeout` never ends a gthread request.
graceful_timeout = 30
logger_class = StructuredLogger
loglevel = settings.log_level.lower()
control_socket_disable = True
# Nothing is believed about the client here: ProxyFix does that, for TRUSTED_PROXY_COUNT proxies.
forwarded_allow_ips = ""
open_connections = OpenConnections()


def on_starting(_server: Arbiter) -> None:
    """Where both servers share a machine, short requests go before answers that take a minute anyway."""
    if settings.serves_chat:
        give_way(CHAT_NICENESS)


def pre_fork(server: Arbiter, worker: Worker) -> None:
    if server.num_workers > 1:
        worker.place = open_connections.take_place()


def child_exit(_server: Arbiter, worker: Worker) -> None:
    # Of those that an earlier reading of this file has started, too.
    if worker.place is not None:
        worker.place.give_back()


def post_worker_init(_worker: Worker) -> None:
    """Once the application is loaded: its half million objects stay for good, so no collection need look at them."""
    gc.collect()
    gc.freeze()
