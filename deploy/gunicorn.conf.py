"""gunicorn, in production and under `make run`. Read before a port opens: a wrong setting ends it here."""

import sys

from klyx.config import ConfigurationError, load_settings

try:
    settings = load_settings()
except ConfigurationError as error:
    sys.exit(f"klyx: {error}")

bind = list(settings.http_binds)
workers = settings.web_workers
worker_class = "gthread"
threads = settings.web_threads
# A full worker stops accepting, so that another one does; the few above `threads` are idle connections.
worker_connections = settings.web_threads + 8
# Ends streams that are still open; `timeout` watches only the worker's main loop, never a request.
graceful_timeout = 30
loglevel = settings.log_level.lower()
control_socket_disable = True
# Nothing is believed about the client here: ProxyFix does that, for TRUSTED_PROXY_COUNT proxies.
forwarded_allow_ips = ""
