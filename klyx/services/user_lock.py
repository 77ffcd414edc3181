"""One writer at a time per user, for rules that look at several of a user's rows."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import User
from klyx.errors import Unauthorized


def lock_user(session: Session, user_id: str) -> None:
    """Wait until no other transaction holds this user's lock; it is held until the end of this one.

    Raises Unauthorized when the account is gone. On SQLite every writing transaction is alone anyway.
    """
    # "No key" leaves foreign key checks of other tables, such as a login's, free to go on.
    statement = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    if session.scalar(statement) is None:
        raise Unauthorized("This account does not exist any more. Please register again.")
