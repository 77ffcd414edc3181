"""What a question is about: one of a few intents, and the companies that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from klyx.services.chat.resolve import find_companies
from klyx.services.chat.understanding import understand
from klyx.services.stocks import StockReference, alias_code

MOST_WORDS_IN_A_NAME = 6
MOST_COMPANIES = 4


class Intent(StrEnum):
    PRICE = "price"
    COMPARE = "compare"
    FUNDAMENTALS = "fundamentals"
    TECHNICALS = "technicals"
    NEWS = "news"
    CHART = "chart"
    SCREEN = "screen"
    MOVERS = "movers"
    PORTFOLIO = "portfolio"
    DEBTS = "debts"
    HELP = "help"
    OVERVIEW = "overview"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Question:
    intent: Intent
    text: str
    companies: tuple[StockReference, ...] = ()


_WORDS_OF: Sequence[tuple[Intent, Sequence[str]]] = (
    (Intent.DEBTS, ["my (?:debts?|loans?|emis?)", "debt plan", "pay off"]),
    (Intent.PORTFOLIO, ["my (?:portfolio|holdings?|stocks?|shares?|investments?)", "portfolio"]),
    (
        Intent.MOVERS,
        [r"(?:top|biggest|best|worst) (?:\d+ )?(?:\w+ ){0,2}?(?:movers?|performers?)", "gainers?", "losers?"],
    ),
    (Intent.COMPARE, ["compare", "comparison", "versus", r"vs\.?", "better", "difference between"]),
    (Intent.NEWS, ["news", "headlines?", "happening", "sentiment"]),
    (
        Intent.TECHNICALS,
        [
            *("technicals?", "(?:up|down)?-?trend(?:ing)?", "rsi", "macd", "adx", "moving averages?", "[se]ma"),
            *("bullish", "bearish", "momentum", "support", "resistance", "overbought", "oversold"),
        ],
    ),
    (Intent.CHART, ["chart", "history", "graph", "past performance", "over the (?:last|past)"]),
    (
        Intent.FUNDAMENTALS,
        [
            *("fundamentals?", "valuation", "analy[sz]e", "analysis", "p/e", "pe", "ro[ae]", "roce", "financials?"),
            *("ratios?", "balance sheet", "profit", "margin", "debt", "dividend", "holding", "eps", "earnings"),
            *("revenue", "worth buying", "should i (?:buy|sell)", "(?:under|over|fairly )valued"),
        ],
    ),
    (
        Intent.PRICE,
        [
            *("price", "quote", "trading at", "how much (?:is|does)", "cost", "market cap", "worth", "ltp"),
            *("share value", "52[- ]week"),
        ],
    ),
    (
        Intent.HELP,
        ["help", "what can you do", "who are you", "hello", "hi", "hey", "namaste", "thanks?", "thank you"],
    ),
)
_PATTERNS = tuple((intent, re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")) for intent, words in _WORDS_OF)
_ABOUT_COMPANIES = frozenset(
    {Intent.PRICE, Intent.COMPARE, Intent.FUNDAMENTALS, Intent.TECHNICALS, Intent.NEWS, Intent.CHART, Intent.OVERVIEW}
)
# Words of questions; some are symbols or names of companies too, and are not meant as such in lower case.
_ORDINARY = frozenset(
    " ".join(
        [
            "a about above after all am an analyse analysis analyze and any are as at balance be bear",
            "bearish been before below best better between bull bullish buy by can chart cheap companies",
            "company compare comparison cost current day days debt did difference do does doing down eps few",
            "find for from fundamental fundamentals give good growth happening has have headlines help her",
            "hi high his history hold holding how i idea ideal if in infra into invest investment is it its",
            "last latent latest less list look low macd margin market me mean momentum month months more",
            "moving my news next now of on one open or our over past pe performance performing please power",
            "price profit quote ratio ratios recent return revenue roce roe rsi sector sell share shares",
            "should show sma some sound star stock stocks support technical technicals tell than thanks that",
            "the their them then there these they think this time to today top trade trading trend trending",
            "under up uptrend us valuation value versus vs was week what whats when where which who why will",
            "with worth would year years yes yet you your",
        ]
    ).split()
)
_TOKEN = re.compile(r"[\w&][\w&.'-]*")


def read_question(session: Session, text: str, earlier: Sequence[str] = ()) -> Question:
    """The question's intent and companies; a question that names none is about those of the last that did.

    `earlier`: the questions before it, oldest first.
    """
    plain = " ".join(text.lower().split())
    named = companies_in(session, text)
    intent = _intent_of(plain, named)
    if intent in _ABOUT_COMPANIES and not named and intent is not Intent.OVERVIEW:
        for question in reversed(earlier):
            if named := companies_in(session, question):
                break
    if intent is Intent.COMPARE and len(named) < 2:
        intent = Intent.FUNDAMENTALS if named else Intent.UNKNOWN
    if intent in _ABOUT_COMPANIES and not named:
        intent = Intent.UNKNOWN
    return Question(intent, text, tuple(named[:MOST_COMPANIES]))


def companies_in(session: Session, text: str) -> list[StockReference]:
    """The listed companies that a text names, in its order, each once."""
    tokens = [token.rstrip(".'-") for token in _TOKEN.findall(text)]
    spans = {
        (start, end): " ".join(tokens[start:end])
        for start in range(len(tokens))
        for end in range(start + 1, min(len(tokens), start + MOST_WORDS_IN_A_NAME) + 1)
        if not _is_ordinary(tokens[start:end])
    }
    found = _known(session, list(dict.fromkeys(spans.values())))
    chosen: dict[int, StockReference] = {}
    taken: set[int] = set()
    for (start, end), name in sorted(spans.items(), key=lambda item: (item[0][0] - item[0][1], item[0][0])):
        company = found.get(name)
        if company is not None and company.nse_code and not taken & set(range(start, end)):
            taken |= set(range(start, end))
            chosen[start] = company
    return list({company.id: company for _, company in sorted(chosen.items())}.values())


def _known(session: Session, names: list[str]) -> Mapping[str, StockReference]:
    exact = find_companies(session, names, search=False)
    # One more chance for the beginning of a name ("Adani Ports"), only for what stands for nothing yet.
    longer = [name for name in names if name not in exact and len(name) >= 4 and name[0].isupper()]
    return {**find_companies(session, longer), **exact} if longer else exact


def _is_ordinary(tokens: Sequence[str]) -> bool:
    """Whether these words are just words: in capitals among small letters they may be a symbol."""
    if len(tokens) == 1:
        (token,) = tokens
        key = token.lower()
        if alias_code(key) is not None:
            return False
        return (key in _ORDINARY and not (token.isupper() and len(token) > 1)) or token.isdigit()
    return tokens[0].lower() in _ORDINARY or tokens[-1].lower() in _ORDINARY


def _intent_of(plain: str, named: Sequence[StockReference]) -> Intent:
    matches = [intent for intent, pattern in _PATTERNS if pattern.search(plain)]
    if Intent.DEBTS in matches or Intent.PORTFOLIO in matches:
        return Intent.DEBTS if Intent.DEBTS in matches else Intent.PORTFOLIO
    if Intent.MOVERS in matches and not named:
        return Intent.MOVERS
    if Intent.COMPARE in matches and len(named) >= 2:
        return Intent.COMPARE
    if not named and understand(plain) is not None:
        return Intent.SCREEN
    about = [intent for intent in matches if intent not in (Intent.HELP, Intent.MOVERS, Intent.COMPARE)]
    if about:
        return about[0]
    if Intent.COMPARE in matches:
        return Intent.COMPARE
    if len(named) >= 2:
        return Intent.COMPARE
    if named:
        return Intent.OVERVIEW
    return Intent.HELP if Intent.HELP in matches else Intent.UNKNOWN
