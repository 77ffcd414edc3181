from __future__ import annotations

from sqlalchemy import Integer, String

from klyx.database.models import Stock
from klyx.database.types import Figure, UTCDateTime
from klyx.services.stocks import FIELDS, STOCK_COLUMNS, Kind, Unit


def test_every_column_of_the_stocks_table_is_a_field() -> None:
    assert {column.name for column in Stock.__table__.columns} <= {field.name for field in FIELDS}


def test_no_name_is_used_twice() -> None:
    names = [name for field in FIELDS for name in (field.name, *field.display_names, *field.omitted_names)]
    assert len(names) == len(set(names))


def test_kinds_and_nulls_agree_with_the_columns() -> None:
    kinds = {
        Integer: {Kind.INTEGER},
        Figure: {Kind.NUMBER},
        UTCDateTime: {Kind.MOMENT},
        String: {Kind.TEXT, Kind.JSON_ARRAY},
    }
    columns = Stock.__table__.columns
    checked = [field for field in FIELDS if field.name in columns]
    assert len(checked) == len(columns)
    for field in checked:
        column = columns[field.name]
        expected = next(kind for type_, kind in kinds.items() if isinstance(column.type, type_))
        assert field.kind in expected, field.name
        assert field.nullable == column.nullable, field.name


def test_units_agree_with_the_names() -> None:
    for field in FIELDS:
        if field.name.endswith("_pct"):
            assert field.unit is Unit.PERCENT, field.name
        if any(name.endswith("%") for name in field.display_names):
            assert field.unit is Unit.PERCENT, field.name
        if field.name.endswith("_score"):
            assert field.unit is Unit.POINTS, field.name
        if field.name in ("market_cap", "revenue_annual", "net_profit_qtr", "total_debt", "current_price"):
            assert field.unit is Unit.RUPEES, field.name
        if field.name in ("pe_ttm", "sector_pe_ttm", "pb_ratio", "ps_ratio", "peg_ratio", "current_ratio"):
            assert field.unit is Unit.TIMES, field.name


def test_columns_are_labelled_with_the_field_names() -> None:
    assert [column.name for column in STOCK_COLUMNS] == [field.name for field in FIELDS]
