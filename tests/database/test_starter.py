"""The starter list."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from klyx.database import Database
from klyx.database.models import Stock
from klyx.database.starter import SAMPLE_SOURCE, load_starter_list

ROWS: list[dict[str, str | int | float | None]] = [
    {"stock_name": "Adani Ports", "nse_code": "ADANIPORTS", "current_price": 1400.5, "week_52_high": 1600},
    {"stock_name": "Mahindra", "nse_code": "M&M", "pe_ttm": 20, "week_52_high": None},
]


def test_new_stocks_are_marked_as_sample_data(database: Database) -> None:
    with database.begin() as session:
        assert load_starter_list(session, ROWS) == 2
    with database.read() as session:
        stocks = session.scalars(
            select(Stock).options(joinedload(Stock.stock_metadata)).order_by(Stock.nse_code)
        ).all()
    assert [(stock.data_sources, stock.last_updated) for stock in stocks] == [(SAMPLE_SOURCE, None)] * 2
    assert [stock.stock_metadata and stock.stock_metadata.week_52_high for stock in stocks] == [1600.0, None]


def test_live_data_is_never_changed(database: Database) -> None:
    with database.begin() as session:
        session.add(Stock(stock_name="Mahindra & Mahindra", nse_code="M&M", pe_ttm=31, data_sources="Yahoo"))
    with database.begin() as session:
        assert load_starter_list(session, ROWS) == 1
        assert load_starter_list(session, ROWS) == 0
    with database.read() as session:
        stock = session.scalars(select(Stock).where(Stock.nse_code == "M&M")).one()
        assert (stock.stock_name, stock.pe_ttm, stock.data_sources) == ("Mahindra & Mahindra", 31.0, "Yahoo")


def test_an_unknown_column_is_an_error(database: Database) -> None:
    with pytest.raises(ValueError, match="unknown columns: price"), database.begin() as session:
        load_starter_list(session, [{"stock_name": "A", "nse_code": "A", "price": 1}])
