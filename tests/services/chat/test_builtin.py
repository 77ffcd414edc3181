"""Forty questions to the built-in assistant: intent, company, and figures as the database has them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from klyx.bundled import read_starter_list
from klyx.database.starter import load_starter_list
from klyx.errors import Unavailable
from klyx.runtime import Runtime
from klyx.services import portfolio
from klyx.services.chat.blocks import allowed_block
from klyx.services.chat.builtin import BuiltInAssistant
from klyx.services.chat.builtin.writing import crores, percent, price, ratio
from klyx.services.chat.known_numbers import KnownNumbers
from klyx.services.chat.safety import SafeText
from klyx.services.chat.steps import Cancellation, Content, Conversation, Said, ToolEnded
from klyx.services.chat.tools import toolbox
from klyx.services.stocks import StockObject, find_stock
from klyx.sources.base import Deadline
from tests.api import Api
from tests.stock_rows import add_stock


@dataclass
class Answer:
    text: str = ""
    tools: list[str] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0


@pytest.fixture
def runtime(api: Api) -> Runtime:
    with api.runtime.database.begin() as session:
        load_starter_list(session, read_starter_list())
    return api.runtime


def no_lookup(**_: Any) -> None:
    raise Unavailable("Nobody is asked in this test.")


def answer_to(runtime: Runtime, *questions: str, user_id: str = "nobody") -> Answer:
    """The answer to the last of these questions, made safe as it would be for a reader."""
    conversation = Conversation(user_id, str(uuid.uuid4()), [Said("user", question) for question in questions])
    known, answer = KnownNumbers(), Answer()
    safe = SafeText(lambda block: allowed_block(block, known))
    tools = toolbox(runtime, user_id, no_lookup)
    for step in BuiltInAssistant(runtime.database).answer(conversation, tools, Cancellation(), Deadline(60)):
        if isinstance(step, ToolEnded):
            known.learn(step.result)
            answer.tools.append(step.name)
        elif isinstance(step, Content):
            answer.text += "".join(safe.feed(step.text))
    answer.text += "".join(safe.end())
    answer.dropped = safe.dropped_blocks
    parts = f"\n{answer.text}".split("\n:::ui-component")[1:]
    answer.blocks = [json.loads(part.partition(":::")[0]) for part in parts]
    return answer


def stock_of(runtime: Runtime, symbol: str) -> StockObject:
    with runtime.database.read() as session:
        return find_stock(session, symbol)


Figure = tuple[str, Callable[[Any], str]]
PRICE: Figure = ("current_price", price)
PE: Figure = ("pe_ttm", ratio)

# Question, companies it is about, and figures that the answer must show as the database has them.
ABOUT_COMPANIES: tuple[tuple[str, tuple[str, ...], tuple[Figure, ...]], ...] = (
    ("Price of Reliance?", ("RELIANCE",), (PRICE, ("market_cap", crores))),
    ("Compare TCS and Infy", ("TCS", "INFY"), (PRICE, PE, ("roe_annual_pct", percent))),
    ("Analyze HDFC Bank fundamentals", ("HDFCBANK",), (PE, ("roe_annual_pct", percent), ("market_cap", crores))),
    ("Is Zomato in an uptrend?", ("ETERNAL",), (PRICE, ("sma_50", price), ("tech_rsi", ratio))),
    ("What is the price of M&M?", ("M&M",), (PRICE,)),
    ("How much is L&T trading at?", ("LT",), (PRICE,)),
    ("TCS", ("TCS",), (PRICE,)),
    ("Tell me about Bajaj Auto", ("BAJAJ-AUTO",), (PRICE,)),
    ("ITC price", ("ITC",), (PRICE,)),
    ("is ITC better than HUL?", ("ITC", "HINDUNILVR"), (PRICE, PE)),
    ("Compare Axis Bank vs ICICI Bank", ("AXISBANK", "ICICIBANK"), (PE,)),
    ("compare hdfc bank, sbi", ("HDFCBANK", "SBIN"), (PE, ("market_cap", crores))),
    ("What is the P/E of Infosys?", ("INFY",), (PE,)),
    ("Is Tata Steel overvalued?", ("TATASTEEL",), (PE, ("sector_pe_ttm", ratio))),
    ("RSI of Wipro", ("WIPRO",), (("tech_rsi", ratio),)),
    ("technical analysis of Sun Pharma", ("SUNPHARMA",), (("sma_200", price),)),
    ("Is Maruti bullish?", ("MARUTI",), (("sma_50", price),)),
    ("show me the chart of Titan", ("TITAN",), (PRICE,)),
    ("should I buy Nestle?", ("NESTLEIND",), (PE,)),
    ("ROE of Asian Paints", ("ASIANPAINT",), (("roe_annual_pct", percent),)),
    ("dividend yield of Coal India", ("COALINDIA",), (("dividend_yield_pct", percent),)),
    ("What is the market cap of RELIANCE.NS?", ("RELIANCE",), (("market_cap", crores),)),
    ("Dr Reddys trend", ("DRREDDY",), (("tech_rsi", ratio),)),
    ("promoter holding of Trent", ("TRENT",), (("promoter_holding_pct", percent),)),
    ("net profit of ONGC?", ("ONGC",), (("net_profit_annual", crores),)),
    ("How is Adani Ports valued, any debt?", ("ADANIPORTS",), (("debt_to_equity", ratio),)),
)


@pytest.mark.parametrize(("question", "symbols", "figures"), ABOUT_COMPANIES)
def test_a_question_about_companies(
    runtime: Runtime, question: str, symbols: tuple[str, ...], figures: tuple[Figure, ...]
) -> None:
    answer = answer_to(runtime, question)
    shown = answer.text + json.dumps(answer.blocks, ensure_ascii=False)
    for symbol in symbols:
        stock = stock_of(runtime, symbol)
        assert str(stock["stock_name"]) in answer.text
        for column, write in figures:
            assert stock[column] is not None
            assert write(stock[column]) in shown
    assert answer.dropped == 0
    if len(symbols) == 2:
        (block,) = answer.blocks
        assert [compared["symbol"] for compared in block["data"]["stocks"]] == list(symbols)
    assert "built-in rules" in answer.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Stocks with P/E under 15 and ROE over 20", lambda s: s["pe_ttm"] < 15 and s["roe_annual_pct"] > 20),
        ("IT stocks with PE below 30", lambda s: s["sector_name"] == "Software & Services" and s["pe_ttm"] < 30),
        ("banks with ROE above 15", lambda s: s["industry_name"] == "Banks" and s["roe_annual_pct"] > 15),
        ("debt free large caps", lambda s: s["debt_to_equity"] < 0.1 and s["market_cap"] >= 2e11),
        ("at least 60% promoter holding", lambda s: s["promoter_holding_pct"] >= 60),
    ],
)
def test_a_screen_in_words(runtime: Runtime, question: str, expected: Callable[[Any], bool]) -> None:
    def meets(stock: Any) -> bool:
        try:
            return expected(stock)
        except TypeError:
            return False

    answer = answer_to(runtime, question)
    matching = [stock for stock in read_starter_list() if meets(stock)]
    assert matching
    assert f"**{len(matching)}** of 50 stocks match" in answer.text
    for stock in sorted(matching, key=lambda s: -float(s["market_cap"] or 0))[:10]:
        assert f"({stock['nse_code']})" in answer.text


@pytest.mark.parametrize(
    ("question", "column", "lowest", "sector"),
    [
        ("Top gainers in IT", "day_change_pct", False, "Software & Services"),
        ("top losers today", "day_change_pct", True, None),
        ("best performers this year", "year_1_change_pct", False, None),
    ],
)
def test_who_moved_most(runtime: Runtime, question: str, column: str, *, lowest: bool, sector: str | None) -> None:
    rows = [row for row in read_starter_list() if row[column] is not None and sector in (None, row["sector_name"])]
    rows.sort(key=lambda row: float(row[column] or 0), reverse=not lowest)
    text = answer_to(runtime, question).text
    places = [text.index(f"({row['nse_code']})") for row in rows[:2]]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("question", "column", "group", "number"),
    [
        ("top 5 it stocks by roe", "roe_annual_pct", ("sector_name", "Software & Services"), 5),
        ("3 highest dividend yield banks", "dividend_yield_pct", ("industry_name", "Banks"), 3),
        ("top 2 gainers in it this week", "week_change_pct", ("sector_name", "Software & Services"), 2),
    ],
)
def test_the_first_of_a_group_are_shown_with_the_figure_they_are_ranked_by(
    runtime: Runtime, question: str, column: str, group: tuple[str, str], number: int
) -> None:
    rows = [row for row in read_starter_list() if row[group[0]] == group[1] and row[column] is not None]
    rows.sort(key=lambda row: -float(row[column] or 0))
    text = answer_to(runtime, question).text
    shown = [line for line in text.splitlines() if line.startswith("| ") and "(" in line]
    assert len(shown) == number
    for line, row in zip(shown, rows, strict=False):
        assert f"({row['nse_code']})" in line
        assert percent(row[column]) in line


def test_the_period_of_the_gainers_is_told(runtime: Runtime) -> None:
    assert "Top gainers of the week" in answer_to(runtime, "top gainers this week").text
    assert "Top gainers of the week" in answer_to(runtime, "top performing stocks this week").text
    assert "Top losers of the day" in answer_to(runtime, "top losers").text


def test_lists_tell_the_age_of_their_figures(api: Api) -> None:
    asha = api.register()
    with api.runtime.database.begin() as session:
        for name, day in (("Older", 3), ("Newer", 9)):
            moment = datetime(2025, 1, day, tzinfo=UTC)
            add_stock(session, name, name.upper(), pe_ttm=5, day_change_pct=1, last_updated=moment)
            portfolio.add(session, asha.user_id, name)
    for question in ("stocks with pe under 10", "top gainers", "my portfolio"):
        assert "as of 2025-01-03 to 2025-01-09." in answer_to(api.runtime, question, user_id=asha.user_id).text
    with api.runtime.database.begin() as session:
        add_stock(session, "Undated", "UNDATED", pe_ttm=5, last_updated=None)
    text = answer_to(api.runtime, "stocks with pe under 10").text
    assert "as of 2025-01-03 to 2025-01-09, some of an unknown day." in text


@pytest.mark.parametrize("question", ["hello", "what can you do?", "weather in Mumbai", "Price of XYZZY", "asdf qwer"])
def test_what_is_not_understood_is_said_with_examples(runtime: Runtime, question: str) -> None:
    answer = answer_to(runtime, question)
    assert "Price of Reliance?" in answer.text
    assert answer.blocks == []


@pytest.mark.parametrize(
    ("questions", "expected", "unexpected"),
    [
        (("Reliance Power share price",), 'I do not know "Reliance Power"', "trades at"),
        (("Relaince price",), "Reliance Industries Ltd. (RELIANCE)", "trades at"),
        (("Bajaj price",), "Which one do you mean?", "trades at"),
        (("Price of TCS", "Hero Motocorp price"), 'I do not know "Hero Motocorp"', "Tata Consultancy"),
        (("Price of TCS", "what is PE ratio"), "Which company do you mean?", "Tata Consultancy"),
        (("ebitda of TCS",), 'could not use this part of the question: "ebitda"', "I do not know"),
    ],
)
def test_a_name_that_is_not_clear_gets_a_question_and_no_figure(
    runtime: Runtime, questions: tuple[str, ...], expected: str, unexpected: str
) -> None:
    text = answer_to(runtime, *questions).text
    assert expected in text
    assert unexpected not in text


@pytest.mark.parametrize(
    ("question", "symbol", "expected"),
    [
        ("is Reliance overbought", "RELIANCE", "No, it is not overbought"),
        ("is Eicher Motors overbought?", "EICHERMOT", "Yes, it is overbought"),
        ("is HDFC Bank oversold", "HDFCBANK", "Yes, it is oversold"),
    ],
)
def test_overbought_and_oversold_are_told_by_the_rsi(
    runtime: Runtime, question: str, symbol: str, expected: str
) -> None:
    text = answer_to(runtime, question).text
    assert f"**{expected}**: its RSI is {ratio(stock_of(runtime, symbol)['tech_rsi'])}" in text
    assert "uptrend" not in text


def test_the_trend_that_is_asked_about_is_told(runtime: Runtime) -> None:
    for question, state, sign in (
        ("is TCS in a downtrend", "in a downtrend", "Bearish"),
        ("is HDFC Bank bearish", "bearish", "Bearish"),
        ("is TCS bullish?", "bullish", "Bullish"),
        ("Is Zomato in an uptrend?", "in an uptrend", "Bullish"),
    ):
        text = answer_to(runtime, question).text
        (line,) = [line for line in text.splitlines() if line.startswith(("**Yes", "**No"))]
        is_so = sign in line.split(":")[1]
        assert line.startswith(f"**Yes, it is {state}**" if is_so else f"**No, it is not {state}**")


@pytest.mark.parametrize(
    ("question", "symbol", "column", "write"),
    [
        ("target price of TCS", "TCS", "target_price", price),
        ("beta of reliance", "RELIANCE", "beta_1yr", ratio),
        ("eps of TCS", "TCS", "basic_eps_ttm", price),
        ("one year return of TCS", "TCS", "year_1_change_pct", percent),
    ],
)
def test_the_figure_that_is_named_comes_first(
    runtime: Runtime, question: str, symbol: str, column: str, write: Callable[[Any], str]
) -> None:
    first_line = answer_to(runtime, question).text.splitlines()[0]
    assert write(stock_of(runtime, symbol)[column]) in first_line


def test_a_named_figure_that_is_not_known_is_said_to_be_so(api: Api) -> None:
    with api.runtime.database.begin() as session:
        add_stock(session, "Nowhere Ltd.", "NOWHERE", pe_ttm=5)
    text = answer_to(api.runtime, "target price of Nowhere").text
    assert "Target price of analysts of Nowhere Ltd. is not known to us." in text


def test_several_companies_are_answered_and_those_beyond_are_named(runtime: Runtime) -> None:
    answer = answer_to(runtime, "pe of TCS, INFY and WIPRO")
    for symbol in ("TCS", "INFY", "WIPRO"):
        stock = stock_of(runtime, symbol)
        assert f"of {stock['stock_name']}: {ratio(stock['pe_ttm'])}" in answer.text
    text = answer_to(runtime, "compare reliance, tcs and infy").text
    assert "| Figure | RELIANCE | TCS | INFY |" in text
    text = answer_to(runtime, "compare TCS, INFY, WIPRO, HCLTECH and TECHM").text
    assert "please ask again about Tech Mahindra Ltd." in text
    text = answer_to(runtime, "trend of TCS and INFY").text
    assert text.count("## Trend of") == 2


def test_the_price_and_the_news_are_both_told(runtime: Runtime) -> None:
    answer = answer_to(runtime, "Reliance price and news")
    assert answer.tools == ["get_stock_price", "get_stock_news"]


def test_a_follow_up_without_a_name(runtime: Runtime) -> None:
    answer = answer_to(runtime, "Price of Reliance?", "and its P/E?")
    assert ratio(stock_of(runtime, "RELIANCE")["pe_ttm"]) in answer.text


def test_own_portfolio_and_debts(api: Api, runtime: Runtime) -> None:
    asha = api.register()
    assert "empty" in answer_to(runtime, "my portfolio", user_id=asha.user_id).text
    with runtime.database.begin() as session:
        portfolio.add(session, asha.user_id, "Wipro Ltd.")
    text = answer_to(runtime, "How is my portfolio doing?", user_id=asha.user_id).text
    assert "Wipro Ltd." in text
    assert price(stock_of(runtime, "WIPRO")["current_price"]) in text
    with runtime.database.begin() as session:
        portfolio.add(session, asha.user_id, "Adani Enterprises Ltd.")
    text = answer_to(runtime, "which of my stocks has highest pe", user_id=asha.user_id).text
    assert f"**Adani Enterprises Ltd.** has the highest price to earnings: {ratio(38)}" in text
    assert "No debts are stored" in answer_to(runtime, "debts", user_id=asha.user_id).text
    assert "No debts are stored" in answer_to(runtime, "what about my loans", user_id=asha.user_id).text


def test_without_headlines_it_says_so(runtime: Runtime) -> None:
    assert "No recent headlines about Tata Motors" in answer_to(runtime, "News about Tata Motors").text
