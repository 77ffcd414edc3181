"""Stocks of the exchange and what is known about them.

Units: rupees (never crores), percent points (12.3 means 12.3 %), plain ratios (0.5 means 50 %).
"""

from typing import cast

from sqlalchemy import String, Table, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klyx.database.models.base import (
    Base,
    CreatedAt,
    IntegerKey,
    OptionalMoment,
    Percent,
    PriceRupees,
    Ratio,
    TotalRupees,
)
from klyx.database.models.stock_facts import StockMetadata
from klyx.database.models.stock_rules import add_checks, add_indexes, add_view
from klyx.database.types import Figure, UTCDateTime, utc_now


class Stock(Base):
    """One company. Null means unknown, in every column; a missing number is never 0."""

    __tablename__ = "stocks"

    id: Mapped[IntegerKey]
    stock_name: Mapped[str] = mapped_column(String(255))
    nse_code: Mapped[str | None] = mapped_column(String(50), unique=True)
    bse_code: Mapped[str | None] = mapped_column(String(50))
    isin: Mapped[str | None] = mapped_column(String(50))
    stock_code: Mapped[str | None] = mapped_column(String(50))
    industry_name: Mapped[str | None] = mapped_column(String(255))
    sector_name: Mapped[str | None] = mapped_column(String(255))

    current_price: Mapped[PriceRupees]
    day_change_pct: Mapped[Percent]
    week_change_pct: Mapped[Percent]
    month_change_pct: Mapped[Percent]
    qtr_change_pct: Mapped[Percent]
    year_1_change_pct: Mapped[Percent]
    year_3_change_pct: Mapped[Percent]
    market_cap: Mapped[TotalRupees]

    pe_ttm: Mapped[Ratio]
    sector_pe_ttm: Mapped[Ratio]
    pb_ratio: Mapped[Ratio]
    ps_ratio: Mapped[Ratio]
    peg_ratio: Mapped[Ratio]
    roe_annual_pct: Mapped[Percent]
    roa_annual_pct: Mapped[Percent]
    roce_annual_pct: Mapped[Percent]
    earnings_yield_pct: Mapped[Percent]
    operating_margin_pct: Mapped[Percent]
    net_profit_margin_pct: Mapped[Percent]
    revenue_growth_yoy_pct: Mapped[Percent]
    revenue_growth_qtr_yoy_pct: Mapped[Percent]
    profit_growth_yoy_pct: Mapped[Percent]
    profit_growth_qtr_yoy_pct: Mapped[Percent]
    eps_growth_pct: Mapped[Percent]
    basic_eps_ttm: Mapped[float | None] = mapped_column(Figure(15, 4))
    debt_to_equity: Mapped[Ratio]
    current_ratio: Mapped[Ratio]
    revenue_annual: Mapped[TotalRupees]
    revenue_qtr: Mapped[TotalRupees]
    net_profit_annual: Mapped[TotalRupees]
    net_profit_qtr: Mapped[TotalRupees]
    piotroski_score: Mapped[int | None]
    dividend_yield_pct: Mapped[Percent]
    forward_dividend_yield_pct: Mapped[Percent]

    target_price: Mapped[PriceRupees]
    recommendation_key: Mapped[str | None] = mapped_column(String(50))
    recommendation_text: Mapped[str | None] = mapped_column(String(100))
    analyst_count: Mapped[int | None]

    rsi: Mapped[Ratio]
    macd: Mapped[Ratio]
    adx: Mapped[Ratio]
    atr: Mapped[float | None] = mapped_column(Figure(15, 4))
    beta_1yr: Mapped[Ratio]
    sma_50: Mapped[PriceRupees]
    sma_200: Mapped[PriceRupees]
    ema_20: Mapped[PriceRupees]
    tech_trend: Mapped[str | None] = mapped_column(String(100))
    tech_rsi_state: Mapped[str | None] = mapped_column(String(50))
    tech_macd_signal: Mapped[str | None] = mapped_column(String(50))
    tech_mfi: Mapped[Ratio]
    tech_volume_signal: Mapped[str | None] = mapped_column(String(50))
    tech_volume_pct: Mapped[float | None] = mapped_column(Figure(15, 4))

    momentum_score: Mapped[int | None]
    durability_score: Mapped[int | None]
    valuation_score: Mapped[int | None]
    rel_strength_score: Mapped[int | None]

    promoter_holding_pct: Mapped[Percent]
    promoter_holding_change_qoq_pct: Mapped[Percent]
    fii_holding_pct: Mapped[Percent]
    fii_holding_change_qoq_pct: Mapped[Percent]
    dii_holding_pct: Mapped[Percent]
    mf_holding_pct: Mapped[Percent]
    mf_holding_change_qoq_pct: Mapped[Percent]
    institutional_holding_pct: Mapped[Percent]

    news_headlines: Mapped[str | None] = mapped_column(Text)
    news_sentiment: Mapped[str | None] = mapped_column(String(50))
    news_score: Mapped[int | None]
    financial_insights: Mapped[str | None] = mapped_column(Text)

    data_quality_score: Mapped[int | None]
    data_sources: Mapped[str | None] = mapped_column(Text)
    last_updated: Mapped[OptionalMoment] = mapped_column(
        UTCDateTime(), default=utc_now, server_default=func.now()
    )
    created_at: Mapped[CreatedAt]

    # As the contract defines them; `rsi` and `macd` are Wilder's and the standard ones.
    tech_rsi: Mapped[Ratio]
    tech_macd: Mapped[Ratio]

    # Loaded only when a query asks for it (joinedload): a list of stocks must not send a query per row.
    stock_metadata: Mapped[StockMetadata | None] = relationship(
        lazy="raise_on_sql", passive_deletes=True, uselist=False
    )


_table = cast("Table", Stock.__table__)
add_checks(_table)
add_indexes(_table)
add_view(_table)
