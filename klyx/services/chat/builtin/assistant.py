"""Answers by rules: reads the question, asks the tools, and writes what they gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from klyx.database import Database
from klyx.services.chat.builtin import answers, asking, comparing, lists
from klyx.services.chat.builtin.figures import Results
from klyx.services.chat.builtin.intents import Intent, Question, read_question
from klyx.services.chat.conditions import fields_in
from klyx.services.chat.directory import Directory
from klyx.services.chat.ranking import read_ranking
from klyx.services.chat.steps import Call, Cancellation, Content, Conversation, Step, ToolEnded, ToolRunner
from klyx.services.chat.understanding import Understood, understand
from klyx.services.stocks import StockReference, known_names
from klyx.sources.base import Deadline

RULES_NOTE = "Answered by Klyx's built-in rules from its own figures; no language model is set up."
RISK_NOTE = "These are figures, not advice: prices can fall, and figures can be old or wrong. Check before you decide."
ROWS = 10

_WITHOUT_FIGURES = {Intent.HELP, Intent.UNKNOWN, Intent.NO_COMPANY, Intent.LIST_BESIDE_COMPANY, Intent.DEBTS}
_OF_TODAY = {Intent.PRICE, Intent.FUNDAMENTALS, Intent.TECHNICALS, Intent.COMPARE, Intent.OVERVIEW}
_OTHER_TIME = re.compile(
    r"\b(?:yesterday|tomorrow|ago)\b|\b(?:last|previous|next|coming) (?:week|month|quarter|year|decade)\b"
    r"|\b(?:in|of|during|since|by|for) (?:19|20)\d\d\b|\bwill\b.{0,60}\b(?:be|go|reach|rise|fall|grow)\b"
)
_OWN_STOCKS = re.compile(r"\b(?:(?:which|what|any)\s+of\s+)?my (?:portfolio|holdings?|stocks?|shares?|investments?)\b")
_LIMITS = re.compile(r"\d|[<>]|\b(?:up|down|not|without|above|below|over|under|more|less|than|except|excluding)\b")
_GAINERS = r"(?:gainers?|best\s+perform\w+)"
_LOSERS = r"(?:losers?|worst\s+perform\w+)"

Asking: TypeAlias = Generator[Step, None, Results]


@dataclass(frozen=True, slots=True)
class _Turn:
    question: Question
    tools: ToolRunner
    cancelled: Cancellation
    deadline: Deadline

    @property
    def companies(self) -> Sequence[StockReference]:
        return self.question.companies

    def ask(self, *calls: tuple[str, Mapping[str, Any]]) -> Asking:
        """Run the tools side by side; their results in the order of the calls."""
        named = [Call(f"call-{place}", name, arguments) for place, (name, arguments) in enumerate(calls)]
        ended: dict[str, Mapping[str, Any]] = {}
        for step in self.tools.run(named, self.cancelled, self.deadline):
            yield step
            if isinstance(step, ToolEnded):
                ended[step.call_id] = step.result
        return [ended.get(call.call_id, {"error": "This was not looked up."}) for call in named]


class BuiltInAssistant:
    """An assistant (see klyx.services.chat.steps.Assistant) that needs no model. It says so in every answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(
        self, conversation: Conversation, tools: ToolRunner, cancelled: Cancellation, deadline: Deadline
    ) -> Iterator[Step]:
        earlier = [said.content for said in conversation.messages[:-1] if said.role == "user"]
        with self._database.read() as session:
            directory = Directory(known_names(session))
        question = read_question(directory, conversation.question, earlier)
        turn = _Turn(question, tools, cancelled, deadline)
        if question.left_out:
            yield Content(asking.left_out([company.stock_name for company in question.left_out]))
        if question.unread:
            yield Content(asking.unread(question.unread))
        if _OTHER_TIME.search(question.text.lower()) and set(question.intents) & _OF_TODAY:
            yield Content(asking.LATEST_ONLY)
        for place, intent in enumerate(question.intents):
            if place:
                yield Content("\n\n")
            yield from _WAYS[intent](turn)
        if not set(question.intents) & _WITHOUT_FIGURES:
            yield Content(f"\n\n{RISK_NOTE}")
        yield Content(f"\n\n{RULES_NOTE}\n")


def _price(turn: _Turn) -> Iterator[Step]:
    results = yield from turn.ask(*(("get_stock_price", _ticker(company)) for company in turn.companies))
    yield Content(answers.prices(results))


def _compare(turn: _Turn) -> Iterator[Step]:
    companies = turn.companies
    tools = ["get_stock_price", "get_fundamentals"]
    if len(companies) == 2:
        # Of more than two, as many as can run side by side.
        tools.append("get_technical_analysis")
    calls = [(name, _ticker(company)) for name in tools for company in companies]
    results = yield from turn.ask(*[(name, _named(name, arguments)) for name, arguments in calls])
    by_tool = [results[place : place + len(companies)] for place in range(0, len(results), len(companies))]
    quotes, figures, *technical = by_tool
    yield Content(
        comparing.comparison(companies, turn.question.text, quotes, figures, technical[0] if technical else [])
    )


def _fundamentals(turn: _Turn) -> Iterator[Step]:
    company = turn.companies[0]
    results = yield from turn.ask(
        ("get_fundamentals", {"symbol": company.nse_code}), ("get_stock_price", _ticker(company))
    )
    yield Content(answers.fundamentals(company, turn.question.text, *results))


def _technicals(turn: _Turn) -> Iterator[Step]:
    for company in turn.companies:
        results = yield from turn.ask(
            ("get_technical_analysis", _ticker(company)),
            ("get_stock_history", {**_ticker(company), "period": "6mo"}),
        )
        yield Content(answers.technicals(company, turn.question.text, *results) + "\n\n")


def _news(turn: _Turn) -> Iterator[Step]:
    calls = [("get_stock_news", {"stock_name": company.nse_code}) for company in turn.companies]
    results = yield from turn.ask(*calls)
    for company, result in zip(turn.companies, results, strict=True):
        yield Content(answers.news(company, result) + "\n\n")


def _chart(turn: _Turn) -> Iterator[Step]:
    for company in turn.companies:
        arguments = {**_ticker(company), "period": answers.period_in(turn.question.text)}
        results = yield from turn.ask(("get_stock_history", arguments), ("get_stock_price", _ticker(company)))
        yield Content(answers.history(company, *results) + "\n\n")


def _overview(turn: _Turn) -> Iterator[Step]:
    company = turn.companies[0]
    results = yield from turn.ask(
        ("get_stock_price", _ticker(company)),
        ("get_fundamentals", {"symbol": company.nse_code}),
        ("get_technical_analysis", _ticker(company)),
    )
    yield Content(answers.overview(*results))


def _screen(turn: _Turn) -> Iterator[Step]:
    screens = [understand(text) for text in _one_direction_each(turn.question.text)]
    known = [understood for understood in screens if understood is not None]
    if not known:
        yield from _unknown(turn)
        return
    wanted = [{**understood.definition, "limit": min(understood.number or ROWS, ROWS)} for understood in known]
    results = yield from turn.ask(*(("screen_stocks", definition) for definition in wanted))
    yield Content("\n\n".join(map(lists.screen, known, results)))


def _one_direction_each(text: str) -> list[str]:
    """Of a question about gainers and losers, or about movers, one about either; else the question itself."""
    small = re.sub(r"\bmovers?\b", "gainers and losers", text.lower())
    if not (re.search(rf"\b{_GAINERS}\b", small) and re.search(rf"\b{_LOSERS}\b", small)):
        return [text]
    counted = r"\b(?:(?:top|biggest)\s+)?(?:\d{1,3}\s+)?"
    joined = r"(?:and|or|&)"
    return [
        re.sub(rf"{joined}\s+{counted}{left_out}\b|{counted}{left_out}\b\s+{joined}|{counted}{left_out}\b", " ", small)
        for left_out in (_LOSERS, _GAINERS)
    ]


def _portfolio(turn: _Turn) -> Iterator[Step]:
    (result,) = yield from turn.ask(("get_portfolio", {}))
    understood = understand(_OWN_STOCKS.sub(" ", turn.question.text.lower()))
    if understood is not None and understood.states_conditions and "error" not in result:
        yield from _screen_of_portfolio(turn, understood, result)
        return
    ranking, rest = read_ranking(turn.question.text.lower())
    if understood is None and (fields_in(rest) or _LIMITS.search(rest)):
        ranking = None
        yield Content(asking.WHOLE_PORTFOLIO)
    yield Content(lists.portfolio(result, ranking))


def _screen_of_portfolio(turn: _Turn, understood: Understood, holdings: Mapping[str, Any]) -> Iterator[Step]:
    codes = [holding["nse_code"] for holding in holdings["holdings"] if holding.get("nse_code")]
    definition = understood.definition
    filters = definition["filters"] if definition["logic"] == "AND" else [{"any": definition["filters"]}]
    held = {"field": "nse_code", "operator": "in", "value": codes}
    wanted = {**definition, "filters": [held, *filters], "logic": "AND", "limit": ROWS}
    (result,) = yield from turn.ask(("screen_stocks", wanted))
    yield Content(lists.screen(understood, result, of_portfolio=True))


def _debts(turn: _Turn) -> Iterator[Step]:
    (result,) = yield from turn.ask(("get_debts", {}))
    yield Content(lists.debts(result))


def _help(_turn: _Turn) -> Iterator[Step]:
    yield Content(asking.HELP)


def _no_company(_turn: _Turn) -> Iterator[Step]:
    yield Content(asking.no_company())


def _list_beside_company(_turn: _Turn) -> Iterator[Step]:
    yield Content(asking.NO_COMPANIES_IN_LISTS)


def _unknown(turn: _Turn) -> Iterator[Step]:
    yield Content(asking.not_understood(turn.question.unclear))


def _ticker(company: StockReference) -> dict[str, Any]:
    return {"ticker": company.nse_code}


def _named(tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"symbol": arguments["ticker"]} if tool == "get_fundamentals" else arguments


_WAYS: Mapping[Intent, Callable[[_Turn], Iterator[Step]]] = {
    Intent.PRICE: _price,
    Intent.COMPARE: _compare,
    Intent.FUNDAMENTALS: _fundamentals,
    Intent.TECHNICALS: _technicals,
    Intent.NEWS: _news,
    Intent.CHART: _chart,
    Intent.OVERVIEW: _overview,
    Intent.SCREEN: _screen,
    Intent.MOVERS: _screen,
    Intent.PORTFOLIO: _portfolio,
    Intent.DEBTS: _debts,
    Intent.HELP: _help,
    Intent.NO_COMPANY: _no_company,
    Intent.LIST_BESIDE_COMPANY: _list_beside_company,
    Intent.UNKNOWN: _unknown,
}
