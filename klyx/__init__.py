"""Klyx: the backend application. `create_app()` builds it; importing this package does nothing."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_jwt_extended import JWTManager

from klyx.config import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application for `settings` (default: from the environment). Raises ConfigurationError."""
    from klyx.blueprints import register_blueprints
    from klyx.caching.setup import init_caching
    from klyx.cli import register_commands
    from klyx.error_handling import register_error_handlers
    from klyx.json_provider import KlyxJSONProvider
    from klyx.logs import configure_logging
    from klyx.openapi import make_api, refuse_nul_in_url
    from klyx.rate_limits import init_rate_limits
    from klyx.request_log import init_request_log
    from klyx.runtime import build_runtime
    from klyx.security import init_security
    from klyx.versioning import VersionPrefix
    from klyx.web import EXTENSION_KEY

    settings = settings or load_settings()
    configure_logging(settings.log_level)
    app = Flask("klyx", static_folder=None)
    app.json = KlyxJSONProvider(app)
    app.url_map.merge_slashes = False  # werkzeug would answer a doubled slash with a redirect in HTML
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_request_bytes,
        PROPAGATE_EXCEPTIONS=False,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_COOKIE_CSRF_PROTECT=False,
        JWT_SECRET_KEY=settings.jwt_secret_key,
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=settings.access_token_ttl_seconds),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=settings.refresh_token_ttl_seconds),
    )
    app.extensions[EXTENSION_KEY] = build_runtime(settings)
    JWTManager(app)
    request_log = init_request_log(app)
    app.before_request(refuse_nul_in_url)
    api = make_api(app)
    register_blueprints(app, api)
    register_error_handlers(app)
    flood_guard = init_rate_limits(app, settings)
    init_caching(app, flood_guard, request_log)
    init_security(app, settings)
    register_commands(app)
    app.wsgi_app = VersionPrefix(app.wsgi_app)  # type: ignore[method-assign]
    return app
