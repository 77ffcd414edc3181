"""What no application here can beat: bare Flask views that return bytes made beforehand.

`gunicorn 'bench.ceiling:create_app("folder")'` serves each `<name>.body` of the folder at `/<name>`, with the
Content-Type in `<name>.type`, and nothing else: no limits, no headers of ours, no log line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from flask import Flask, Response


def create_app(folder: str) -> Flask:
    app = Flask("ceiling", static_folder=None)
    for body in Path(folder).glob("*.body"):
        view: Callable[[], Response] = partial(_answer, body.read_bytes(), body.with_suffix(".type").read_text())
        app.add_url_rule(f"/{body.stem}", body.stem, view)
    return app


def write_answers(folder: Path, answers: Mapping[str, tuple[bytes, str]]) -> None:
    """Put bodies and content types by name where `create_app` finds them."""
    for name, (body, content_type) in answers.items():
        (folder / f"{name}.body").write_bytes(body)
        (folder / f"{name}.type").write_text(content_type)


def _answer(body: bytes, content_type: str) -> Response:
    return Response(body, content_type=content_type)
