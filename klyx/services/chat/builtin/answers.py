"""From the tools' results to text and UI blocks. Pure; every figure is one of the results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from klyx.services.chat import blocks
from klyx.services.chat.builtin.names import UnclearName
from klyx.services.chat.builtin.writing import count, crores, dated, percent, price, ratio, table
from klyx.services.chat.conditions import CHANGES, fields_in
from klyx.services.chat.resolve import MOST_CANDIDATES
from klyx.services.chat.safety import as_block
from klyx.services.chat.understanding import Understood
from klyx.services.stocks import StockReference

Result = Mapping[str, Any]
Results = list[Mapping[str, Any]]

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
_METRICS: Sequence[tuple[str, str, Any]] = (
    ("P/E (TTM)", "pe_ttm", ratio),
    ("Price to book", "pb_ratio", ratio),
    ("ROE", "roe_annual_pct", percent),
    ("Net margin", "net_profit_margin_pct", percent),
    ("Debt to equity", "debt_to_equity", ratio),
    ("Dividend yield", "dividend_yield_pct", percent),
)
_FIGURES: Sequence[tuple[str, str, Any]] = (
    ("Market cap", "market_cap", crores),
    ("P/E (TTM)", "pe_ttm", ratio),
    ("Sector P/E", "sector_pe_ttm", ratio),
    ("Price to book", "pb_ratio", ratio),
    ("PEG", "peg_ratio", ratio),
    ("ROE", "roe_annual_pct", percent),
    ("ROCE", "roce_annual_pct", percent),
    ("Operating margin", "operating_margin_pct", percent),
    ("Net margin", "net_profit_margin_pct", percent),
    ("Revenue growth (year)", "revenue_growth_yoy_pct", percent),
    ("Profit growth (year)", "profit_growth_yoy_pct", percent),
    ("Debt to equity", "debt_to_equity", ratio),
    ("Current ratio", "current_ratio", ratio),
    ("Dividend yield", "dividend_yield_pct", percent),
    ("Promoter holding", "promoter_holding_pct", percent),
    ("Piotroski score (of 9)", "piotroski_score", count),
)
_MORE: Sequence[tuple[str, str, Any]] = (
    ("RSI", "rsi", ratio),
    ("ADX", "adx", ratio),
    ("ROA", "roa_annual_pct", percent),
    ("FII holding", "fii_holding_pct", percent),
    ("DII holding", "dii_holding_pct", percent),
    ("Revenue of the year", "revenue_annual", crores),
    ("Net profit of the year", "net_profit_annual", crores),
    ("Durability score", "durability_score", count),
    ("Valuation score", "valuation_score", count),
)
_PERIODS = (
    (r"five years|5 ?y(?:ea)?rs?", "5y"),
    (r"two years|2 ?y(?:ea)?rs?", "2y"),
    (r"(?:one|last|past|a|1) ?-?y(?:ea)?r|12 months", "1y"),
    (r"(?:three|3) ?-?(?:months?|mo)\b|quarter", "3mo"),
    (r"(?:one|last|past|a|1) ?-?month", "1mo"),
    (r"year to date|ytd|this year", "ytd"),
    (r"all time|maximum|max|ever", "max"),
)
_WHEN = {column: period for period, column in CHANGES.items() if period != "today"}


def period_in(text: str) -> str:
    plain = text.lower()
    return next((period for words, period in _PERIODS if re.search(rf"\b(?:{words})", plain)), "6mo")


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


def comparison(
    companies: Sequence[StockReference], quotes: Results, figures: Results, technical: Results
) -> str:
    failed = [str(result["error"]) for result in quotes if "error" in result]
    if len(failed) == len(quotes):
        return "\n".join(failed)
    rows: list[tuple[str, list[str]]] = [
        ("Price", [price(quote.get("current_price")) for quote in quotes]),
        ("Day change", [percent(quote.get("day_change_pct")) for quote in quotes]),
        ("Market cap", [crores(quote.get("market_cap")) for quote in quotes]),
    ]
    rows += [(label, [write(_figure(result, name)) for result in figures]) for label, name, write in _METRICS]
    rows.append(("Trend", [str(result.get("trend") or "N/A") for result in technical]))
    rows.append(("RSI", [ratio((result.get("rsi") or {}).get("value")) for result in technical]))
    symbols = [str(company.nse_code) for company in companies]
    first, second = (f"{company.stock_name} ({company.nse_code})" for company in companies)
    text = f"## {first} against {second}\n\n" + "".join(f"* {line}\n" for line in _verdicts(companies, figures))
    block = as_block(blocks.comparison(symbols, rows))
    return "".join([text, *(f"\n{line}" for line in failed), block, _dates(quotes)])


def _verdicts(companies: Sequence[StockReference], figures: Results) -> list[str]:
    lines = []
    for label, name, better in (
        ("is valued lower by P/E", "pe_ttm", min),
        ("earns more on its equity (ROE)", "roe_annual_pct", max),
        ("has less debt for its equity", "debt_to_equity", min),
        ("grew its revenue faster", "revenue_growth_yoy_pct", max),
    ):
        values = [_figure(result, name) for result in figures]
        if None in values or values[0] == values[1] or (name == "pe_ttm" and min(values) <= 0):
            continue
        winner = values.index(better(values))
        shown = " against ".join(ratio(value) for value in (values[winner], values[1 - winner]))
        unit = " %" if name.endswith("_pct") else ""
        lines.append(f"**{companies[winner].nse_code}** {label}: {shown}{unit}")
    return lines


def asked_for(company: StockReference, text: str, figures: Mapping[str, Any]) -> str:
    """The figures that the question names, first and in words; empty when it names none that is known."""
    writers = {name: (label, write) for label, name, write in (*_FIGURES, *_MORE)}
    lines = []
    for name in fields_in(text):
        if name in writers and figures.get(name) is not None:
            label, write = writers[name]
            lines.append(f"**{label} of {company.stock_name}: {write(figures[name])}**\n\n")
    return "".join(lines)


def fundamentals(company: StockReference, text: str, figures: Result, quote: Result) -> str:
    if "error" in figures:
        return str(figures["error"])
    rows = [(label, write(value)) for label, name, write in _FIGURES if (value := _figure(figures, name)) is not None]
    parts = [asked_for(company, text, figures.get("figures") or {})]
    parts.append(f"## Fundamentals of {company.stock_name} ({company.nse_code})\n\n")
    parts += [f"* {line}\n" for line in _reading(figures)]
    parts.append("\n" + table(("Figure", "Value"), rows) + "\n")
    metrics = figures.get("key_metrics") or []
    if metrics:
        years = [key for key in metrics[0] if key != "headers"]
        lines = [[str(row["headers"]), *(_plain(row.get(year)) for year in years)] for row in metrics]
        parts.append(f"\n**Ratios from its {figures['type']} statements**\n\n{table(['Ratio', *years], lines)}\n")
    if "error" not in quote:
        parts.append(_card(quote))
    parts.append(dated(figures))
    return "".join(parts)


def _reading(figures: Result) -> list[str]:
    """What the figures say in words, by the usual bands."""
    lines = []
    roe, pe, sector_pe = (_figure(figures, name) for name in ("roe_annual_pct", "pe_ttm", "sector_pe_ttm"))
    debt, growth = _figure(figures, "debt_to_equity"), _figure(figures, "profit_growth_yoy_pct")
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
    trend = str(technical.get("trend") or "")
    levels = technical["support_resistance"]
    named = {"rsi": technical["rsi"]["value"], "adx": technical.get("adx")}
    parts = [asked_for(company, text, named)]
    parts.append(f"## Trend of {company.stock_name} ({company.nse_code})\n\n")
    if trend:
        direction = "Yes, it is in an uptrend" if "Bullish" in trend else "No, it is not in an uptrend"
        parts.append(f"**{direction}** by its moving averages: {trend}.\n\n")
    averages = f"average of 50 days {price(levels['sma_50'])}, of 200 days {price(levels['sma_200'])}"
    parts += [
        f"* Price {price(technical['current_price'])}, {averages}\n",
        f"* RSI {ratio(technical['rsi']['value'])} ({technical['rsi']['state'] or 'unknown'})\n",
        f"* MACD {ratio(technical['macd']['value'])} ({technical['macd']['signal'] or 'unknown'})\n",
    ]
    moved = [f"{name} {percent(value)}" for name, value in technical["changes_percent"].items() if value is not None]
    if moved:
        parts.append(f"* Change: {', '.join(moved)}\n")
    parts.append(_drawn(past))
    parts.append(f"\n{dated(technical)}")
    return "".join(parts)


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
    return f"{text}{_drawn(past)}{dated(past)}"


def overview(quote: Result, figures: Result, technical: Result) -> str:
    parts = [prices([quote])]
    if "error" not in figures:
        parts += ["\n**Fundamentals**\n\n", *(f"* {line}\n" for line in _reading(figures))]
    if "error" not in technical and technical.get("trend"):
        parts.append(f"\n**Trend**: {technical['trend']}, RSI {ratio(technical['rsi']['value'])}\n")
    return "".join(parts)


def screen(understood: Understood, result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    ranking = understood.ranking
    if ranking is not None and ranking.moved:
        parts = [f"## Top {'gainers' if ranking.descending else 'losers'} of the {_WHEN[ranking.column]}\n\n"]
    else:
        parts = []
    parts.append(f"I looked for stocks with this: {understood.explanation}.\n\n")
    if understood.unread:
        parts.append(unread(understood.unread))
    if not result["total_matches"]:
        parts.append("No stock meets all of that. Loosen a condition and try again.")
        return "".join(parts)
    parts.append(f"**{result['total_matches']}** of {result['total_stocks']} stocks match. The first are:\n\n")
    return "".join([*parts, _rows(result), f"\n{dated(result)}"])


def portfolio(result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    known = [holding for holding in result["holdings"] if holding.get("day_change_pct") is not None]
    rising = sum(holding["day_change_pct"] > 0 for holding in known)
    rows = [
        (h["stock_name"], price(h.get("current_price")), percent(h.get("day_change_pct")), ratio(h.get("pe_ttm")))
        for h in result["holdings"]
    ]
    parts = [f"Your portfolio has **{result['count']}** stocks; {rising} of {len(known)} rose on their last day.\n\n"]
    if rows:
        parts.append(table(("Stock", "Price", "Day change", "P/E"), rows))
    if result["not_listed"]:
        parts.append(f"\n\nWithout figures here: {', '.join(result['not_listed'])}.")
    return "".join([*parts, f"\n\n{dated(result)}"])


def debts(result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    lines = []
    for debt in result["debts"]:
        if isinstance(debt, Mapping):
            about = [" ".join(str(debt[key]).split()) for key in ("name", "type") if debt.get(key)]
            amounts = [f"{key}: {_plain(value)}" for key, value in debt.items() if isinstance(value, int | float)]
            lines.append(f"* {' '.join(about) or 'Debt'} ({', '.join(amounts)})\n")
    text = f"Your plan **{result['name']}** has {len(lines)} debts and {price(result['monthly_budget'])} a month.\n\n"
    return f"{text}{''.join(lines)}\n{dated(result)}"


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


def unread(words: str) -> str:
    return f'I could not use this part of the question: "{words}".\n\n'


def _figure(result: Result, name: str) -> Any:
    return (result.get("figures") or {}).get(name)


def _rows(result: Result) -> str:
    shown = [key for key in result["results"][0] if key not in ("id", "NSE Code")]
    rows = [
        [f"{row['Stock Name']} ({row['NSE Code']})", *(_cell(key, row[key]) for key in shown[1:])]
        for row in result["results"]
    ]
    return table(["Stock", *map(_heading, shown[1:])], rows)


def _heading(name: str) -> str:
    """Fields without a name for people are headed by their column."""
    return f"{name.removesuffix('_pct').replace('_', ' ').capitalize()} %" if name.endswith("_pct") else name


def _cell(heading: str, value: Any) -> str:
    if heading == "Current Price":
        return price(value)
    if heading in ("Market Capitalization", "Operating Revenue Annual", "Net Profit Annual"):
        return crores(value)
    if isinstance(value, int | float) and heading.endswith(("%", "_pct")):
        return percent(value)
    return _plain(value)


def _drawn(past: Result) -> str:
    if "error" in past or not past.get("points"):
        return ""
    points = [(point["time"], point["value"]) for point in past["points"]]
    return as_block(blocks.chart(points, past["period"].upper().removesuffix("O")))


def _dates(results: Results) -> str:
    return next((dated(result) for result in results if "error" not in result), "")


def _moved(change: float) -> str:
    return f"{'up' if change >= 0 else 'down'} {percent(abs(change))}"


def _plain(value: Any) -> str:
    if value is None:
        return "N/A"
    return ratio(value) if isinstance(value, float) else str(value)
