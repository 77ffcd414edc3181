"""Made-up stocks, as many as wanted: the same ones for the same seed, whatever the count.

Company number 17 is the same among 2,400 and among 100,000. Figures agree with one another as they do on an
exchange (see bench.stock_figures), some percent of every column are unknown, and some stocks are known by name only.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, cast

from psycopg2 import sql
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from bench.stock_figures import figures
from bench.stock_names import FAMOUS, FINANCIAL_SECTOR, Identity, identity_of
from klyx.database import Database
from klyx.database.connection import PooledConnection
from klyx.database.models import Stock
from klyx.database.types import Figure

SEED = 20
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
CHUNK = 5_000
# Of every column; NULLs of other reasons come on top.
UNKNOWN_SHARE = 0.03
NAME_ONLY_SHARE = 0.015
NO_SYMBOL_SHARE = 0.01
LOW_QUALITY_SHARE = 0.07

Row = dict[str, Any]
_STOCKS: Table = Stock.metadata.tables["stocks"]
_FACTS: Table = Stock.metadata.tables["stock_metadata"]
STOCK_COLUMNS = tuple(name for name in _STOCKS.columns.keys() if name != "id")  # noqa: SIM118 - not a dict
FACT_COLUMNS = tuple(
    name
    for name in _FACTS.columns.keys()  # noqa: SIM118 - not a dict
    if name not in ("id", "stock_id", "created_at", "updated_at")
)
_SCALES = {
    column.name: column.type.scale
    for table in (_STOCKS, _FACTS)
    for column in table.columns
    if isinstance(column.type, Figure)
}
_MAY_BE_UNKNOWN = tuple(
    name for name in (*STOCK_COLUMNS, *FACT_COLUMNS) if name not in ("stock_name", "nse_code", "created_at")
)
_MOST_GAPS = round(2 * UNKNOWN_SHARE * len(_MAY_BE_UNKNOWN))


def generate(count: int, seed: int = SEED) -> Iterator[Row]:
    """Rows with every column of `stocks` and the facts of `stock_metadata`, keys included when unknown (None).

    Numbers are rounded as the columns store them. A stock known by name only has no fact at all.
    """
    chance = Random(seed)  # noqa: S311 - made up, not secret
    for number in range(count):
        yield _row(chance, number)


def fill(database: Database, count: int, seed: int = SEED) -> None:
    """Add `count` generated stocks to a database with the current schema, and tell the planner about them."""
    write = _copy if database.dialect_name == "postgresql" else _insert
    rows = generate(count, seed)
    with database.begin() as session:
        first = (session.scalar(select(func.max(Stock.id))) or 0) + 1
        numbered = zip(itertools.count(first), rows, strict=False)
        while chunk := list(itertools.islice(numbered, CHUNK)):
            write(session, _STOCKS, ("id", *STOCK_COLUMNS), ({"id": key, **row} for key, row in chunk))
            facts = ({"stock_id": key, **row} for key, row in chunk if _has_facts(row))
            write(session, _FACTS, ("stock_id", *FACT_COLUMNS), facts)
        if database.dialect_name == "postgresql":
            # VACUUM takes a row for visible to all only when its commit has reached the log.
            session.execute(text("SET LOCAL synchronous_commit = on"))
            session.execute(select(func.setval(func.pg_get_serial_sequence("stocks", "id"), first + count)))
    _analyze(database)


def _row(chance: Random, number: int) -> Row:
    who = identity_of(number)
    row: Row = dict.fromkeys((*STOCK_COLUMNS, *FACT_COLUMNS))
    row.update(who._asdict(), created_at=NOW - timedelta(days=400, seconds=number % 86_400))
    if number >= len(FAMOUS) and chance.random() < NAME_ONLY_SHARE:
        row.update(sector_name=None, industry_name=None, data_quality_score=chance.choice((0, None)))
        return row
    row |= figures(chance, is_financial=who.sector_name == FINANCIAL_SECTOR)
    row |= _registration(chance, who, number)
    row |= _texts(chance, who, row)
    row["data_quality_score"] = chance.randrange(30) if chance.random() < LOW_QUALITY_SHARE else chance.randint(30, 100)
    row["last_updated"] = NOW - timedelta(seconds=chance.randint(0, 5 * 86_400))
    _make_gaps(chance, row, is_famous=number < len(FAMOUS))
    for name, scale in _SCALES.items():
        value = row[name]
        if value is not None:
            row[name] = round(float(value), scale)
    return row


def _registration(chance: Random, who: Identity, number: int) -> Row:
    return {
        "bse_code": str(500_000 + number),
        "isin": f"INE{number:06d}010",
        "stock_code": who.nse_code,
        "website": f"https://www.{who.nse_code.lower().replace('&', '-').replace('_', '-').strip('-')}.example",
        "listing_date": date(1990, 1, 1) + timedelta(days=chance.randint(0, 13_000)),
    }


def _texts(chance: Random, who: Identity, row: Row) -> Row:
    published = int((NOW - timedelta(hours=chance.randint(1, 300))).timestamp())
    headlines = [
        {
            "title": f"{who.stock_name} {event}",
            "link": f"https://news.example/{published}/{number}",
            "publisher": "Market Desk",
            "source": "Market Desk",
            "providerPublishTime": published,
        }
        for number, event in enumerate(chance.sample(_EVENTS, chance.randint(0, 3)))
    ]
    score = chance.randint(-3, 3)
    trend = "rose" if row["year_1_change_pct"] > 0 else "fell"
    return {
        "news_headlines": json.dumps(headlines, ensure_ascii=False) if headlines else None,
        "news_sentiment": "Positive" if score > 0 else "Negative" if score < 0 else "Neutral",
        "news_score": score,
        "financial_insights": f"The price {trend} {abs(row['year_1_change_pct']):.1f} % in a year.",
        "data_sources": chance.choice(("Yahoo Finance", "MoneyControl", "Yahoo Finance, MoneyControl", "Trendlyne")),
        "company_description": f"{who.stock_name} works in {who.industry_name.lower()}, with plants in several states.",
    }


_EVENTS = (
    "reports results for the quarter",
    "wins an order",
    "names a new director",
    "plans a plant",
    "pays a dividend",
)


def _make_gaps(chance: Random, row: Row, *, is_famous: bool) -> None:
    for name in chance.choices(_MAY_BE_UNKNOWN, k=chance.randint(0, _MOST_GAPS)):
        row[name] = None
    if row["fii_holding_pct"] is None or row["dii_holding_pct"] is None:
        row["institutional_holding_pct"] = None
    if not is_famous and chance.random() < NO_SYMBOL_SHARE:
        row["nse_code"] = None


def _has_facts(row: Row) -> bool:
    return any(row[name] is not None for name in FACT_COLUMNS)


def _insert(session: Session, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    chosen = [{name: row[name] for name in columns} for row in rows]
    if chosen:
        session.execute(insert(table), chosen)


def _copy(session: Session, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    buffer = io.StringIO()
    # An empty field without quotes is NULL; no text of ours is empty.
    csv.writer(buffer).writerows([row[name] for name in columns] for row in rows)
    buffer.seek(0)
    session.execute(text("SET LOCAL statement_timeout = 0"))
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    connection = cast("PooledConnection", session.connection().connection.driver_connection)
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, buffer)


def _analyze(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.dialect_name == "postgresql":
            # As autovacuum does on a real server: index-only scans and trigram searches cost what they cost there.
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM (ANALYZE) stocks, stock_metadata"))
        else:
            connection.execute(text("ANALYZE"))
