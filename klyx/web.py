"""What views reach for: the runtime of the application that serves them."""

from __future__ import annotations

from typing import cast

from flask import current_app

from klyx.runtime import Runtime

EXTENSION_KEY = "klyx"


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions[EXTENSION_KEY])
