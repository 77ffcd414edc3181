"""What is said when a question is not clear, or only a part of it was understood."""

from __future__ import annotations

from collections.abc import Sequence

from klyx.services.chat.builtin.names import UnclearName
from klyx.services.chat.resolve import MOST_CANDIDATES

HELP = (
    "I answer from Klyx's own figures about companies listed on the NSE. Ask me for example:\n\n"
    "* Price of Reliance?\n"
    "* Compare TCS and Infy\n"
    "* Analyze HDFC Bank fundamentals\n"
    "* Is Zomato in an uptrend?\n"
    "* News about Tata Steel\n"
    "* Stocks with P/E under 15 and ROE over 20\n"
    "* Top gainers in IT\n"
    "* How is my portfolio doing?\n"
)


def not_understood(unclear: Sequence[UnclearName]) -> str:
    return "".join(map(_asked_back, unclear)) + HELP if unclear else f"I did not understand that. {HELP}"


def _asked_back(name: UnclearName) -> str:
    """What is unclear about a name, with what may be meant."""
    candidates = [f"* {company.stock_name} ({company.nse_code})\n" for company in name.candidates[:MOST_CANDIDATES]]
    if name.known:
        return f'Several companies are called "{name.name}". Which one do you mean?\n\n{"".join(candidates)}\n'
    unknown = f'I do not know "{name.name}"'
    if not candidates:
        return f"{unknown}. Please give a company's whole name or its NSE symbol.\n\n"
    return f"{unknown} among the listed companies. Perhaps you mean:\n\n{''.join(candidates)}\n"


def no_company() -> str:
    return f"Which company do you mean? Please ask again with its name or symbol.\n\n{HELP}"


NO_COMPANIES_IN_LISTS = (
    "I can list stocks by their figures and sectors, but not leave single companies out of a list or compare all "
    "stocks with one. Please ask for the list alone, for example: IT stocks with P/E under 25.\n"
)
WHOLE_PORTFOLIO = "I could not read that as a condition on your stocks, so here are all of them.\n\n"
LATEST_ONLY = "I can only show the latest figures, not those of another time.\n\n"


def left_out(names: Sequence[str]) -> str:
    return f"That is as many companies as fit into one answer; please ask again about {', '.join(names)}.\n\n"


def unread(words: str) -> str:
    return f'I could not use this part of the question: "{words}".\n\n'
