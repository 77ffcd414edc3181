"""Does the web application answer?"""

from __future__ import annotations

import http.client

from klyx.stack.ports import split_bind

TIMEOUT_SECONDS = 2.0


def is_healthy(bind: str) -> bool:
    """Whether /api/health answers 200 on `bind`. Never asks through a proxy that the environment names."""
    host, port = split_bind(bind)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
