"""Companies side by side."""

from __future__ import annotations

from collections.abc import Sequence

from klyx.services.chat import blocks
from klyx.services.chat.builtin.figures import METRICS, Results, asked_for, figure
from klyx.services.chat.builtin.writing import crores, dated, percent, price, ratio, table
from klyx.services.chat.safety import as_block
from klyx.services.stocks import StockReference


def comparison(
    companies: Sequence[StockReference], text: str, quotes: Results, figures: Results, technical: Results
) -> str:
    """`technical` may be empty; two companies get a block, more of them a table."""
    failed = [str(result["error"]) for result in (*quotes, *figures) if "error" in result]
    if all("error" in result for result in (*quotes, *figures)):
        return "\n".join(dict.fromkeys(failed))
    rows = _rows(quotes, figures, technical)
    symbols = [str(company.nse_code) for company in companies]
    names = [f"{company.stock_name} ({company.nse_code})" for company in companies]
    parts = [f"## {' against '.join(names)}\n\n"]
    parts += [asked_for(company, text, known) for company, known in zip(companies, figures, strict=True)]
    if len(companies) == 2:
        parts += [f"* {line}\n" for line in _verdicts(companies, figures)]
        parts.append(as_block(blocks.comparison(symbols, rows)))
    else:
        parts.append(table(["Figure", *symbols], [[label, *values] for label, values in rows]) + "\n\n")
    return "".join([*parts, *(f"{line}\n\n" for line in dict.fromkeys(failed)), _dates(quotes)])


def _rows(quotes: Results, figures: Results, technical: Results) -> list[tuple[str, list[str]]]:
    rows: list[tuple[str, list[str]]] = [
        ("Price", [price(quote.get("current_price")) for quote in quotes]),
        ("Day change", [percent(quote.get("day_change_pct")) for quote in quotes]),
        ("Market cap", [crores(quote.get("market_cap")) for quote in quotes]),
    ]
    rows += [(label, [write(figure(result, name)) for result in figures]) for label, name, write in METRICS]
    if technical:
        rows.append(("Trend", [str(result.get("trend") or "N/A") for result in technical]))
        rows.append(("RSI", [ratio((result.get("rsi") or {}).get("value")) for result in technical]))
    return rows


def _verdicts(companies: Sequence[StockReference], figures: Results) -> list[str]:
    lines = []
    for label, name, better in (
        ("is valued lower by P/E", "pe_ttm", min),
        ("earns more on its equity (ROE)", "roe_annual_pct", max),
        ("has less debt for its equity", "debt_to_equity", min),
        ("grew its revenue faster", "revenue_growth_yoy_pct", max),
    ):
        values = [figure(result, name) for result in figures]
        if None in values or values[0] == values[1] or (name == "pe_ttm" and min(values) <= 0):
            continue
        winner = values.index(better(values))
        shown = " against ".join(ratio(value) for value in (values[winner], values[1 - winner]))
        unit = " %" if name.endswith("_pct") else ""
        lines.append(f"**{companies[winner].nse_code}** {label}: {shown}{unit}")
    return lines


def _dates(results: Results) -> str:
    return next((dated(result) for result in results if "error" not in result), "")
