"""The plans of the hot queries on 100,000 stocks: `python -m bench.plans [--analyze] [--count 100000]`.

The statements are those that the services send, noted on their way to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from bench.stocks import fill
from klyx.database import Database, DatabaseSettings, migrations
from klyx.database.models import Stock
from klyx.services import stocks
from tests.servers import ThrowAwayPostgres

BATCH_NAMES = 500
DEEP_OFFSET = 50_000
Query = Callable[[Session], object]


def hot_queries(names: list[str]) -> Mapping[str, Query]:
    """What pages ask for all day; `names` is what a batch asks for."""
    return {
        "list": lambda session: stocks.list_stocks(session, limit=50),
        "list, far down": lambda session: stocks.list_stocks(session, limit=50, offset=DEEP_OFFSET),
        "count": stocks.count_stocks,
        "sector": lambda session: stocks.list_stocks(session, limit=50, sector="Pharmaceuticals"),
        "search": lambda session: stocks.list_stocks(session, limit=50, search="vurlim"),
        "search, common word": lambda session: stocks.list_stocks(session, limit=50, search="finance"),
        "search, one letter": lambda session: stocks.list_stocks(session, limit=50, search="m"),
        "details": lambda session: stocks.find_stock(session, "M&M"),
        "batch": lambda session: stocks.batch(session, names),
        "sectors": stocks.sectors,
        "statistics": stocks.statistics,
    }


def some_names(session: Session, count: int = BATCH_NAMES) -> list[str]:
    """Names, symbols, ISINs and unknown names, in turn."""
    columns = (Stock.stock_name, Stock.nse_code, Stock.isin)
    rows = session.execute(select(*columns).where(Stock.id % 3 == 0).order_by(Stock.id).limit(count))
    spellings = [(*row, f"Unknown {number}") for number, row in enumerate(rows)]
    return [spelling[number % 4] or spelling[0].upper() for number, spelling in enumerate(spellings)]


@contextmanager
def noted_statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Every statement sent meanwhile, with its parameters."""
    noted: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        noted.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(engine, "before_cursor_execute", note)


def explain(database: Database, query: Query, options: str = "FORMAT JSON") -> list[Any]:
    """What PostgreSQL says of each statement that `query` sends: plans, or lines of text with FORMAT TEXT."""
    with database.read() as session:
        with noted_statements(database.engine) as noted:
            query(session)
        connection = session.connection()
        return [
            row[0]
            for statement, parameters in noted
            for row in connection.exec_driver_sql(f"EXPLAIN ({options}) {statement}", parameters)
        ]


@click.command()
@click.option("--count", default=100_000, show_default=True, help="How many stocks.")
@click.option("--analyze", is_flag=True, help="Run the statements and show times.")
@click.option("--url", help="A PostgreSQL database that is filled already, instead of a throw-away one.")
def main(count: int, analyze: bool, url: str | None) -> None:
    """Print the plans of the hot queries."""
    if url:
        _print_plans(url, analyze=analyze)
        return
    with ThrowAwayPostgres() as server:
        new = server.create_database()
        database = Database(DatabaseSettings(url=new))
        migrations.initialise(database)
        fill(database, count)
        database.dispose()
        _print_plans(new, analyze=analyze)


def _print_plans(url: str, *, analyze: bool) -> None:
    database = Database(DatabaseSettings(url=url))
    with database.read() as session:
        names = some_names(session)
    for name, query in hot_queries(names).items():
        click.secho(f"\n== {name}", bold=True)
        for line in explain(database, query, "ANALYZE, BUFFERS, FORMAT TEXT" if analyze else "FORMAT TEXT"):
            click.echo(line if len(line) < 400 else f"{line[:400]} ...")
    database.dispose()


if __name__ == "__main__":
    main()
