"""Questions about lists, the own portfolio, other times, and after other questions: no figure that was not asked."""

from __future__ import annotations

import pytest

from klyx.runtime import Runtime
from klyx.services import portfolio
from klyx.services.chat.builtin.answers import period_in
from klyx.services.chat.builtin.asking import LATEST_ONLY, NO_COMPANIES_IN_LISTS, WHOLE_PORTFOLIO
from tests.api import Api
from tests.services.chat.test_builtin import answer_to, runtime  # noqa: F401 (a fixture)
from tests.stock_rows import add_stock


@pytest.mark.parametrize(
    "question",
    [
        "it stocks other than tcs with pe below 25",
        "banks other than hdfc bank with roe above 14",
        "it stocks with roe higher than infosys",
        "stocks with market cap above tcs",
        "stocks with pe below 20 except coal india",
        "stocks like infosys with pe below 25",
    ],
)
def test_a_list_beside_a_company_is_not_answered_with_that_company(runtime: Runtime, question: str) -> None:  # noqa: F811
    answer = answer_to(runtime, question)
    assert answer.text.startswith(NO_COMPANIES_IN_LISTS)
    assert answer.tools == []


@pytest.mark.parametrize(
    "question", ["price above 200 dma", "dividend more than rs 5 per share", "stocks without high pe"]
)
def test_a_condition_that_is_none_is_said_not_to_be_understood(runtime: Runtime, question: str) -> None:  # noqa: F811
    assert answer_to(runtime, question).text.startswith(("I did not understand that.", "Which company do you mean?"))


def test_is_one_better_than_others_is_still_about_the_one(runtime: Runtime) -> None:  # noqa: F811
    assert "Tata Consultancy Services" in answer_to(runtime, "is TCS better than other IT stocks?").text


def test_conditions_on_the_own_portfolio_are_used(api: Api, runtime: Runtime) -> None:  # noqa: F811
    asha = api.register()
    with runtime.database.begin() as session:
        for name in ("Wipro Ltd.", "ITC Ltd.", "Coal India Ltd."):
            portfolio.add(session, asha.user_id, name)
    text = answer_to(runtime, "which of my stocks have pe above 22", user_id=asha.user_id).text
    assert "in your portfolio" in text
    assert "ITC Ltd. (ITC)" in text
    assert "Wipro" not in text
    assert "Coal India" not in text
    text = answer_to(runtime, "my stocks with roe above 900", user_id=asha.user_id).text
    assert "None of your stocks meets that" in text
    text = answer_to(runtime, "my worst performers", user_id=asha.user_id).text
    assert "**ITC Ltd.** has the lowest day change" in text
    text = answer_to(runtime, "what stocks do i own", user_id=asha.user_id).text
    assert "Your portfolio has **3** stocks" in text


@pytest.mark.parametrize(
    ("question", "is_read"),
    [
        ("which of my stocks have high roe or pe below 10", False),
        ("which of my stocks are above their 200 dma", False),
        ("show my stocks that are down today", False),
        ("how is my portfolio doing?", True),
        ("which of my stocks has highest pe", True),
    ],
)
def test_a_condition_on_the_portfolio_that_is_not_read_is_told(
    api: Api,
    runtime: Runtime,  # noqa: F811
    question: str,
    is_read: bool,
) -> None:
    asha = api.register()
    with runtime.database.begin() as session:
        for name in ("Wipro Ltd.", "ITC Ltd."):
            portfolio.add(session, asha.user_id, name)
    text = answer_to(runtime, question, user_id=asha.user_id).text
    assert text.startswith(WHOLE_PORTFOLIO) is not is_read
    assert "Your portfolio has **2** stocks" in text


@pytest.mark.parametrize("question", ["rakesh jhunjhunwala portfolio", "portfolio of radhakishan damani"])
def test_the_portfolio_of_somebody_else_is_not_the_own(api: Api, runtime: Runtime, question: str) -> None:  # noqa: F811
    asha = api.register()
    with runtime.database.begin() as session:
        portfolio.add(session, asha.user_id, "Wipro Ltd.")
    assert "Wipro" not in answer_to(runtime, question, user_id=asha.user_id).text
    assert "No debts" not in answer_to(runtime, "does dividend investing pay off", user_id=asha.user_id).text


def test_every_holding_counts_in_a_large_portfolio(api: Api, runtime: Runtime) -> None:  # noqa: F811
    asha = api.register()
    with runtime.database.begin() as session:
        for number in range(70):
            add_stock(session, f"Number {number:02} Ltd.", f"NUMBER{number}", day_change_pct=number / 10)
            portfolio.add(session, asha.user_id, f"Number {number:02} Ltd.")
    text = answer_to(runtime, "which of my stocks has the highest day change?", user_id=asha.user_id).text
    assert "69 of 70 rose" in text
    assert "**Number 69 Ltd.** has the highest day change: 6.90 %" in text
    assert "These are 50 of 70" in text


@pytest.mark.parametrize("question", ["top gainers and losers today", "top 5 losers or gainers in it", "top movers"])
def test_gainers_and_losers_are_both_told(runtime: Runtime, question: str) -> None:  # noqa: F811
    answer = answer_to(runtime, question)
    assert "## Top gainers of the day" in answer.text
    assert "## Top losers of the day" in answer.text
    assert "could not use" not in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "what was reliance price in 2020",
        "price of tcs yesterday",
        "tcs price last year",
        "what will be the price of tcs",
    ],
)
def test_another_time_is_said_not_to_be_shown(runtime: Runtime, question: str) -> None:  # noqa: F811
    assert answer_to(runtime, question).text.startswith(LATEST_ONLY)
    assert LATEST_ONLY not in answer_to(runtime, "price of tcs today").text


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("chart for 3 years", "5y"),
        ("10 year chart", "max"),
        ("1 week chart", "1mo"),
        ("last month", "1mo"),
        ("six months", "6mo"),
        ("past 18 months", "2y"),
        ("over the last 3 months", "3mo"),
        ("one year", "1y"),
        ("all time", "max"),
        ("chart", "6mo"),
    ],
)
def test_the_period_of_a_chart_is_not_shorter_than_asked(text: str, period: str) -> None:
    assert period_in(text) == period


@pytest.mark.parametrize(
    "question",
    ["which stock should i buy today", "which company is best", "market today", "market trend", "market news"],
)
def test_a_question_in_general_is_not_about_the_company_before(runtime: Runtime, question: str) -> None:  # noqa: F811
    assert "Tata Consultancy" not in answer_to(runtime, "Price of TCS", question).text


def test_a_question_that_goes_on_is(runtime: Runtime) -> None:  # noqa: F811
    for question in ("share price?", "is the company profitable", "what about its roe"):
        assert "Tata Consultancy" in answer_to(runtime, "Price of TCS", question).text
    text = answer_to(runtime, "Price of TCS", "compare it with infosys and wipro").text
    assert "| Figure | TCS | INFY | WIPRO |" in text


def test_fundamentals_and_trend_are_both_told(runtime: Runtime) -> None:  # noqa: F811
    answer = answer_to(runtime, "HDFC Bank fundamentals and trend")
    assert {"get_fundamentals", "get_technical_analysis"} <= set(answer.tools)


def test_who_is_called_so_today_goes_before_who_was_once(runtime: Runtime) -> None:  # noqa: F811
    assert "Passenger" in answer_to(runtime, "tata motors price").text
    with runtime.database.begin() as session:
        add_stock(session, "Tata Motors Ltd.", "TMCV", current_price=321.5)
    for question in ("Tata Motors Ltd.", "tata motors ltd share price"):
        assert "321.50" in answer_to(runtime, question).text
