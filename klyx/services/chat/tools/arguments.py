"""Reading what a model wrote as arguments: whatever it is, either a usable value or a sentence comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from klyx.errors import Invalid, NotFound
from klyx.services.chat.resolve import find_company, search_companies
from klyx.services.stocks import StockReference

MAX_TEXT_CHARACTERS = 100


def text_argument(arguments: Mapping[str, Any], *names: str) -> str:
    """The first of these arguments that is a text. Raises Invalid when none is."""
    for name in names:
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:MAX_TEXT_CHARACTERS]
    raise Invalid(f"The argument {names[0]!r} is missing; give it as a text.")


def choice_argument(arguments: Mapping[str, Any], name: str, choices: Sequence[str], default: str) -> str:
    """One of `choices`, in any letter case. Raises Invalid for something else."""
    value = arguments.get(name)
    if value is None or value == "":
        return default
    chosen = str(value).strip().lower()
    if chosen not in choices:
        raise Invalid(f"The argument {name!r} must be one of: {', '.join(choices)}.")
    return chosen


def company_argument(session: Session, arguments: Mapping[str, Any], *names: str) -> StockReference:
    """The listed company that is meant. Raises NotFound, with what else may be meant."""
    text = text_argument(arguments, *names)
    company = find_company(session, text)
    if company is not None and company.nse_code:
        return company
    similar = [f"{other.stock_name} ({other.nse_code})" for other in search_companies(session, text) if other.nse_code]
    hint = f" Perhaps one of these is meant: {'; '.join(similar)}." if similar else " Search for the company's name."
    raise NotFound(f"No listed company is clearly meant by {text!r}.{hint}")
