"""`/api/v1/...` is `/api/...`: one route table, two spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VERSION_PREFIX = "/api/v1"


class VersionPrefix:
    """WSGI middleware that removes the version from the path before routing sees it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == VERSION_PREFIX or path.startswith(VERSION_PREFIX + "/"):
            environ["PATH_INFO"] = "/api" + path[len(VERSION_PREFIX) :]
        return self.app(environ, start_response)
