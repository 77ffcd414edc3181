"""flask-smorest fitted to the contract: lenient request bodies, our error envelope, the offline documentation page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_smorest
import flask_swagger_ui
import orjson
from flask import Flask, Request, Response, current_app, g, request, send_from_directory
from marshmallow import EXCLUDE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from klyx.error_handling import handle_http_exception
from klyx.errors import Invalid, TooLarge
from klyx.schemas.envelope import ErrorSchema

DOCS_PATH = "/api/docs"
ASSETS_PATH = "/api/docs/assets/"
ASSETS_FOLDER = Path(flask_swagger_ui.__file__).parent / "dist"
# A parsed body takes up to forty times its size.
MAX_JSON_BYTES = 1024 * 1024
# A browser hands over at once all that its storage held, some 5 MB, and keeps no part of it; only users may.
MAX_JSON_BYTES_OF = {"debt_optimizer.migrate": 5 * 1024 * 1024}
DESCRIPTION = (
    "Stocks, portfolios, spreadsheet analysis and debt planning for people in India. "
    "Every path below is also served under /api/v1/."
)


class LenientParser(FlaskParser):
    """Absent and empty bodies are `{}`, unknown fields are ignored, every wrong input is a 400."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = dict.fromkeys(
        ("json", "query", "form", "files", "headers", "cookies", "view_args", "path"), EXCLUDE
    )

    def _raw_load_json(self, req: Request) -> Any:
        return read_json_object(req)


def read_json_object(req: Request) -> dict[str, Any]:
    """The request's JSON object, `{}` without a body; parsed once a request.

    Raises Invalid, TooLarge, and UnsupportedMediaType for other content.
    """
    if "json_object" not in g:
        g.json_object = _parsed(req)
    return g.json_object  # type: ignore[no-any-return]


def _parsed(req: Request) -> dict[str, Any]:
    body = _bounded_body(req)
    if not body.strip():
        return {}
    if req.mimetype and req.mimetype != "text/plain" and not req.is_json:
        raise UnsupportedMediaType
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Invalid("The request body must be a JSON object.")
    if b"\\u0000" in body and _holds_nul(value):
        raise Invalid("The request must not contain NUL characters.")
    return value


def _bounded_body(req: Request) -> bytes:
    most = min(MAX_JSON_BYTES_OF.get(req.endpoint or "", MAX_JSON_BYTES), current_app.config["MAX_CONTENT_LENGTH"])
    if (req.content_length or 0) <= most:
        # A body that does not tell its length is cut here without a word, hence the one byte more.
        req.max_content_length = most + 1
        body = req.get_data(cache=True)
        if len(body) <= most:
            return body
    raise TooLarge(f"The request is larger than {most / 1024**2:.3g} MB. Please send less at once.")


def _holds_nul(value: Any) -> bool:
    # Not recursive: a body may be nested deeper than Python's functions may call each other.
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            if "\x00" in item:
                return True
        elif isinstance(item, dict):
            left.extend((*item.keys(), *item.values()))
        elif isinstance(item, list):
            left.extend(item)
    return False


def refuse_nul_in_url() -> None:
    """PostgreSQL text cannot hold NUL, so an address with one can only be a mistake or an attack."""
    if "\x00" in request.path or any("\x00" in value for _, value in request.args.items(multi=True)):
        raise Invalid("The address must not contain NUL characters.")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = LenientParser()

    def arguments(self, schema: Schema | type[Schema], **options: Any) -> Any:
        """As flask-smorest's, with one schema object for all requests: to make one takes longer than to use it."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)


class Api(flask_smorest.Api):  # type: ignore[misc]
    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        return handle_http_exception(error)


def make_api(app: Flask) -> Api:
    """Serves `/api/openapi.json` and, from files that come with a package, `/api/docs`."""
    app.config.update(
        API_TITLE="Klyx",
        API_VERSION="1.0.0",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        OPENAPI_SWAGGER_UI_PATH="docs",
        OPENAPI_SWAGGER_UI_URL=ASSETS_PATH,
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION},
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "worker_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "workspace": {"type": "apiKey", "in": "cookie", "name": "klyx_workspace"},
                }
            },
        },
    )
    api = Api(app)
    app.add_url_rule(ASSETS_PATH + "<path:name>", "docs_asset", lambda name: send_from_directory(ASSETS_FOLDER, name))
    return api
