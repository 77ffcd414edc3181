"""Security headers, CORS, the refusal of other sites' posts, and the trusted proxies."""

from __future__ import annotations

import re
from functools import partial, wraps
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

from klyx.config import Settings
from klyx.errors import Forbidden

API_POLICY = {"default-src": "'none'", "frame-ancestors": "'none'"}
# The pages for people need their own styles; the documentation also runs an inline script.
PAGE_POLICY = {**API_POLICY, "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:"}
DOCS_POLICY = {
    **PAGE_POLICY,
    "script-src": "'self' 'unsafe-inline'",
    "connect-src": "'self'",
    "font-src": "'self' data:",
}
PAGE_POLICIES = {
    "home.home": PAGE_POLICY,
    "worker.list_runs": PAGE_POLICY,
    "api-docs.openapi_swagger_ui": DOCS_POLICY,
    "docs_asset": DOCS_POLICY,
}
# A load balancer on the same machine asks over plain HTTP.
HEALTH_ENDPOINTS = ("health.health", "health.api_health")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OTHER_SITE = "This was sent from another website. Please open Klyx itself and try again there."


def init_security(app: Flask, settings: Settings) -> None:
    """Attach headers, CORS and ProxyFix; call after every blueprint is registered."""
    if settings.trusted_proxy_count:
        count = settings.trusted_proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    talisman = Talisman(
        app,
        force_https=settings.is_production and settings.force_https,
        strict_transport_security=settings.is_production,
        strict_transport_security_max_age=31_536_000,
        strict_transport_security_include_subdomains=True,
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        x_xss_protection=True,
        content_security_policy=API_POLICY,
        session_cookie_secure=settings.is_production,
    )
    for endpoint, policy in PAGE_POLICIES.items():
        _set_options(app, talisman, endpoint, content_security_policy=policy)
    for endpoint in HEALTH_ENDPOINTS:
        _set_options(app, talisman, endpoint, force_https=False)
    allowed_origin = _allowed_origin(settings)
    app.before_request(partial(_refuse_posts_of_other_sites, allowed_origin))
    CORS(
        app,
        resources={r"/(api/.*|health)": {"origins": [allowed_origin]}},
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "X-Request-ID", "Last-Event-ID"],
        expose_headers=["X-Request-ID", "Retry-After", "ETag"],
        always_send=False,
        max_age=600,
        # It would be on answers to the origins above only, and a shared cache needs it on all others too.
        vary_header=False,
    )
    app.after_request(_tell_caches)


def _allowed_origin(settings: Settings) -> re.Pattern[str]:
    """What the origins that may call us match, whole."""
    origins = [re.escape(origin) for origin in settings.cors_origins]
    if settings.cors_preview_origin_pattern:
        origins.append(f"(?:{settings.cors_preview_origin_pattern})")
    return re.compile(rf"\A(?:{'|'.join(origins)})\Z", re.IGNORECASE)


def _refuse_posts_of_other_sites(allowed_origin: re.Pattern[str]) -> None:
    """Raises Forbidden for a form of another site: it needs no preflight, and its answer may set our cookie.

    The Origin alone tells nothing: the frontends' rewrites forward that of any host they are served from.
    """
    if request.method in SAFE_METHODS or not request.path.startswith("/api/"):
        return
    is_cross_site = request.headers.get("Sec-Fetch-Site", "").strip().lower() == "cross-site"
    if is_cross_site and not allowed_origin.match(request.headers.get("Origin", "null")):
        raise Forbidden(OTHER_SITE)


def _tell_caches(response: Response) -> Response:
    if request.path.startswith("/api/"):
        response.vary.add("Origin")
        # Whatever does not say that it may be kept may belong to one person.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _set_options(app: Flask, talisman: Talisman, endpoint: str, **options: Any) -> None:
    """Talisman keeps its options on the function object, which bound methods refuse: hence the wrapper."""
    view = app.view_functions[endpoint]

    @wraps(view)
    def with_options(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        return app.ensure_sync(view)(*args, **kwargs)  # type: ignore[no-any-return]

    app.view_functions[endpoint] = talisman(**options)(with_options)
