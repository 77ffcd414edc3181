"""Accounts and tokens: registration, passwords, refresh rotation with reuse detection, persistent revocation."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

import bcrypt
from sqlalchemy import CursorResult, bindparam, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import RefreshToken, RevokedToken, User
from klyx.database.upsert import insert_if_absent
from klyx.errors import Conflict, Unauthorized

BAD_CREDENTIALS = "The e-mail address or the password is not right."
SIGN_IN_AGAIN = "Your session has ended. Please sign in again."
# Made once, because it is part of every request of somebody who is signed in.
_IS_REVOKED = select(
    exists().where(RevokedToken.jti == bindparam("jti"))
    | exists().where(RefreshToken.family_id == bindparam("family"), RefreshToken.revoked_at.is_not(None))
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user as clients see one."""

    id: str
    email: str
    name: str
    created_at: datetime | None


def _account(user: User) -> Account:
    return Account(user.id, user.email, user.name, user.created_at)


def digest(token: str) -> str:
    """What is stored of a secret token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str, rounds: int) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


@lru_cache(maxsize=4)
def _nobodys_hash(rounds: int) -> str:
    """Checked when there is no such account, so that the answer takes as long as for a known one."""
    return hash_password(uuid.uuid4().hex, rounds)


def register(session: Session, email: str, name: str, password_hash: str) -> Account:
    """A new account. Raises Conflict when the e-mail address is taken."""
    user = User(id=str(uuid.uuid4()), email=email, name=name, password_hash=password_hash)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("An account with this e-mail address exists already. Please sign in instead.") from error
    session.refresh(user)
    return _account(user)


def authenticate(database: Database, email: str, password: str, bcrypt_rounds: int) -> Account:
    """The account behind the credentials. Raises Unauthorized, after the same work for known and unknown accounts."""
    with database.read() as session:
        user = session.scalar(select(User).where(User.email == email))
        account = _account(user) if user else None
        stored = user.password_hash if user else _nobodys_hash(bcrypt_rounds)
    # Longer passwords cannot have been registered; bcrypt raises on them, so compare their start and refuse.
    encoded = password.encode()
    matches = bcrypt.checkpw(encoded[:72], stored.encode()) and len(encoded) <= 72
    if account is None or not matches:
        raise Unauthorized(BAD_CREDENTIALS)
    return account


def find_account(session: Session, user_id: str) -> Account | None:
    user = session.get(User, user_id)
    return _account(user) if user else None


def check_token(session: Session, jti: str, family_id: str) -> None:
    """Raises Unauthorized when the token, or the family of refresh tokens it came with, has been revoked."""
    if session.scalar(_IS_REVOKED, {"jti": jti, "family": family_id}):
        raise Unauthorized(SIGN_IN_AGAIN)


def remember_refresh_token(session: Session, user_id: str, jti: str, family_id: str, ttl_seconds: int) -> None:
    now = datetime.now(UTC)
    session.add(
        RefreshToken(
            jti=jti,
            family_id=family_id,
            user_id=user_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
    )


def use_refresh_token(session: Session, jti: str, family_id: str) -> bool:
    """Spend a refresh token. False for one that was spent before: that ends its whole family, and must be committed."""
    spent = cast(
        CursorResult[None],
        session.execute(
            update(RefreshToken)
            .where(RefreshToken.jti == jti, RefreshToken.used_at.is_(None), RefreshToken.revoked_at.is_(None))
            .values(used_at=datetime.now(UTC))
        ),
    )
    if spent.rowcount == 1:
        return True
    end_family(session, family_id)
    return False


def end_family(session: Session, family_id: str) -> None:
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )


def log_out(session: Session, jti: str, family_id: str, expires_at: datetime) -> None:
    """Revoke the access token until it expires, and the refresh tokens issued with it."""
    insert_if_absent(session, RevokedToken, [{"jti": jti, "expires_at": expires_at}])
    end_family(session, family_id)


def forget_expired_tokens(session: Session, now: datetime) -> int:
    """Delete records of tokens that are no longer valid anyway; returns how many."""
    deleted = 0
    for model in (RevokedToken, RefreshToken):
        result = cast(CursorResult[None], session.execute(delete(model).where(model.expires_at < now)))
        deleted += result.rowcount
    return deleted
