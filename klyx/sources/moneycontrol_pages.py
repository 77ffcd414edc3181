"""Where MoneyControl keeps what it knows of a company: its search, and the addresses that follow from it."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from klyx.sources.base import Section, SourceUnavailable, StatementKind

HOST = "www.moneycontrol.com"
BASE_URL = f"https://{HOST}"
SEARCH_PATH = "/mccode/common/autosuggestion_solr.php"
SHORT_STATEMENT_PATH = "/mc/widget/mcfinancials/getFinancialData"
# A search answers a handful; more of it is not looked at.
MOST_CANDIDATES = 50
SECTION_NAMES: dict[Section, str] = {
    "balance_sheet": "balance-sheet",
    "profit_loss": "profit-loss",
    "cash_flow": "cash-flow",
    "ratios": "ratios",
}
_QUOTE_PATH = re.compile(r"/india/stockpricequote/([a-z0-9&-]{1,60})/([a-z0-9&-]{1,80})/([A-Z0-9&]{1,20})/?")
_TAG = re.compile(r"<[^>]*>")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")
_BSE_CODE = re.compile(r"\d{6}", re.ASCII)
_CODES = re.compile(r"<span[^>]*>(.*?)</span>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class CompanyPages:
    """A company as its addresses name it. The parts come from a search, so they are checked when it is made."""

    sector: str
    slug: str
    page_id: str
    isin: str | None = None
    bse_code: str | None = None

    def __post_init__(self) -> None:
        if not _QUOTE_PATH.fullmatch(self.quote_path):
            raise ValueError("no address of a company")

    @property
    def quote_path(self) -> str:
        return f"/india/stockpricequote/{self.sector}/{self.slug}/{self.page_id}"

    @property
    def shareholding_path(self) -> str:
        return f"/company-facts/{self.slug}/shareholding-pattern/{self.page_id}"

    def statement_path(self, section: Section, kind: StatementKind, page: int) -> str:
        """Each page has five years; the first has the newest."""
        group = "consolidated-" if kind == "consolidated" else ""
        older = f"/{page}" if page > 1 else ""
        return f"/financials/{self.slug}/{group}{SECTION_NAMES[section]}VI/{self.page_id}{older}"

    def short_statement_query(self, section: Section, kind: StatementKind) -> dict[str, str]:
        return {
            "classic": "true",
            "referenceId": SECTION_NAMES[section],
            "requestType": "C" if kind == "consolidated" else "S",
            "scId": self.page_id,
            "frequency": "12",
        }

    def is_page(self, link: str, path: str) -> bool:
        """Whether a link of one of the company's pages leads to this path, and nowhere else."""
        address = _split(link)
        if address is None or address.path != path:
            return False
        return (address.scheme, address.netloc) in {("", ""), ("https", HOST), ("http", HOST)}


def search_query(symbol: str) -> dict[str, str]:
    return {"classic": "true", "query": symbol, "type": "1", "format": "json"}


def find_company(document: bytes, symbol: str) -> CompanyPages | None:
    """The company whose NSE code is exactly `symbol`, None when no candidate has it.

    A candidate shows its codes as "<span>ISIN, NSE code, BSE code</span>" and links to its page; the link counts
    only when it leads to a page of the expected form on MoneyControl itself. Raises SourceUnavailable for an
    answer that is not the search's.
    """
    try:
        candidates = json.loads(document)
    except ValueError as error:
        raise SourceUnavailable("MoneyControl's search sent an answer that cannot be read") from error
    if not isinstance(candidates, list):
        raise SourceUnavailable("MoneyControl's search sent an answer that cannot be read")
    for candidate in candidates[:MOST_CANDIDATES]:
        if isinstance(candidate, dict):
            codes = _codes(str(candidate.get("pdt_dis_nm") or ""))
            pages = _pages(str(candidate.get("link_src") or ""), codes) if codes.nse_code == symbol else None
            if pages is not None:
                return pages
    return None


class _Codes(NamedTuple):
    isin: str | None
    nse_code: str | None
    bse_code: str | None


def _codes(display: str) -> _Codes:
    """The codes by their position; a company that an exchange does not list has a blank there."""
    span = _CODES.search(display)
    text = html.unescape(_TAG.sub("", span[1] if span else ""))
    parts = [part.strip().upper() for part in text.split(",")]
    isin, nse_code, bse_code = (*parts, "", "")[:3]
    return _Codes(
        isin if _ISIN.fullmatch(isin) else None, nse_code or None, bse_code if _BSE_CODE.fullmatch(bse_code) else None
    )


def _pages(link: str, codes: _Codes) -> CompanyPages | None:
    address = _split(link)
    if address is None or address.scheme not in ("http", "https") or address.netloc != HOST:
        return None
    found = _QUOTE_PATH.fullmatch(address.path)
    if found is None:
        return None
    return CompanyPages(found[1], found[2], found[3], codes.isin, codes.bse_code)


def _split(link: str) -> SplitResult | None:
    try:
        return urlsplit(link)
    except ValueError:
        return None
