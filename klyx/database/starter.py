"""The starter list: enough stocks to try the application before any source was asked."""

from collections.abc import Iterable, Mapping

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.types import utc_now
from klyx.database.upsert import upsert

SAMPLE_SOURCE = "Sample data"


def load_starter_list(session: Session, rows: Iterable[Mapping[str, str | int | float | None]]) -> int:
    """Insert the rows whose `nse_code` the database lacks; returns how many. Never changes a stock.

    A row's keys are columns of `stocks` (stock_name and nse_code always) and of `stock_metadata`. The new
    stocks name their source as sample data and have no `last_updated`, so that a refresh takes them first.
    """
    known = set(session.scalars(select(Stock.nse_code)))
    fresh = [row for row in rows if row["nse_code"] not in known]
    stock_columns = {column.name for column in Stock.__table__.columns}
    fact_columns = {column.name for column in StockMetadata.__table__.columns} - stock_columns
    loaded_at = utc_now()
    origins = []
    for row in fresh:
        unknown = row.keys() - stock_columns - fact_columns
        if unknown:
            raise ValueError(f"the starter list has unknown columns: {', '.join(sorted(unknown))}")
        values = {name: value for name, value in row.items() if name in stock_columns}
        values.update(data_sources=SAMPLE_SOURCE, last_updated=None)
        stock_id = session.execute(insert(Stock).values(values).returning(Stock.id)).scalar_one()
        facts = {name: row[name] for name in fact_columns & row.keys() if row[name] is not None}
        if facts:
            session.execute(insert(StockMetadata).values(stock_id=stock_id, **facts))
        given = (name for name, value in row.items() if value is not None and name != "data_sources")
        origin = {"stock_id": stock_id, "source": SAMPLE_SOURCE, "obtained_at": loaded_at}
        origins += [{**origin, "field": name} for name in given]
    upsert(session, StockFieldProvenance, origins)
    return len(fresh)
