"""Stocks with many ties and gaps, and screens that hit them."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import Integer
from sqlalchemy.orm import Session

from klyx.database.models import Stock
from tests.services.screener.oracle import COLUMNS, NUMBERS, TEXTS
from tests.stock_rows import METADATA_COLUMNS, add_stock

_FIGURES = (-5.0, 0.0, 0.0001, 1.0, 1.1, 2.5, 10.0, 10.1, 13.0, 20.2, 30.3, 33.3333, 50.0, 65.0, 99.99)
_TOTALS = (*_FIGURES, 5e9, 1e10, 1e10, 123_456_789_012.34)
_NAMES = ("Alpha", "alpha", "100% Pure", "50_50", "5050", "O'Neil", "Back\\slash", "M&M", "M & M", "Divi's", "")
_SECTORS = ("Energy", "energy", "Banks", "IT", "100%", "_", "a\\b")
_VERY_LARGE = (1e30, -1e300, 1.7e308, 5e-324, 10**18, -(10**25))
_COMPARED = ("gt", "gte", "lt", "lte", "eq", "ne")
_OPERATORS = (*_COMPARED, "between", "in", "not_in", "top", "bottom", "gt_field", "lt_field")
_FACTOR_OPERATORS = ("gt_field_factor", "lt_field_factor")
_TEXT_OPERATORS = ("eq", "ne", "in", "not_in", "contains")
_FACTORS = (1.3, 0.75, 1.1, 0, -2, 1e6, 1e-6, 3)
_STORED = tuple(column for column in NUMBERS if column not in ("data_quality_score", "upside_12m_pct"))


def add_stocks(session: Session, chance: Random, count: int) -> None:
    for number in range(count):
        columns: dict[str, Any] = {"data_quality_score": chance.choice((None, 0, 29, 30, 31, 31, 80, 80, 100))}
        columns |= {name: None if chance.random() < 0.3 else _figure(name, chance) for name in _STORED}
        columns |= {
            name: None if chance.random() < 0.3 else chance.choice(_SECTORS)
            for name in ("sector_name", "industry_name")
        }
        if chance.random() < 0.1:
            columns = {name: columns[name] for name in columns.keys() - METADATA_COLUMNS}
        # Symbols out of order, and of which many collations make another order.
        code = f"{chance.choice('ABZ_&-')}{chance.choice('MN-&_')}{number:03d}"
        add_stock(session, chance.choice(_NAMES), None if chance.random() < 0.03 else code, **columns)


def _figure(name: str, chance: Random) -> float:
    column = Stock.__table__.columns.get(name)
    if column is not None and isinstance(column.type, Integer):
        return chance.choice((0, 1, 5, 9)) if name == "piotroski_score" else chance.choice((0, 1, 50, 70, 99))
    return chance.choice(_TOTALS if name in ("market_cap", "net_profit_annual", "total_debt") else _FIGURES)


def random_screen(chance: Random) -> dict[str, Any]:
    """A definition as clients send it, with every operator, both vocabularies, lists and trees."""
    size = chance.randint(1, 4)
    definition: dict[str, Any] = {"filters": [_member(chance, depth=2) for _ in range(size)]}
    if chance.random() < 0.2:
        definition["filters"] = {chance.choice(("all", "any")): definition["filters"]}
    elif chance.random() < 0.7:
        definition["logic"] = chance.choice(("AND", "OR"))
    if chance.random() < 0.8:
        definition["sort_by"] = chance.choice((*COLUMNS, *COLUMNS.values()))
    if chance.random() < 0.8:
        definition["sort_order"] = chance.choice(("asc", "desc"))
    return definition


def _member(chance: Random, depth: int) -> dict[str, Any]:
    if depth and chance.random() < 0.25:
        members = [_member(chance, depth - 1) for _ in range(chance.randint(1, 3))]
        return {chance.choice(("all", "any")): members}
    field = chance.choice((*COLUMNS, *NUMBERS))
    return _text_condition(chance, field) if COLUMNS.get(field, field) in TEXTS else _condition(chance, field)


def _text_condition(chance: Random, field: str) -> dict[str, Any]:
    operator = chance.choice(_TEXT_OPERATORS)
    texts = (*_NAMES, *_SECTORS, "0%", "%", "\\", "'", "; --", "ALPHA", "e")
    value: Any = chance.choice(texts)
    if operator in ("in", "not_in"):
        value = chance.sample(texts, chance.randint(0, 3))
    return {"field": field, "operator": operator, "value": value}


def _condition(chance: Random, field: str) -> dict[str, Any]:
    operator = chance.choice(_OPERATORS if chance.random() < 0.8 else _FACTOR_OPERATORS)
    other = chance.choice((*NUMBERS, *(name for name, column in COLUMNS.items() if column in NUMBERS)))
    value: Any = _number(chance)
    if operator == "between":
        value = [_number(chance), _number(chance)]
    elif operator in ("in", "not_in"):
        value = [_number(chance) for _ in range(chance.randint(0, 3))]
    elif operator in ("top", "bottom"):
        value = chance.choice((1, 2, 5, 17, 50, 10_000))
    elif operator in ("gt_field", "lt_field"):
        value = other
    elif operator in _FACTOR_OPERATORS:
        value = [other, chance.choice(_FACTORS)]
    return {"field": field, "operator": operator, "value": value}


def _number(chance: Random) -> float:
    if chance.random() < 0.1:
        return chance.choice(_VERY_LARGE)
    return chance.choice((*_TOTALS, 5, 70, -0.0, chance.uniform(-10, 100)))
