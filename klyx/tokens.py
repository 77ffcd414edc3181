"""Issuing the pair of tokens a client holds. The family id ties them together, so that both can be ended at once."""

from __future__ import annotations

import uuid

from flask_jwt_extended import create_access_token, create_refresh_token, get_jti
from sqlalchemy.orm import Session

from klyx.services import auth
from klyx.services.auth import Account
from klyx.web import runtime


def issue_tokens(session: Session, account: Account, family_id: str | None = None) -> dict[str, str]:
    """`{access_token, refresh_token}`; a new family unless the refresh continues one."""
    family_id = family_id or str(uuid.uuid4())
    claims = {"email": account.email, "name": account.name, "family": family_id}
    access_token = create_access_token(identity=account.id, additional_claims=claims)
    refresh_token = create_refresh_token(identity=account.id, additional_claims={"family": family_id})
    ttl_seconds = runtime().settings.refresh_token_ttl_seconds
    auth.remember_refresh_token(session, account.id, str(get_jti(refresh_token)), family_id, ttl_seconds)
    return {"access_token": access_token, "refresh_token": refresh_token}
