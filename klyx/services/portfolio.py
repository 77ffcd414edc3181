"""A user's portfolio: names of stocks, kept byte for byte, because clients compare them with each row's name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from klyx.database.models import PortfolioEntry
from klyx.database.upsert import insert_if_absent
from klyx.database.versions import mark_changed, portfolio_of
from klyx.errors import Invalid, NotFound, Unauthorized
from klyx.services.stocks import MAX_BATCH_NAMES, MAX_NAME_CHARACTERS
from klyx.services.user_lock import lock_user

# A client shows a portfolio with one batch request, and nothing at all when that is refused.
MAX_HOLDINGS = MAX_BATCH_NAMES
_UNSTORABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def name_problem(stock_name: str) -> str | None:
    """What is wrong with a name for a portfolio, in words for a person, or None. It is never changed to fit."""
    if not stock_name.strip():
        return "Please give the name of a stock."
    if len(stock_name) > MAX_NAME_CHARACTERS:
        return f"Please give a stock name of at most {MAX_NAME_CHARACTERS} characters."
    if any(c in "<>" or unicodedata.category(c) in _UNSTORABLE for c in stock_name):
        return "Please give the stock name without line breaks, control characters, < and >."
    return None


def stock_names(session: Session, user_id: str) -> list[str]:
    """The names in the user's portfolio, oldest first."""
    entries = select(PortfolioEntry.stock_name).where(PortfolioEntry.user_id == user_id)
    return list(session.scalars(entries.order_by(PortfolioEntry.added_at, PortfolioEntry.id)))


def add(session: Session, user_id: str, stock_name: str) -> bool:
    """Add a stock; False when it was there already. Raises Invalid for a bad name and for a full portfolio."""
    if problem := name_problem(stock_name):
        raise Invalid(problem)
    lock_user(session, user_id)
    held = stock_names(session, user_id)
    if stock_name in held:
        return False
    if len(held) >= MAX_HOLDINGS:
        raise Invalid(f"A portfolio holds {MAX_HOLDINGS} stocks. Please remove one before you add another.")
    mark_changed(session, portfolio_of(user_id))
    return insert_if_absent(session, PortfolioEntry, [{"user_id": user_id, "stock_name": stock_name}]) == 1


def add_many(session: Session, user_id: str, names: Sequence[str]) -> int:
    """Add stocks in their order; returns how many are new.

    Names with a `name_problem`, and those beyond MAX_HOLDINGS, are left out.
    """
    lock_user(session, user_id)
    held = set(stock_names(session, user_id))
    new = [name for name in dict.fromkeys(names) if name not in held and name_problem(name) is None]
    rows = [{"user_id": user_id, "stock_name": name} for name in new[: max(0, MAX_HOLDINGS - len(held))]]
    mark_changed(session, portfolio_of(user_id))
    return insert_if_absent(session, PortfolioEntry, rows)


def rename_holdings(session: Session, old: str, new: str) -> int:
    """Who holds a stock by its old name holds it by the new one, at its place and once; how many users that were."""
    entries = select(PortfolioEntry).where(PortfolioEntry.stock_name == old)
    users = sorted(entry.user_id for entry in session.scalars(entries))
    for user_id in users:
        with suppress(Unauthorized):
            lock_user(session, user_id)
        of_user = PortfolioEntry.user_id == user_id
        if new in stock_names(session, user_id):
            session.execute(delete(PortfolioEntry).where(of_user, PortfolioEntry.stock_name == old))
        else:
            renaming = update(PortfolioEntry).where(of_user, PortfolioEntry.stock_name == old)
            session.execute(renaming.values(stock_name=new).execution_options(synchronize_session=False))
        mark_changed(session, portfolio_of(user_id))
    return len(users)


def remove(session: Session, user_id: str, stock_name: str) -> None:
    """Raises NotFound when the stock is not in the user's portfolio."""
    entry = delete(PortfolioEntry).where(
        PortfolioEntry.user_id == user_id, PortfolioEntry.stock_name == stock_name
    )
    mark_changed(session, portfolio_of(user_id))
    if cast(CursorResult[None], session.execute(entry)).rowcount == 0:
        raise NotFound("This stock is not in your portfolio. Please reload the page to see what is.")


def clear(session: Session, user_id: str) -> int:
    """Empty the user's portfolio; returns how many stocks it had."""
    mark_changed(session, portfolio_of(user_id))
    entries = delete(PortfolioEntry).where(PortfolioEntry.user_id == user_id)
    return cast(CursorResult[None], session.execute(entries)).rowcount


def repair(session: Session, user_id: str) -> int:
    """Drop the user's empty and repeated entries, keeping the oldest; returns how many. Touches nobody else."""
    lock_user(session, user_id)
    entries = session.execute(
        select(PortfolioEntry.id, PortfolioEntry.stock_name)
        .where(PortfolioEntry.user_id == user_id)
        .order_by(PortfolioEntry.added_at, PortfolioEntry.id)
    )
    seen: set[str] = set()
    broken: list[int] = []
    for entry_id, name in entries:
        if not name.strip() or name in seen:
            broken.append(entry_id)
        seen.add(name)
    mark_changed(session, portfolio_of(user_id))
    session.execute(delete(PortfolioEntry).where(PortfolioEntry.id.in_(broken)))
    return len(broken)
