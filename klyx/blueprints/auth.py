"""`/api/auth/...`: register, log in, log out, own account, refresh."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from klyx.errors import KlyxError, NotFound, Unauthorized
from klyx.identity import SIGN_IN_AGAIN, bearer_token, expired_identity, require_identity
from klyx.openapi import Blueprint
from klyx.schemas.auth import LoginSchema, OwnAccountAnswer, RegisterSchema, SessionAnswer, TokensAnswer
from klyx.schemas.envelope import MessageSchema, success
from klyx.services import auth
from klyx.services.auth import Account
from klyx.tokens import issue_tokens
from klyx.web import runtime
from klyx.workspace_access import (
    bind_cookie_to_user,
    close_cookie_session,
    cookie_is_bound,
    delete_cookie,
    drop_cookie_of_user,
)

logger = logging.getLogger(__name__)

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth", description="Accounts and tokens")


@blueprint.post("/register")
@blueprint.arguments(RegisterSchema)
@blueprint.response(201, SessionAnswer)
@blueprint.alt_response(409, description="The e-mail address is taken")
def register(values: dict[str, str]) -> Mapping[str, Any]:
    # Before the transaction, as it takes a quarter of a second, and whether the address is taken or not.
    password_hash = auth.hash_password(values["password"], runtime().settings.bcrypt_rounds)
    with runtime().database.begin() as session:
        account = auth.register(session, values["email"], values["name"], password_hash)
        return _signed_in(session, account, "Welcome to Klyx. Your account is ready.")


@blueprint.post("/login")
@blueprint.arguments(LoginSchema)
@blueprint.response(200, SessionAnswer)
def login(values: dict[str, str]) -> Mapping[str, Any]:
    account = auth.authenticate(runtime().database, **values, bcrypt_rounds=runtime().settings.bcrypt_rounds)
    with runtime().database.begin() as session:
        return _signed_in(session, account, "You are signed in.")


def _signed_in(session: Session, account: Account, message: str) -> Mapping[str, Any]:
    tokens = issue_tokens(session, account)
    bind_cookie_to_user(session, account.id)
    return success({"user": account, **tokens}, message)


@blueprint.post("/logout")
@blueprint.doc(security=[{"bearer": []}])
@blueprint.response(200, MessageSchema)
def logout() -> Mapping[str, Any]:
    # Clients forget their token whatever the answer: the next person at this browser must find no workspace open.
    delete_cookie()
    try:
        identity = require_identity()
    except Unauthorized:
        expired = expired_identity()
        with runtime().database.begin() as session:
            if expired is not None:
                # The refresh token that came with it lives much longer.
                auth.end_family(session, expired.family_id)
            close_cookie_session(session)
        raise
    with runtime().database.begin() as session:
        expires_at = datetime.fromtimestamp(identity.expires_at, UTC)
        auth.log_out(session, identity.jti, identity.family_id, expires_at)
        close_cookie_session(session)
    return success(message="You are signed out.")


@blueprint.get("/me")
@blueprint.doc(security=[{"bearer": []}])
@blueprint.response(200, OwnAccountAnswer)
def me() -> Mapping[str, Any]:
    try:
        identity = require_identity()
    except Unauthorized:
        if bearer_token() is not None:
            with _best_effort():
                drop_cookie_of_user()
        raise
    with runtime().database.read() as session:
        account = auth.find_account(session, identity.user_id)
        bound = cookie_is_bound(session, identity.user_id)
    if account is None:
        raise NotFound("This account does not exist any more. Please register again.")
    if not bound:
        with _best_effort(), runtime().database.begin() as session:
            bind_cookie_to_user(session, account.id)
    return success({"user": account})


@contextmanager
def _best_effort() -> Iterator[None]:
    """Clients sign their user out on any other answer of `/me`, so its cookie may fail: the next call tries again."""
    try:
        yield
    except (KlyxError, SQLAlchemyError) as error:
        logger.warning("the workspace cookie could not be changed", exc_info=error)


@blueprint.post("/refresh")
@blueprint.doc(security=[{"bearer": []}])
@blueprint.response(200, TokensAnswer)
def refresh() -> Mapping[str, Any]:
    identity = require_identity(refresh=True)
    # One transaction: a token that was spent for nothing would be taken for a stolen one when it is tried again.
    with runtime().database.begin() as session:
        account = auth.find_account(session, identity.user_id)
        if account is None:
            raise NotFound("This account does not exist any more. Please register again.")
        accepted = auth.use_refresh_token(session, identity.jti, identity.family_id)
        tokens = issue_tokens(session, account, identity.family_id) if accepted else None
    if tokens is None:
        raise Unauthorized(SIGN_IN_AGAIN)
    return success(tokens)
