"""From the tools' results to text and UI blocks. Pure; every figure is one of the results."""

from __future__ import annotations

import re
from collections.abc import Sequence

from klyx.services.chat import blocks
from klyx.services.chat.builtin.figures import FIGURES, Result, Results, asked_for, figure
from klyx.services.chat.builtin.writing import count, crores, dated, percent, plain, price, ratio, table
from klyx.services.chat.safety import as_block
from klyx.services.stocks import StockReference

OVERBOUGHT, OVERSOLD = 70, 30
_NUMBERS = {"a": 1, "one": 1, "last": 1, "past": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_SPAN = re.compile(rf"\b(\d{{1,4}}|{'|'.join(_NUMBERS)})[ -]?(d|day|w|week|mo|month|q|quarter|y|yr|year)s?\b")
_DAYS = {"d": 1, "w": 7, "m": 30, "q": 91, "y": 365}
# Of what there is, the shortest that is not shorter than what was asked for.
_LONGEST_DAYS = (("1mo", 31), ("3mo", 93), ("6mo", 186), ("1y", 366), ("2y", 731), ("5y", 1827))


def period_in(text: str) -> str:
    """The period of prices that a text asks for, half a year where it does not say."""
    small = text.lower()
    if re.search(r"\b(?:year to date|ytd|this year)\b", small):
        return "ytd"
    if re.search(r"\b(?:all time|maximum|max|ever)\b", small):
        return "max"
    if (span := _SPAN.search(small)) is None:
        return "3mo" if re.search(r"\bquarter", small) else "6mo"
    number, unit = span.groups()
    days = (_NUMBERS.get(number) or int(number)) * _DAYS[unit[0]]
    return next((period for period, longest in _LONGEST_DAYS if days <= longest), "max")


def prices(results: Results) -> str:
    return "\n".join(_price_of(result) for result in results)


def _price_of(result: Result) -> str:
    if "error" in result:
        return f"{result['error']}\n"
    change = result.get("day_change_pct")
    moved = "" if change is None else f", {_moved(change)} on the day"
    text = f"**{result['name']}** ({result['symbol']}) trades at **{price(result['current_price'])}**{moved}."
    low, high = result.get("week_52_low"), result.get("week_52_high")
    if low is not None and high is not None:
        text += f" Its range of 52 weeks is {price(low)} to {price(high)}."
    if result.get("market_cap") is not None:
        text += f" The company is worth {crores(result['market_cap'])}."
    return f"{text} {dated(result)}{_card(result)}"


def _card(quote: Result) -> str:
    about = (quote["symbol"], quote["name"], quote["current_price"])
    return as_block(blocks.stock_card(*about, quote.get("day_change_pct"), quote.get("momentum_score")))


def fundamentals(company: StockReference, text: str, figures: Result, quote: Result) -> str:
    if "error" in figures:
        return str(figures["error"])
    rows = [(label, write(value)) for label, name, write in FIGURES if (value := figure(figures, name)) is not None]
    parts = [asked_for(company, text, figures)]
    parts.append(f"## Fundamentals of {company.stock_name} ({company.nse_code})\n\n")
    parts += [f"* {line}\n" for line in _reading(figures)]
    parts.append("\n" + table(("Figure", "Value"), rows) + "\n")
    metrics = figures.get("key_metrics") or []
    if metrics:
        years = [key for key in metrics[0] if key != "headers"]
        lines = [[str(row["headers"]), *(plain(row.get(year)) for year in years)] for row in metrics]
        parts.append(f"\n**Ratios from its {figures['type']} statements**\n\n{table(['Ratio', *years], lines)}\n")
    if "error" not in quote:
        parts.append(_card(quote))
    parts.append(dated(figures))
    return "".join(parts)


def _reading(figures: Result) -> list[str]:
    """What the figures say in words, by the usual bands."""
    lines = []
    roe, pe, sector_pe = (figure(figures, name) for name in ("roe_annual_pct", "pe_ttm", "sector_pe_ttm"))
    debt, growth = figure(figures, "debt_to_equity"), figure(figures, "profit_growth_yoy_pct")
    if roe is not None:
        word = "strong" if roe > 15 else "moderate" if roe > 0 else "negative"
        lines.append(f"The return on equity is {word}: {percent(roe)}")
    if pe is not None and pe > 0:
        against = "" if not sector_pe else f", its sector's is {ratio(sector_pe)}"
        lines.append(f"The price is {ratio(pe)} times the earnings{against}")
    if debt is not None and debt >= 0:
        word = "low" if debt < 0.5 else "moderate" if debt < 1 else "high"
        lines.append(f"Debt is {word} for its equity: {ratio(debt)}")
    if growth is not None:
        lines.append(f"Profit {'grew' if growth >= 0 else 'fell'} in a year: {percent(growth)}")
    return lines


def technicals(company: StockReference, text: str, technical: Result, past: Result) -> str:
    if "error" in technical:
        return str(technical["error"])
    levels = technical["support_resistance"]
    parts = [f"## Trend of {company.stock_name} ({company.nse_code})\n\n"]
    parts += [f"{line}\n\n" for line in _states(text.lower(), technical)]
    averages = f"average of 50 days {price(levels['sma_50'])}, of 200 days {price(levels['sma_200'])}"
    parts += [
        f"* Price {price(technical['current_price'])}, {averages}\n",
        f"* RSI {ratio(technical['rsi']['value'])} ({technical['rsi']['state'] or 'unknown'})\n",
        f"* ADX {ratio(technical.get('adx'))}\n",
        f"* MACD {ratio(technical['macd']['value'])} ({technical['macd']['signal'] or 'unknown'})\n",
    ]
    moved = [f"{name} {percent(value)}" for name, value in technical["changes_percent"].items() if value is not None]
    if moved:
        parts.append(f"* Change: {', '.join(moved)}\n")
    parts.append(_drawn(past))
    parts.append(f"\n{dated(technical)}")
    return "".join(parts)


_TRENDS: Sequence[tuple[str, str, str]] = (
    (r"up-?trend", "in an uptrend", "Bullish"),
    (r"down-?trend", "in a downtrend", "Bearish"),
    ("bullish", "bullish", "Bullish"),
    ("bearish", "bearish", "Bearish"),
)
_UNKNOWN_TRENDS = ("", "Unknown")


def _states(text: str, technical: Result) -> list[str]:
    """A yes or no for each state that the question names, with the figure that decides it; else the trend."""
    rsi, trend = technical["rsi"]["value"], str(technical.get("trend") or "")
    day = f", as of {str(technical['as_of'])[:10]}" if technical.get("as_of") else ""
    lines = []
    for state, limit, side in (("overbought", OVERBOUGHT, "above"), ("oversold", OVERSOLD, "below")):
        if state in text and rsi is None:
            lines.append(f"Whether it is {state} is not known: there is no RSI of it.")
        elif state in text:
            answer = _yes_or_no(state, is_so=rsi > limit if side == "above" else rsi < limit)
            lines.append(f"{answer}: its RSI is {ratio(rsi)}{day}; {state} is {side} {limit}.")
    for words, state, sign in _TRENDS:
        if not re.search(words, text):
            continue
        if trend in _UNKNOWN_TRENDS:
            lines.append(f"Whether it is {state} is not known.")
        else:
            lines.append(f"{_yes_or_no(state, is_so=sign in trend)} by its moving averages: {trend}{day}.")
    if not lines and trend not in _UNKNOWN_TRENDS:
        lines.append(f"**{trend}** by its moving averages{day}.")
    return lines


def _yes_or_no(state: str, *, is_so: bool) -> str:
    return f"**Yes, it is {state}**" if is_so else f"**No, it is not {state}**"


def news(company: StockReference, result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    items = [(str(i["title"]), str(i["source"]), i.get("time")) for i in result["items"]]
    lines = "".join(f"* {title} ({source})\n" for title, source, _ in items)
    mood = f"The headlines sound **{result['sentiment']}** (score {count(result['sentiment_score'])})."
    return f"## News about {company.stock_name}\n\n{mood}\n\n{lines}{as_block(blocks.news(items))}{dated(result)}"


def history(company: StockReference, past: Result, quote: Result) -> str:
    if "error" in past:
        return str(past["error"]) if "error" in quote else f"{past['error']}\n\n{_price_of(quote)}"
    points = past["points"]
    first, last = points[0], points[-1]
    text = (
        f"**{company.stock_name}** went from {price(first['value'])} on {first['time']} to {price(last['value'])} "
        f"on {last['time']}."
    )
    if "known_from" in past:
        text += " Earlier prices are not stored here, so this is less than you asked for."
    return f"{text}{_drawn(past)}{dated(past)}"


def overview(quote: Result, figures: Result, technical: Result) -> str:
    parts = [prices([quote])]
    if "error" not in figures:
        parts += ["\n**Fundamentals**\n\n", *(f"* {line}\n" for line in _reading(figures))]
    if "error" not in technical and technical.get("trend"):
        parts.append(f"\n**Trend**: {technical['trend']}, RSI {ratio(technical['rsi']['value'])}\n")
    return "".join(parts)


def _drawn(past: Result) -> str:
    if "error" in past or not past.get("points"):
        return ""
    points = [(point["time"], point["value"]) for point in past["points"]]
    return as_block(blocks.chart(points, past["period"].upper().removesuffix("O")))


def _moved(change: float) -> str:
    return f"{'up' if change >= 0 else 'down'} {percent(abs(change))}"
