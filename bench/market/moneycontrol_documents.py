"""MoneyControl's answers in their shapes: the search, statements in pages of five years, ratios, and owners."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import quote

from bench.market import Answer, Company, Market, Query, State
from bench.market.moneycontrol_rows import CRORE, MINORITY, RATIOS, ROWS, Row
from bench.market.results import Period, Shareholding

HOSTS: Final = ("www.moneycontrol.com",)
SEARCH: Final = "mccode/common/autosuggestion_solr.php"
SHORT_STATEMENT: Final = "mc/widget/mcfinancials/getFinancialData"
YEARS_ON_A_PAGE: Final = 5
_STATEMENT: Final = re.compile(
    r"financials/([a-z0-9]+)/(consolidated-)?(balance-sheet|profit-loss|cash-flow|ratios)VI/(\w+)(?:/(\d))?"
)
_QUOTE: Final = re.compile(r"india/stockpricequote/[^/]+/([a-z0-9]+)/\w+")
_OWNERS: Final = re.compile(r"company-facts/([a-z0-9]+)/shareholding-pattern/\w+")
_TITLES: Final = {
    "balance-sheet": "Balance Sheet of {}",
    "profit-loss": "Profit & Loss account of {}",
    "cash-flow": "Cash Flow of {}",
    "ratios": "Key Financial Ratios of {}",
}
# A slug is letters and digits, so the others of a symbol are written with a `z` before them.
_TO_SLUG: Final = {"z": "zz", "&": "za", "-": "zb", "_": "zc"}
_FROM_SLUG: Final = {written: character for character, written in _TO_SLUG.items()}
Kind = Literal["standalone", "consolidated"]


def symbol_of(_host: str, path: str, query: Query) -> str | None:
    if path == SEARCH:
        return query.get("query", [""])[0].upper() or None
    found = _STATEMENT.fullmatch(path) or _QUOTE.fullmatch(path) or _OWNERS.fullmatch(path)
    return symbol_of_slug(found[1]) if found else None


def answer(company: Company | None, _host: str, path: str, query: Query, state: State) -> Answer:
    if path == SEARCH:
        return _search(company)
    if path == SHORT_STATEMENT:
        company = _by_page_id(state.market).get(query.get("scId", [""])[0])
        kind: Kind = "consolidated" if query.get("requestType") == ["C"] else "standalone"
        part = short_ratios(company, kind) if company else "<p>No Data Found</p>"
        return 200, {"Content-Type": "text/html; charset=utf-8"}, part.encode()
    if company is None:
        return 404, {"Content-Type": "text/html"}, b"<html><body><h1>Page not found</h1></body></html>"
    if found := _STATEMENT.fullmatch(path):
        return _page(
            statement_page(company, found[3], "consolidated" if found[2] else "standalone", int(found[5] or 1))
        )
    if _OWNERS.fullmatch(path) or _QUOTE.fullmatch(path):
        return _page(owners(company))
    return 404, {"Content-Type": "text/html"}, b"<html><body><h1>Page not found</h1></body></html>"


def slug(symbol: str) -> str:
    return "".join(_TO_SLUG.get(character, character) for character in symbol.lower())


def symbol_of_slug(text: str) -> str:
    return re.sub("z[zabc]", lambda found: _FROM_SLUG[found[0]], text).upper()


@lru_cache(maxsize=4)
def _by_page_id(market: Market) -> dict[str, Company]:
    return {company.page_id: company for company in market}


def _search(company: Company | None) -> Answer:
    """Companies by their codes; one whose NSE code only begins alike comes first, as it does in the real answer."""
    nothing: list[dict[str, Any]] = [{"link_src": "", "pdt_dis_nm": "No Result Available", "sc_id": "", "id": ""}]
    found = nothing if company is None else [_candidate(company, f"{company.symbol}X", "other"), _candidate(company)]
    body = json.dumps(found).encode()
    return 200, {"Content-Type": "application/json"}, body


def _candidate(company: Company, code: str | None = None, place: str | None = None) -> dict[str, Any]:
    sector = re.sub(r"[^a-z]+", "-", company.sector.lower()).strip("-") or "diversified"
    link = f"https://{HOSTS[0]}/india/stockpricequote/{sector}/{place or slug(company.symbol)}/{company.page_id}"
    codes = f"{company.listed.isin}, {html.escape(code or company.symbol)}, {company.bse_code}"
    return {
        "link_src": link,
        "link_track": quote(company.name),
        "pdt_dis_nm": f"{html.escape(company.name)}&nbsp;<span>{codes}</span>",
        "sc_id": company.page_id,
        "stock_name": company.name,
        "sc_sector": company.sector,
    }


def statement_page(company: Company, name: str, kind: Kind, number: int) -> str:
    periods = list(reversed(company.statements(kind)))
    shown = periods[(number - 1) * YEARS_ON_A_PAGE :][:YEARS_ON_A_PAGE]
    if not shown:
        return f"<h2>{html.escape(company.name)}</h2><p>Data Not Available for {name} ({kind})</p>"
    title = ("Consolidated " if kind == "consolidated" else "") + _TITLES[name].format(company.name)
    rows = ROWS[name, company.is_financial]
    if (name, kind) == ("profit-loss", "consolidated"):
        rows = (*rows, MINORITY)
    older = "javascript:void();"
    if periods[number * YEARS_ON_A_PAGE :]:
        group = "consolidated-" if kind == "consolidated" else ""
        address = f"financials/{slug(company.symbol)}/{group}{name}VI/{company.page_id}/{number + 1}"
        older = f"https://{HOSTS[0]}/{address}#{company.page_id}"
    return f"""<div id="new-format">{_table(f"{title} (in Rs. Cr.)", shown, rows)}
<div class="clearfix"><a href="{older}"><span class="nextpaging">Previous Years &raquo;</span></a></div></div>"""


def _table(title: str, periods: Sequence[Period], rows: Sequence[Row]) -> str:
    """Merged headings above the years, their lengths below them, and a column for nothing at the end."""
    heads = "".join(f"<td>{period.end:%b %y}</td>" for period in periods)
    months = "".join(f"<td>{period.months} mths</td>" for period in periods)
    lines = [
        f'<tr class="lightbg"><td rowspan="2">{html.escape(title)}</td><td colspan="{len(periods)}">Annual</td></tr>',
        f"<tr>{heads}<td>&nbsp;</td></tr>",
        f"<tr><td>&nbsp;</td>{months}<td>&nbsp;</td></tr>",
    ]
    for label, values in rows:
        if values is None:
            lines.append(f'<tr class="bg"><td colspan="{len(periods) + 2}"><b>{html.escape(label)}</b></td></tr>')
            continue
        cells = "".join(f"<td>{_number(values(period))}</td>" for period in periods)
        lines.append(f'<tr><td class="det">{html.escape(label)}</td>{cells}<td>&nbsp;</td></tr>')
    return f'<table class="mctable1">{"".join(lines)}</table>'


def _number(value: float | None) -> str:
    """With commas as they are set in India: 1,23,456.78."""
    if value is None:
        return "--"
    whole, _, part = f"{abs(value):.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return f"{'-' if value < 0 else ''}{','.join([*groups, tail])}.{part}"


def _page(body: str) -> Answer:
    head = '<title>Moneycontrol</title><script>var stock = {"a": "<table>"};</script>'
    ticker = "<table><tr><td>Sensex</td><td>81,000.00</td></tr></table>"
    text = f"<!DOCTYPE html><html><head>{head}</head><body>{ticker}{body}</body></html>"
    return 200, {"Content-Type": "text/html; charset=utf-8"}, text.encode()


def short_ratios(company: Company, kind: Kind) -> str:
    """A table for each group of ratios, four-digit years, and a column for a small drawing."""
    periods = list(reversed(company.statements(kind)))[:YEARS_ON_A_PAGE]
    if not periods:
        return "<p>No Data Found</p>"
    heads = "".join(f"<th>{period.label}</th>" for period in periods)
    return "".join(
        f"<table><thead><tr><th>{title}</th>{heads}<th>Trend</th></tr></thead><tbody>{body}</tbody></table>"
        for title, body in _ratio_groups(periods)
    )


def _ratio_groups(periods: Sequence[Period]) -> Iterator[tuple[str, str]]:
    title, body = "", ""
    for label, values in (*RATIOS, ("", None)):
        if values is None:
            if body:
                yield title, body
            title, body = label.title(), ""
        else:
            cells = "".join(f"<td>{_number(values(period))}</td>" for period in periods)
            body += f"<tr><td>{html.escape(label)}</td>{cells}<td><svg></svg></td></tr>"


def owners(company: Company) -> str:
    """Oldest quarter first. The pledged part comes under the promoters, and the total above their parts."""
    quarters = company.holdings
    heads = "".join(f"<th>{quarter.end:%b %Y}</th>" for quarter in quarters)
    rows: tuple[tuple[str, Callable[[Shareholding], float]], ...] = (
        ("Promoter Holding", lambda quarter: quarter.promoter),
        ("Pledged Promoter Shares (as % of their holding)", lambda quarter: quarter.pledged),
        ("FII", lambda quarter: quarter.fii),
        ("DII", lambda quarter: quarter.dii),
        ("Mutual Funds", lambda quarter: quarter.mutual_funds),
        ("Public", lambda quarter: quarter.public),
    )
    body = ""
    for label, share in rows:
        cells = "".join(f"<td>{share(quarter) * 100:.2f}%</td>" for quarter in quarters)
        body += f"<tr><td>{label}</td>{cells}</tr>"
    return f"""<h1>{html.escape(company.name)}</h1>
<table><tr><td>Market Cap (Rs. Cr.)</td><td>{_number(company.market_cap / CRORE)}</td></tr></table>
<div id="sharehold"><table><thead><tr><th>Type</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"""
