"""Who is listed: generated companies, or those of an exchange's own files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from bench.stock_names import SECTORS, identity_of

EQUITY_LIST, SECTOR_LIST = "EQUITY_L.csv", "nse_sectors.csv"
# As published, blanks included.
EQUITY_HEADER = (
    "SYMBOL", "NAME OF COMPANY", " SERIES", " DATE OF LISTING",
    " PAID UP VALUE", " MARKET LOT", " ISIN NUMBER", " FACE VALUE",
)  # fmt: skip
SECTOR_HEADER = ("symbol", "name", "sector", "industry_group", "industry", "isin", "website", "market_cap_class")
_TRADES = tuple((sector, industry) for sector, industries in SECTORS.items() for industry in industries)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the exchange's list with its sector; `has_sector` tells whether the sector list names it."""

    symbol: str
    name: str
    series: str
    isin: str
    listed_on: date
    face_value: float
    sector: str
    industry: str
    website: str
    has_sector: bool = True


def generated(count: int) -> list[Listed]:
    """The first `count` companies of bench.stock_names."""
    return [_generated(number) for number in range(count)]


def read(folder: Path) -> list[Listed]:
    """The rows of EQUITY_L.csv, with sectors of nse_sectors.csv where that knows them, else made-up ones."""
    known = {row["symbol"]: row for row in _rows(folder / SECTOR_LIST)} if (folder / SECTOR_LIST).exists() else {}
    return [_read(row, known.get(row["SYMBOL"])) for row in _rows(folder / EQUITY_LIST)]


def equity_list(listed: Iterable[Listed]) -> bytes:
    """EQUITY_L.csv of these companies."""
    return _csv(
        EQUITY_HEADER,
        [
            (one.symbol, one.name, one.series, one.listed_on.strftime("%d-%b-%Y").upper(), f"{one.face_value:g}", "1",
             one.isin, f"{one.face_value:g}")
            for one in listed
        ],
    )  # fmt: skip


def sector_list(listed: Iterable[Listed]) -> bytes:
    """nse_sectors.csv of those that have a sector."""
    return _csv(
        SECTOR_HEADER,
        [
            (one.symbol, one.name, one.sector, one.sector, one.industry, one.isin, one.website, "")
            for one in listed
            if one.has_sector
        ],
    )


def _generated(number: int) -> Listed:
    who = identity_of(number)
    chance = Random(f"{who.nse_code} listing")  # noqa: S311 - made up, not secret
    return Listed(
        symbol=who.nse_code,
        name=who.stock_name,
        series=chance.choices(("EQ", "BE", "BZ", "SM"), (90, 6, 2, 2))[0],
        isin=f"INE{number:06d}010",
        listed_on=date(1995, 1, 2) + timedelta(days=chance.randrange(11_600)),
        face_value=chance.choice((1.0, 2.0, 5.0, 10.0)),
        sector=who.sector_name,
        industry=who.industry_name,
        website=_website(who.nse_code),
        has_sector=chance.random() < 0.9,
    )


def _read(row: dict[str, str], known: dict[str, str] | None) -> Listed:
    symbol = row["SYMBOL"]
    sector, industry = Random(f"{symbol} trade").choice(_TRADES)  # noqa: S311 - made up, not secret
    facts = known or {}
    return Listed(
        symbol=symbol,
        name=row["NAME OF COMPANY"],
        series=row["SERIES"],
        isin=row["ISIN NUMBER"],
        listed_on=datetime.strptime(row["DATE OF LISTING"], "%d-%b-%Y").date(),  # noqa: DTZ007 - a day has no zone
        face_value=float(row["FACE VALUE"]),
        sector=facts.get("sector") or sector,
        industry=facts.get("industry") or industry,
        website=facts.get("website") or _website(symbol),
        has_sector=bool(facts.get("sector")),
    )


def _website(symbol: str) -> str:
    return f"https://www.{''.join(one for one in symbol.lower() if one.isalnum())}.example"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            {(name or "").strip(): (value or "").strip() for name, value in row.items() if name is not None}
            for row in csv.DictReader(file)
        ]


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
