from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from klyx.bundled import read_starter_list
from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance
from klyx.database.starter import load_starter_list
from klyx.services import stocks
from klyx.services.stocks import Provenance
from tests.stock_rows import add_stock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(days=1)
PERCENT = "percent points (12.3 means 12.3 %)"


def provenance(database: Database, nse_code: str = "M&M") -> dict[str, Provenance]:
    with database.read() as session:
        return stocks.provenance_of(session, stocks.find_stock(session, nse_code))


def test_each_known_field_tells_source_moment_and_unit(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", current_price=100, roe_annual_pct=None, week_52_high=120)
        fields = ("current_price", "roe_annual_pct", "week_52_high", "stock_name")
        stocks.record_provenance(session, {stock_id: fields}, "Yahoo", NOON)
    assert provenance(database) == {
        "stock_name": {"source": "Yahoo", "obtained_at": NOON, "unit": None},
        "nse_code": {"source": None, "obtained_at": None, "unit": None},
        "current_price": {"source": "Yahoo", "obtained_at": NOON, "unit": "rupees"},
        "week_52_high": {"source": "Yahoo", "obtained_at": NOON, "unit": "rupees"},
        "data_quality_score": {"source": None, "obtained_at": None, "unit": "points"},
    }


def test_the_last_writer_counts_even_with_older_figures(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", current_price=100, pe_ttm=20)
        stocks.record_provenance(session, {stock_id: ("current_price", "pe_ttm")}, "Yahoo", NOON)
    with database.begin() as session:
        stocks.record_provenance(session, {stock_id: ("current_price", "current_price")}, "Workbook", EARLIER)
    found = provenance(database)
    assert (found["current_price"]["source"], found["current_price"]["obtained_at"]) == ("Workbook", EARLIER)
    assert (found["pe_ttm"]["source"], found["pe_ttm"]["obtained_at"]) == ("Yahoo", NOON)


def test_an_institutional_holding_is_calculated_only_when_nobody_gave_it(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", fii_holding_pct=12.5, dii_holding_pct=20.25)
    with database.read() as session:
        assert stocks.find_stock(session, "M&M")["Institutional holding current Qtr %"] == 32.75
    origin = provenance(database)["institutional_holding_pct"]
    assert (origin["source"], origin.get("derived_from")) == ("Klyx", ["fii_holding_pct", "dii_holding_pct"])
    with database.begin() as session:
        session.execute(update(Stock).values(institutional_holding_pct=40))
        stocks.record_provenance(session, {stock_id: ("institutional_holding_pct",)}, "Trendlyne", NOON)
    with database.read() as session:
        assert stocks.find_stock(session, "M&M")["institutional_holding_pct"] == 40
    assert provenance(database)["institutional_holding_pct"]["source"] == "Trendlyne"


def test_calculated_values_name_their_inputs_and_are_as_old_as_the_oldest(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", current_price=100, target_price=120, recommendation_key="buy")
        stocks.record_provenance(session, {stock_id: ("current_price",)}, "Yahoo", NOON)
    upside = {"source": "Klyx", "unit": PERCENT, "derived_from": ["target_price", "current_price"]}
    assert provenance(database)["upside_12m_pct"] == {**upside, "obtained_at": None}
    with database.begin() as session:
        stocks.record_provenance(session, {stock_id: ("target_price",)}, "Trendlyne", EARLIER)
    found = provenance(database)
    assert found["upside_12m_pct"] == {**upside, "obtained_at": EARLIER}
    assert found["recommendation_text"].get("derived_from") == ["recommendation_key"]


def test_text_of_analysts_own_is_not_calculated(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", recommendation_text="Buy on dips")
        stocks.record_provenance(session, {stock_id: ("recommendation_text",)}, "Trendlyne", NOON)
    assert provenance(database)["recommendation_text"] == {
        "source": "Trendlyne",
        "obtained_at": NOON,
        "unit": None,
    }


def test_many_stocks_are_recorded_at_once(database: Database) -> None:
    with database.begin() as session:
        ids = [add_stock(session, f"Stock {number}", f"S{number}", pe_ttm=number) for number in range(1, 301)]
        fields = [field.name for field in stocks.FIELDS if field.name.endswith("_pct")]
        stocks.record_provenance(session, dict.fromkeys(ids, ("pe_ttm", *fields)), "Yahoo", NOON)
        stocks.record_provenance(session, dict.fromkeys(ids, ("pe_ttm",)), "NSE", NOON)
    with database.read() as session:
        sources = session.execute(
            select(StockFieldProvenance.source, func.count()).group_by("source").order_by("source")
        )
        assert [tuple(row) for row in sources] == [("NSE", 300), ("Yahoo", 300 * len(fields))]


@pytest.mark.parametrize(
    ("field", "source"), [("price", "Yahoo"), ("id", "Yahoo"), ("pe_ttm", " "), ("pe_ttm", "x" * 51)]
)
def test_unknown_fields_and_odd_sources_are_refused(database: Database, field: str, source: str) -> None:
    with pytest.raises(ValueError, match=r"fields|source"), database.begin() as session:
        stocks.record_provenance(session, {add_stock(session, "A", "A"): [field]}, source, NOON)


def test_the_starter_list_says_sample_data_for_everything_it_knows(database: Database) -> None:
    with database.begin() as session:
        load_starter_list(session, read_starter_list())
        session.execute(update(Stock).where(Stock.nse_code == "M&M").values(last_updated=NOON))
    found = provenance(database)
    calculated = {name for name, origin in found.items() if "derived_from" in origin}
    assert calculated == {"upside_12m_pct", "recommendation_text", "tech_rsi", "tech_macd"}
    assert {origin["source"] for name, origin in found.items() if name not in calculated} == {"Sample data"}
    assert all(origin["obtained_at"] for origin in found.values())
    assert found["market_cap"]["unit"] == "rupees"
    assert len(found) > 50
