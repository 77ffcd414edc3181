"""Scores of all stocks at once, in the database. The rules are those of klyx.services.analysis.scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Double,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.starter import SAMPLE_SOURCE
from klyx.database.types import Figure
from klyx.database.versions import STOCKS
from klyx.services.stocks.fields import column_of

Number = ColumnElement[Any]

ALWAYS_CALCULATED = (
    "rel_strength_score",
    "earnings_yield_pct",
    "momentum_score",
    "durability_score",
    "valuation_score",
)
UNLESS_STATED = ("peg_ratio", "roce_annual_pct")
"""Calculated for stocks whose source states none; a sample figure is none."""


def recompute_scores(database: Database) -> int:
    """Relative strength over all stocks, then everything that depends on it; returns how many stocks changed.

    One statement, whatever the number of stocks. The provenance of these fields follows from that of the fields
    they are calculated from (klyx.services.stocks.provenance), so what was recorded for them before goes.
    """
    with database.begin(STOCKS) as session:
        fresh = _scores()
        names = (*ALWAYS_CALCULATED, *UNLESS_STATED)
        columns = {name: Stock.__table__.columns[name] for name in names}
        changed = or_(*(column.is_distinct_from(fresh.c[name]) for name, column in columns.items()))
        statement = (
            update(Stock)
            .where(Stock.id == fresh.c.id, changed)
            .values({name: fresh.c[name] for name in names})
            .execution_options(synchronize_session=False)
        )
        changed_count = cast("CursorResult[None]", session.execute(statement)).rowcount
        _forget_recorded(session)
        return changed_count


def _forget_recorded(session: Session) -> None:
    recorded = StockFieldProvenance
    calculated: list[ColumnElement[bool]] = [recorded.field.in_(ALWAYS_CALCULATED)]
    for name in UNLESS_STATED:
        known = _joined(select(Stock.id)).where(_calculated(name).is_not(None))
        calculated.append(
            and_(recorded.field == name, recorded.source == SAMPLE_SOURCE, recorded.stock_id.in_(known))
        )
    session.execute(delete(recorded).where(or_(*calculated)).execution_options(synchronize_session=False))


def _scores() -> Subquery:
    """id and every score of every stock, as it should be."""
    ratios = _ratios()
    facts, c = Stock, ratios.c
    query = (
        select(
            facts.id,
            c.rel_strength_score,
            c.earnings_yield_pct,
            c.peg_ratio,
            c.roce_annual_pct,
            _momentum(c).label("momentum_score"),
            _durability().label("durability_score"),
            _valuation(c.peg_ratio).label("valuation_score"),
        )
        .join(ratios, c.id == facts.id)
    )
    return query.subquery("scores")


def _ratios() -> Subquery:
    """Relative strength, earnings yield, PEG and ROCE, and where the price stands within its year."""
    price, pe = _double("current_price"), _double("pe_ttm")
    high, low = _double("week_52_high"), _double("week_52_low")
    query = select(
        Stock.id.label("id"),
        _relative_strength().label("rel_strength_score"),
        _fitting("earnings_yield_pct", case((pe > 0, 100.0 / pe))).label("earnings_yield_pct"),
        *(_unless_stated(name).label(name) for name in UNLESS_STATED),
        case((high > 0, price / high)).label("against_high"),
        case((low > 0, price / low)).label("against_low"),
    )
    return _joined(query).subquery("ratios")


def _joined(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.outerjoin(StockMetadata, StockMetadata.stock_id == Stock.id)


def _calculated(name: str) -> Number:
    """PEG or return on capital from what is stored; null where it cannot be."""
    if name == "peg_ratio":
        growth = func.coalesce(_double("eps_growth_pct"), _double("profit_growth_yoy_pct"))
        return _fitting(name, case((growth > 0, _double("pe_ttm") / growth)))
    capital = _double("total_assets") - _double("current_liabilities")
    profit = _double("revenue_annual") * _double("operating_margin_pct")
    # Return on equity stands in for a return on capital that nobody can work out.
    return _fitting(name, func.coalesce(case((capital > 0, profit / capital)), _double("roe_annual_pct")))


def _relative_strength() -> Number:
    """0 to 99 by the share of the others that did no better over a year; equal changes get equal scores."""
    change = Stock.year_1_change_pct
    known = func.count(change).over()
    # Unknown changes come last, so they do not move the ranks of the known ones.
    better = func.rank().over(order_by=change.desc().nulls_last()) - 1
    score = case((known == 1, 50), else_=_divide_whole((known - 1 - better) * 99, known - 1))
    return case((change.is_not(None), as_type(score, Integer)))


def _divide_whole(dividend: Number, divisor: Number) -> Number:
    return dividend // func.nullif(divisor, 0, type_=Integer)


def _momentum(c: Any) -> Number:
    strength, change = c.rel_strength_score, _double("year_1_change_pct")
    by_change = case((change > 50, 40), (change > 20, 30), (change > 0, 15), else_=0)
    points = (
        case((strength.is_not(None), strength * 2 // 5), else_=by_change)
        + case((c.against_high > 0.95, 30), (c.against_high > 0.85, 20), (c.against_high > 0.75, 10), else_=0)
        + case((c.against_low > 1.1, 10), else_=0)
    )
    known = _count_known((func.coalesce(as_type(strength, Double()), change), c.against_high, c.against_low))
    return case((2 * known >= 3, points))


def _durability() -> Number:
    roa, margin = _double("roa_annual_pct"), _double("operating_margin_pct")
    # Negative debt to equity means negative equity, and earns nothing.
    debt = case((_double("debt_to_equity") >= 0, _double("debt_to_equity")))
    net_margin, current, growth = (
        _double(name) for name in ("net_profit_margin_pct", "current_ratio", "eps_growth_pct")
    )
    promoters, roe = _double("promoter_holding_pct"), _double("roe_annual_pct")
    signs = (
        roa > 0,
        margin > 0,
        roa > 10,
        debt < 1,
        debt < 0.1,
        current > 1.5,
        net_margin > 10,
        growth > 0,
        promoters > 30,
        roe > 15,
    )
    known = _count_known((roa, margin, debt, current, net_margin, growth, promoters, roe))
    return case((2 * known >= 8, 10 * _count(signs)))


def _valuation(peg: Number) -> Number:
    pe, pb, dividends = _double("pe_ttm"), _double("pb_ratio"), _double("dividend_yield_pct")
    signs = (pe < 15, pe < 30, and_(peg > 0, peg < 1.5), and_(pb > 0, pb < 3), dividends > 1)
    known = _count_known((pe, peg, pb, dividends))
    return case((2 * known < 4, None), (pe > 0, 20 * _count(signs)), else_=0)


def _unless_stated(name: str) -> Number:
    """A source's own figure, else the calculated one; a sample only where neither is known."""
    column, calculated = column_of(name), _calculated(name)
    recorded = select(StockFieldProvenance.source).where(
        StockFieldProvenance.stock_id == Stock.id, StockFieldProvenance.field == name
    )
    is_stated = exists(recorded.where(StockFieldProvenance.source != SAMPLE_SOURCE).correlate(Stock))
    is_sample = exists(recorded.where(StockFieldProvenance.source == SAMPLE_SOURCE).correlate(Stock))
    return case(
        (and_(column.is_not(None), is_stated), column),
        (is_sample, func.coalesce(calculated, column)),
        else_=calculated,
    )


def _fitting(name: str, value: Number) -> Number:
    """The value rounded as its column keeps it; null when it is too large for it."""
    kind = cast(Figure, column_of(name).type)
    largest = 10.0 ** (kind.precision - kind.scale) - 1
    in_range = case((value.between(-largest, largest), value))
    # PostgreSQL rounds only numerics to a number of digits.
    return func.round(as_type(in_range, Figure(38, kind.scale)), kind.scale)


def _double(name: str) -> Number:
    return as_type(column_of(name), Double())


def _count_known(inputs: Sequence[Number]) -> Number:
    return _count([value.is_not(None) for value in inputs])


def _count(conditions: Sequence[Number]) -> Number:
    total: Number = literal(0)
    for condition in conditions:
        total = total + case((condition, 1), else_=0)
    return total
