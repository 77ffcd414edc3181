"""What a question is about: one or two of a few intents, and the companies that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from klyx.services.chat.builtin.names import MOST_UNCLEAR, Names, UnclearName, read_names
from klyx.services.chat.conditions import fields_in, without_fields
from klyx.services.chat.directory import Directory
from klyx.services.chat.understanding import Understood, understand
from klyx.services.stocks import StockReference

# So many questions before this one can say which company it goes on about.
MOST_EARLIER = 10
MOST_WORDS_THAT_GO_ON = 3
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
    NO_COMPANY = "no company"
    LIST_BESIDE_COMPANY = "list beside company"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Question:
    """`intents` are answered one after the other. `left_out` are companies beyond as many as one answer takes;
    `unread` is what had no meaning for us.
    """

    intents: tuple[Intent, ...]
    text: str
    companies: tuple[StockReference, ...] = ()
    left_out: tuple[StockReference, ...] = ()
    unclear: tuple[UnclearName, ...] = ()
    unread: str = ""


_WORDS_OF: Sequence[tuple[Intent, Sequence[str]]] = (
    (
        Intent.DEBTS,
        [
            *("my (?:debts?|loans?|emis?)", "debt plan", "pay off (?:my|our|the|all)"),
            "pay (?:it|them|everything) off",
            r"^(?:show )?(?:debts|loans|emis)\??$",
        ],
    ),
    (
        Intent.PORTFOLIO,
        [
            *("my (?:portfolio|holdings?|stocks?|shares?|investments?)", "portfolio"),
            r"(?:stocks?|shares?|companies|what)(?: \w+){0,2}? i (?:own|hold|have)",
            r"my (?:top|best|worst|biggest) (?:\d+ )?(?:gainers?|losers?|performers?|performing)",
        ],
    ),
    (
        Intent.MOVERS,
        [
            r"(?:top|biggest|best|worst) (?:\d+ )?(?:\w+ ){0,2}?(?:movers?|performers?|performing(?: stocks| shares)?)",
            *("gainers?", "losers?"),
        ],
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
            *("ratios?", "balance sheet", "profit(?:able|ability)?", "margin", "debt", "dividend", "holding", "eps"),
            *("earnings", "revenue", "(?:price )?targets?", "worth buying", "should i (?:buy|sell|add)"),
            "(?:under|over|fairly )valued",
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
_ONE_COMPANY = (Intent.PRICE, Intent.FUNDAMENTALS, Intent.TECHNICALS, Intent.CHART, Intent.NEWS)
# Figures that the answers about the price or the trend show by themselves.
_SHOWN_ANYWAY = frozenset({"current_price", "market_cap", "day_change_pct", "rsi", "adx", "momentum_score"})
_GROUP = re.compile(r"\b(?:stocks|companies|firms|shares|banks|sectors?)\b")
_POINTS_BACK = re.compile(r"(?<!in )\b(?:it|its|it's|they|their|them|both|this|that|these|those)\b")
_JOINS = re.compile(
    r"^compare (?:with|to)\b|\b(?:compare|is|are|with|to|against|vs|versus|than) (?:it|they|them|both|this|that)\b"
)
_GOES_ON = re.compile(r"(?:and|also|what about|how about|which|who)\b")
# Not the company of the question before: "which stock is best", "market trend"; but "share price", "the company".
_IN_GENERAL = re.compile(
    r"(?<!\bthe )\b(?:stock|share|company)\b(?! (?:price|value))|\bmarket\b(?! cap)|\b(?:nifty|sensex)\b"
)
_JOINS_SEVERAL = re.compile(r"\b(?:compare|with|to|and|against|vs|versus|than) (?:it|them)\b")
_OF_THE_CALLER = re.compile(r"\b(?:my|our|mine|i)\b")
_LISTS = re.compile(r"\b(?:stocks|companies|firms|banks|sectors?)\b")
_RELATES = re.compile(
    r"\b(?:other than|except|excluding|besides|apart from|similar to|like|unlike|than|above|below|over|under)\b"
)
_FUNDAMENTALS_BY_NAME = re.compile(r"\bfundamentals?\b")
_ASKS_A_MEANING = re.compile(r"(?:what|define|explain)\b")


def read_question(directory: Directory, text: str, earlier: Sequence[str] = ()) -> Question:
    """The question's intents and companies; one that goes on about those of the questions before is about them.

    `earlier`: the questions before it, oldest first.
    """
    before: tuple[StockReference, ...] = ()
    for said in earlier[-MOST_EARLIER:]:
        before = _Reading(directory, said, before).companies_after
    return _Reading(directory, text, before).question


class _Reading:
    """One question, after questions about the companies `before`."""

    def __init__(self, directory: Directory, text: str, before: tuple[StockReference, ...]) -> None:
        self._directory = directory
        self._text = text
        self._plain = " ".join(text.lower().split())
        self._before = before
        self._matches = [intent for intent, pattern in _PATTERNS if pattern.search(self._plain)]
        self._names = read_names(directory, text, _without_known(text))
        self._is_group = _GROUP.search(self._plain) is not None
        self._points_back = not self._is_group and _POINTS_BACK.search(self._plain) is not None

    @property
    def companies_after(self) -> tuple[StockReference, ...]:
        """Those that a question after this one may go on about."""
        names = self._names
        if self._about_all is not None:
            return self._before
        # Whoever asked about something unknown does not mean the company before it.
        return () if names.unclear or (names.unread and not names.companies) else self._companies or self._before

    @property
    def question(self) -> Question:
        if self._about_all is not None:
            return Question((self._about_all,), self._text)
        names, companies = self._names, self._companies
        unclear = names.unclear
        if not unclear and (not companies or (Intent.COMPARE in self._matches and len(companies) < 2)):
            unclear = tuple(UnclearName(name, self._directory.similar(name)) for name in names.unread[:MOST_UNCLEAR])
        is_about_one = any(intent in _ONE_COMPANY or intent is Intent.COMPARE for intent in self._matches)
        if unclear and (is_about_one or any(name.candidates for name in unclear)):
            return Question((Intent.UNKNOWN,), self._text, unclear=unclear)
        if not companies:
            is_without = is_about_one and not self._is_group
            return Question((Intent.NO_COMPANY if is_without else Intent.UNKNOWN,), self._text)
        taken, left_out = companies[:MOST_COMPANIES], companies[MOST_COMPANIES:]
        return Question(self._intents(len(taken)), self._text, taken, left_out, unread=", ".join(names.unread))

    @cached_property
    def _about_all(self) -> Intent | None:
        """What is asked when it is about no single company."""
        if self._is_list_beside_company():
            return Intent.LIST_BESIDE_COMPANY
        if self._names.companies or (self._names.unclear and not self._is_group):
            return None
        understood = None if self._points_back else understand(self._plain)
        for intent in (Intent.DEBTS, Intent.PORTFOLIO, Intent.MOVERS):
            if intent in self._matches and (intent is not Intent.PORTFOLIO or self._is_own(understood)):
                return intent
        if understood is not None and (self._is_group or not understood.is_a_group_only):
            return Intent.SCREEN
        return Intent.HELP if self._matches == [Intent.HELP] else None

    def _is_own(self, understood: Understood | None) -> bool:
        """Whether a portfolio is the caller's: not "LIC portfolio", nor "a portfolio of stocks with ROE over 20"."""
        if _OF_THE_CALLER.search(self._plain):
            return True
        return not self._names.unread and not self._names.unclear and understood is None

    def _is_list_beside_company(self) -> bool:
        """ "IT stocks other than TCS", "stocks with P/E lower than TCS"; but not "is TCS better than other stocks"."""
        if not self._names.companies or Intent.COMPARE in self._matches:
            return False
        if not _LISTS.search(self._plain) or not _RELATES.search(self._plain):
            return False
        return bool(fields_in(self._plain)) or understand(self._plain) is not None

    @cached_property
    def _companies(self) -> tuple[StockReference, ...]:
        named = self._names.companies
        joins = _JOINS if len(named) == 1 else _JOINS_SEVERAL
        if named and Intent.COMPARE in self._matches and joins.search(self._plain):
            return tuple(dict.fromkeys((*self._before, *named)))
        return named or (self._before if self._names == Names() and self._goes_on() else ())

    def _goes_on(self) -> bool:
        """Whether the question leaves out what was named before."""
        if self._is_group or (not self._points_back and _IN_GENERAL.search(self._plain)):
            return False
        if self._points_back or _GOES_ON.match(self._plain):
            return True
        return len(self._plain.split()) <= MOST_WORDS_THAT_GO_ON and not _ASKS_A_MEANING.match(self._plain)

    def _intents(self, number_of_companies: int) -> tuple[Intent, ...]:
        wanted = [intent for intent in _ONE_COMPANY if intent in self._matches]
        figures = set(fields_in(self._plain)) - _SHOWN_ANYWAY
        if figures and Intent.FUNDAMENTALS not in wanted:
            wanted.insert(0, Intent.FUNDAMENTALS)
        if Intent.TECHNICALS in wanted and not figures and not _FUNDAMENTALS_BY_NAME.search(self._plain):
            # "Technical analysis", "trend and valuation"
            wanted = [intent for intent in wanted if intent is not Intent.FUNDAMENTALS]
        if {Intent.FUNDAMENTALS, Intent.TECHNICALS, Intent.CHART} & set(wanted):
            wanted = [intent for intent in wanted if intent is not Intent.PRICE]
        if number_of_companies > 1 and (Intent.COMPARE in self._matches or Intent.FUNDAMENTALS in wanted or not wanted):
            return (Intent.COMPARE,)
        if not wanted:
            wanted = [Intent.FUNDAMENTALS if Intent.COMPARE in self._matches else Intent.OVERVIEW]
        return tuple(wanted)


def _without_known(text: str) -> str:
    """The text in small letters, with spaces for the figures and intents that it names."""
    rest = without_fields(text)
    for _, pattern in _PATTERNS:
        rest = pattern.sub(lambda found: " " * len(found.group()), rest)
    return rest
