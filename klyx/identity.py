"""Who is calling: bearer tokens as the clients really send them (`Bearer null` is nobody), and the workspace cookie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g, request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from itsdangerous import BadSignature, URLSafeSerializer
from jwt.exceptions import PyJWTError

from klyx.addresses import key_of_address
from klyx.errors import Unauthorized
from klyx.services import auth
from klyx.web import runtime

P = ParamSpec("P")
R = TypeVar("R")

SIGN_IN = "Please sign in to continue."
SIGN_IN_AGAIN = "Your session has ended. Please sign in again."
WORKSPACE_COOKIE = "klyx_workspace"


@dataclass(frozen=True, slots=True)
class Identity:
    """The user a verified token belongs to. `token` is (jti, family id, expiry as epoch seconds)."""

    user_id: str
    jti: str
    family_id: str
    expires_at: int


def bearer_token() -> str | None:
    """The bearer token of the request; a missing, empty, `null` or `undefined` one counts as none."""
    # Other schemes are not for us: where a site asks for a password itself, browsers add it to every call.
    scheme, _, token = request.headers.get("Authorization", "").replace("\t", " ").strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.lower() not in ("", "null", "undefined") else None


def optional_identity(*, refresh: bool = False) -> Identity | None:
    """The caller, or None when anonymous. Raises Unauthorized for a token that is present but not valid."""
    if bearer_token() is None:
        return None
    if "identity" not in g:
        identity = _verified(refresh=refresh)
        with runtime().database.read() as session:
            auth.check_token(session, identity.jti, identity.family_id)
        g.identity = identity
    return g.identity  # type: ignore[no-any-return]


def expired_identity() -> Identity | None:
    """Whom an access token that has run out belonged to, for signing out only; None for any other token."""
    token = bearer_token()
    if token is None or _claims() is not None:
        return None
    try:
        return _identity(_decoded(token, allow_expired=True), refresh=False)
    except Unauthorized:
        return None


def _verified(*, refresh: bool) -> Identity:
    return _identity(_claims(), refresh=refresh)


def _identity(claims: dict[str, Any] | None, *, refresh: bool) -> Identity:
    if claims is None or claims["type"] != ("refresh" if refresh else "access"):
        raise Unauthorized(SIGN_IN_AGAIN)
    try:
        return Identity(str(claims["sub"]), str(claims["jti"]), str(claims["family"]), int(claims["exp"]))
    except (KeyError, ValueError) as error:
        raise Unauthorized(SIGN_IN_AGAIN) from error


def _claims() -> dict[str, Any] | None:
    """What the token says, looked at once a request; None without one that we signed and that is still valid."""
    if "claims" not in g:
        token = bearer_token()
        g.claims = _decoded(token) if token else None
    return g.claims  # type: ignore[no-any-return]


def _decoded(token: str, *, allow_expired: bool = False) -> dict[str, Any] | None:
    try:
        return dict(decode_token(token, allow_expired=allow_expired))
    except (JWTExtendedException, PyJWTError, KeyError, ValueError):
        return None


def require_identity(*, refresh: bool = False) -> Identity:
    identity = optional_identity(refresh=refresh)
    if identity is None:
        raise Unauthorized(SIGN_IN)
    return identity


def user_required(view: Callable[P, R]) -> Callable[P, R]:
    """The view runs for a signed-in user only; it finds the id with `current_user_id()`."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        require_identity()
        return view(*args, **kwargs)

    documentation: dict[str, Any] = dict(getattr(view, "_apidoc", {}))
    documentation["manual_doc"] = {**documentation.get("manual_doc", {}), "security": [{"bearer": []}]}
    setattr(checked, "_apidoc", documentation)  # noqa: B010 (flask-smorest looks for this attribute)
    return checked


def current_user_id() -> str:
    return require_identity().user_id


def workspace_token() -> str | None:
    """The session token inside the workspace cookie, when the cookie is one of ours."""
    raw = request.cookies.get(WORKSPACE_COOKIE)
    if not raw:
        return None
    try:
        token = cookie_signer().loads(raw)
    except BadSignature:
        return None
    return token if isinstance(token, str) else None


def cookie_signer() -> URLSafeSerializer:
    return URLSafeSerializer(runtime().settings.jwt_secret_key, salt="workspace-cookie")


def rate_limit_key() -> str:
    """The user or session when known, else the address: many users share one address behind the frontends' proxy.

    Both are signed by us, so a caller cannot widen a limit by inventing them.
    """
    if bearer_token() is not None:
        claims = _claims()
        return f"user:{claims['sub']}" if claims else address_key()
    token = workspace_token()
    return f"session:{auth.digest(token)}" if token else address_key()


def address_key() -> str:
    return key_of_address(request.remote_addr)
