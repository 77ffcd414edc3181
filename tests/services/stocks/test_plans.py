"""PostgreSQL's plans at 100,000 stocks: no hot query reads the whole table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import DDL, Column, Integer, MetaData, String, Table, func, insert, literal, select, text
from sqlalchemy.orm import Session

from bench.plans import explain, hot_queries, some_names
from bench.stock_names import identity_of
from bench.stocks import fill
from klyx.database import Database, DatabaseSettings
from klyx.database.models import Stock, StockMetadata
from klyx.services import stocks
from tests.servers import ThrowAwayPostgres

STOCKS = 100_000
GENERATED = 2_000
RUN = "ANALYZE, TIMING OFF, FORMAT JSON"
IDENTITY = ("id", "stock_name", "nse_code", "isin", "sector_name", "industry_name")
HOT = ("list", "count", "sector", "search", "details", "batch", "sectors")
OTHERS = ("list, far down", "search, common word", "search, one letter", "statistics")


@pytest.fixture(scope="module")
def large(postgres: ThrowAwayPostgres, postgres_template: str) -> Iterator[Database]:
    """A database of 100,000 stocks, those that have been generated and further companies with their figures."""
    url = postgres.create_database(postgres_template)
    database = Database(DatabaseSettings(url=url, statement_timeout_seconds=120))
    fill(database, GENERATED)
    with database.begin() as session:
        indexes = drop_indexes(session)
        multiply(session, add_companies(session))
        for definition in indexes:
            session.execute(text(definition))
    # Nothing new is generated, but the planner is told of what there is.
    fill(database, 0)
    yield database
    database.dispose()
    postgres.drop_database(url)


def add_companies(session: Session) -> Table:
    """Who the further companies are, in a temporary table."""
    columns = (Column(name, Integer if name == "id" else String) for name in IDENTITY)
    companies = Table("companies", MetaData(), *columns, prefixes=["TEMPORARY"])
    companies.create(session.connection())
    rows = io.StringIO()
    for number in range(GENERATED, STOCKS):
        who = identity_of(number)
        values = (number + 1, who.stock_name, who.nse_code, f"INE{number:06d}010", who.sector_name, who.industry_name)
        rows.write("\t".join(map(str, values)) + "\n")
    rows.seek(0)
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor:
        cursor.copy_from(rows, companies.name, columns=IDENTITY)
    return companies


def drop_indexes(session: Session) -> list[str]:
    """Drop the indexes of no constraint, and tell how to make them again: at the end they take a third of the time."""
    rows = session.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'stocks' "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
    ).all()
    for name, _ in rows:
        session.execute(DDL(f"DROP INDEX {name}"))  # type: ignore[no-untyped-call]
    return [definition for _, definition in rows]


def multiply(session: Session, companies: Table) -> None:
    """Give the figures of generated stocks to these companies; to generate so many takes a minute."""
    stock, facts = Stock.__table__.c, StockMetadata.__table__.c
    source = companies.c.id % GENERATED + 1
    # Not quite the same ones, or every market cap would be that of 25 companies.
    cap = (stock.market_cap * (1 + companies.c.id / literal(1e6))).label("market_cap")
    figures = [column for column in stock if column.name not in (*IDENTITY, "market_cap")]
    chosen = select(*companies.c, cap, *figures).join(Stock.__table__, stock.id == source)
    session.execute(insert(Stock).from_select([*IDENTITY, "market_cap", *(c.name for c in figures)], chosen))
    kept = [column for column in facts if column.name not in ("id", "stock_id")]
    others = select(companies.c.id, *kept).join(StockMetadata.__table__, facts.stock_id == source)
    session.execute(insert(StockMetadata).from_select(["stock_id", *(c.name for c in kept)], others))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, the whole tree."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("name", [*HOT, *OTHERS])
def test_no_hot_query_scans_the_table(large: Database, name: str) -> None:
    with large.read() as session:
        assert session.scalar(select(func.max(Stock.id))) == STOCKS
        names = some_names(session)
    query = hot_queries(names)[name]
    plans = explain(large, query)
    assert len(plans) == 1
    read = [node for node in nodes(plans[0][0]["Plan"]) if "Relation Name" in node or "Index Name" in node]
    assert any(node.get("Relation Name") == "stocks" for node in read)
    assert [node["Node Type"] for node in read if "Seq Scan" in node["Node Type"]] == []


@pytest.mark.parametrize("name", ["list", "count", "list, far down", "sectors", "statistics"])
def test_what_can_be_read_from_indexes_alone_is(large: Database, name: str) -> None:
    plan = explain(large, hot_queries([])[name])[0][0]["Plan"]
    scans = [node for node in nodes(plan) if node.get("Relation Name") == "stocks"]
    # A page's own rows are wide, and looked up one by one.
    assert {node["Node Type"] for node in scans if node.get("Index Name") != "pk_stocks"} == {"Index Only Scan"}


def test_the_test_would_notice_a_scan(large: Database) -> None:
    plan = explain(large, lambda session: session.execute(select(func.sum(Stock.pe_ttm), func.sum(Stock.pb_ratio))))
    assert "Seq Scan" in {node["Node Type"] for node in nodes(plan[0][0]["Plan"])}


def test_a_search_looks_no_further_than_its_page_needs(large: Database) -> None:
    with large.read() as session:
        name = some_names(session, 1)[0]
    cases: tuple[tuple[dict[str, Any], int], ...] = (
        ({"search": "zzzzqq", "limit": 50}, 0),
        ({"search": "ltd", "limit": 50}, 1),  # many contain it, none begins with it: no index of parts of texts
        ({"search": "shri", "limit": 50}, 2),  # so many begin with it that the largest companies fill the page
        ({"search": name, "limit": 1}, 3),  # as a portfolio asks, one by one
    )
    for query, left_out in cases:
        plan = explain(large, partial(stocks.list_stocks, **query), RUN)[0][0]["Plan"]
        steps = [node for node in nodes(plan) if node.get("Relation Name") == "stocks" and node["Alias"] != "stocks"]
        assert len(steps) == 4
        assert sum(step["Actual Loops"] == 0 for step in steps) == left_out, query
