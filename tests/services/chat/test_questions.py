"""What the built-in assistant takes a question to be about, with the 50 companies of the starter list."""

from __future__ import annotations

from functools import cache

import pytest

from klyx.bundled import read_starter_list
from klyx.services.chat.builtin.intents import Intent, Question, read_question
from klyx.services.chat.directory import Directory
from klyx.services.stocks import StockReference

NOTHING_NAMED = [Intent.NO_COMPANY, Intent.UNKNOWN]


@cache
def directory(*others: str) -> Directory:
    """The starter list, the largest company first, and companies with these names."""
    rows = sorted(read_starter_list(), key=lambda row: -float(row["market_cap"] or 0))
    named = [(str(row["stock_name"]), str(row["nse_code"])) for row in rows]
    named += [(name, name.upper().replace(" ", "")[:10]) for name in others]
    return Directory([StockReference(place, name, code, None, None) for place, (name, code) in enumerate(named)])


def reading(*questions: str, others: tuple[str, ...] = ()) -> Question:
    """Of the last of these questions of one conversation."""
    return read_question(directory(*others), questions[-1], questions[:-1])


def symbols(question: Question) -> list[str | None]:
    return [company.nse_code for company in question.companies]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("sbi life pe", "SBILIFE"),
        ("sbi pe", "SBIN"),
        ("adani ports share price", "ADANIPORTS"),
        ("hdfc life price", "HDFCLIFE"),
        ("HDFC Bank price", "HDFCBANK"),
        ("apollo hospitals price", "APOLLOHOSP"),
        ("max healthcare price", "MAXHEALTH"),
        ("jio finance price", "JIOFIN"),
        ("dr reddy's price", "DRREDDY"),
        ("TCS's pe", "TCS"),
        ("power grid share price", "POWERGRID"),
        ("TCS. Its P/E?", "TCS"),
        ("TCS quarterly results", "TCS"),
        ("hdfc bank q2 results", "HDFCBANK"),
    ],
)
def test_a_company_is_found_by_the_longest_name_in_any_letter_case(text: str, symbol: str) -> None:
    assert symbols(reading(text)) == [symbol]


@pytest.mark.parametrize(
    ("text", "name", "suggested"),
    [
        ("sbi card price", "sbi card", "SBIN"),
        ("Reliance Power share price", "Reliance Power", "RELIANCE"),
        ("mahindra finance pe", "mahindra finance", "M&M"),
        ("price of Kotak Gold ETF", "Kotak Gold ETF", "KOTAKBANK"),
        ("Tata Foobar price", "Tata Foobar", "TCS"),
        ("Relaince price", "Relaince", "RELIANCE"),
        ("infosis share price", "infosis", "INFY"),
        ("bank of india share price", "bank of india", "HDFCBANK"),
        ("should I buy shares of Reliance Power", "Reliance Power", "RELIANCE"),
    ],
)
def test_a_name_with_a_word_more_is_unknown_and_similar_ones_are_suggested(
    text: str, name: str, suggested: str
) -> None:
    question = reading(text)
    assert question.intents == (Intent.UNKNOWN,)
    (unclear,) = question.unclear
    assert (unclear.name, unclear.known) == (name, False)
    assert suggested in [candidate.nse_code for candidate in unclear.candidates]


def test_such_a_name_is_found_once_it_is_listed() -> None:
    others = ("Reliance Power Ltd.", "SBI Cards and Payment Services Ltd.")
    assert symbols(reading("Reliance Power share price", others=others)) == ["RELIANCEPO"]
    assert symbols(reading("sbi card price", others=others)) == ["SBICARDSAN"]
    assert symbols(reading("reliance share price", others=others)) == ["RELIANCE"]


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("Bajaj price", {"BAJFINANCE", "BAJAJFINSV", "BAJAJ-AUTO"}),
        ("tata price", {"TCS", "TATASTEEL", "TMPV", "TATACONSUM"}),
        ("Adani share price", {"ADANIPORTS", "ADANIENT"}),
        ("compare TCS and hdfc", {"HDFCBANK", "HDFCLIFE"}),
    ],
)
def test_a_name_of_several_is_asked_back(text: str, candidates: set[str]) -> None:
    question = reading(text)
    assert question.intents == (Intent.UNKNOWN,)
    (unclear,) = question.unclear
    assert unclear.known
    assert {candidate.nse_code for candidate in unclear.candidates} == candidates


@pytest.mark.parametrize(
    "text", ["Hero Motocorp price", "nifty price", "what is PE ratio", "gold price", "oil price", "define pe"]
)
def test_an_unknown_or_general_question_is_not_about_the_company_before(text: str) -> None:
    question = reading("Price of TCS", text)
    assert question.companies == ()
    assert question.intents[0] in NOTHING_NAMED


def test_after_an_unknown_name_the_company_before_it_is_not_meant_either() -> None:
    assert reading("Price of TCS", "Hero Motocorp price", "and its PE?").intents == (Intent.NO_COMPANY,)


@pytest.mark.parametrize(
    ("questions", "named", "intent"),
    [
        (("Price of TCS", "and its PE?"), ["TCS"], Intent.FUNDAMENTALS),
        (("Price of TCS", "what about its ROE"), ["TCS"], Intent.FUNDAMENTALS),
        (("Price of TCS", "and news?"), ["TCS"], Intent.NEWS),
        (("Price of TCS", "top gainers", "and its PE?"), ["TCS"], Intent.FUNDAMENTALS),
        (("Price of TCS", "adani ports news"), ["ADANIPORTS"], Intent.NEWS),
        (("Price of TCS", "what about infy", "and the trend?"), ["INFY"], Intent.TECHNICALS),
        (("Price of TCS", "is it in a downtrend"), ["TCS"], Intent.TECHNICALS),
        (("Price of TCS", "is it debt free?"), ["TCS"], Intent.FUNDAMENTALS),
        (("Price of TCS", "is it profitable"), ["TCS"], Intent.FUNDAMENTALS),
        (("what about TCS", "compare it with infy"), ["TCS", "INFY"], Intent.COMPARE),
        (("what about TCS", "is it better than infy?"), ["TCS", "INFY"], Intent.COMPARE),
        (("what about TCS", "compare with infy"), ["TCS", "INFY"], Intent.COMPARE),
        (("TCS", "compare it with infy", "and their ROE?"), ["TCS", "INFY"], Intent.COMPARE),
        (("Compare TCS and Infy", "which has better roe"), ["TCS", "INFY"], Intent.COMPARE),
    ],
)
def test_a_question_that_goes_on_is_about_the_companies_before(
    questions: tuple[str, ...], named: list[str], intent: Intent
) -> None:
    question = reading(*questions)
    assert (symbols(question), question.intents) == (named, (intent,))


def test_without_a_company_before_it_is_asked_for() -> None:
    assert reading("is it in a downtrend").intents == (Intent.NO_COMPANY,)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("should I add TCS to my portfolio", (Intent.FUNDAMENTALS,)),
        ("should I sell my shares of TCS", (Intent.FUNDAMENTALS,)),
        ("TCS price and news", (Intent.PRICE, Intent.NEWS)),
        ("pe and rsi of TCS", (Intent.FUNDAMENTALS, Intent.TECHNICALS)),
        ("beta of TCS", (Intent.FUNDAMENTALS,)),
        ("target price of TCS", (Intent.FUNDAMENTALS,)),
        ("is TCS overbought", (Intent.TECHNICALS,)),
        ("price chart of TCS", (Intent.CHART,)),
    ],
)
def test_a_named_company_decides_what_is_asked(text: str, intents: tuple[Intent, ...]) -> None:
    question = reading(text)
    assert (symbols(question), question.intents) == (["TCS"], intents)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("debts", Intent.DEBTS),
        ("show my loans", Intent.DEBTS),
        ("which of my stocks has highest pe", Intent.PORTFOLIO),
        ("top performing stocks this week", Intent.MOVERS),
        ("top 5 losers", Intent.MOVERS),
        ("indian it stocks with pe under 20", Intent.SCREEN),
        ("stocks with pe under 10 that my uncle likes", Intent.SCREEN),
        ("thanks", Intent.HELP),
    ],
)
def test_questions_about_no_single_company(text: str, intent: Intent) -> None:
    question = reading(text)
    assert (question.companies, question.intents) == ((), (intent,))
