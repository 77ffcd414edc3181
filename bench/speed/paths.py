"""What the rows ask for. Stocks, names and words are those that the generator gives every database."""

from __future__ import annotations

from urllib.parse import quote

from bench.speed.client import Connection, Request
from bench.speed.figures import Missing
from bench.stock_names import SECTORS, house_word, identity_of
from bench.stocks import generate

LIST = "/api/database/stocks?limit=50"
PRESETS = "/api/screener/presets"
FILTER = "/api/screener/filter"
BATCH = "/api/database/stocks/batch"
# Searches and batches take companies from here on: these are in every database, and known by more than their name.
FIRST_ORDINARY = 30


def details(nse_code: str) -> str:
    return f"/api/database/stocks/{quote(nse_code, safe='')}"


def search(text: str, limit: int = 50) -> str:
    return f"/api/database/stocks?search={quote(text)}&limit={limit}"


def in_sector(sector: str) -> str:
    return f"/api/database/stocks?limit=50&sector={quote(sector)}"


def preset(preset_id: str) -> str:
    return f"/api/screener/preset/{preset_id}"


def symbols(count: int) -> list[str]:
    """Symbols that are in every database of at least `count` stocks."""
    return [row["nse_code"] for row in generate(count) if row["nse_code"] is not None]


def portfolio(size: int, first: int = FIRST_ORDINARY) -> list[str]:
    """Names of so many stocks."""
    return [identity_of(number).stock_name for number in range(first, first + size)]


def words(count: int) -> list[str]:
    """Words of which each finds three stocks."""
    return [house_word(house) for house in range(10, 10 + count)]


def sectors(count: int) -> list[str]:
    return list(SECTORS)[:count]


def preset_ids(connection: Connection) -> list[str]:
    """What GET /api/screener/presets lists. Raises Missing when there is no screener."""
    answer = connection.send(Request(PRESETS), expected_status=None)
    if answer.status != 200:
        raise Missing(f"GET {PRESETS} answers {answer.status}: this application has no screener.")
    return [one["id"] for one in answer.json()["data"]]
