"""Checks, indexes and the view of the stocks table. schema.sql says why each index exists."""

from sqlalchemy import DDL, CheckConstraint, Index, Table, event, func

from klyx.database.types import Figure

_SCORE_RANGES = {
    "momentum_score": (0, 100),
    "durability_score": (0, 100),
    "valuation_score": (0, 100),
    "rel_strength_score": (0, 99),
    "piotroski_score": (0, 9),
    "data_quality_score": (0, 100),
}
_SCREENER_COLUMNS = (
    "pe_ttm",
    "pb_ratio",
    "roe_annual_pct",
    "day_change_pct",
    "month_change_pct",
    "momentum_score",
    "durability_score",
    "valuation_score",
    "rel_strength_score",
)
# What lists and search ask of a stock besides its place: kept in the index, it spares reading wide rows.
_READ_BY_LISTS = ["data_quality_score", "nse_code", "stock_name"]
_VIEW = """CREATE VIEW screener_view AS
SELECT id, stock_name AS name, nse_code AS symbol, sector_name AS sector, industry_name AS industry,
       current_price AS price, day_change_pct AS day_change, market_cap, pe_ttm AS pe, pb_ratio AS pb,
       roe_annual_pct AS roe, roa_annual_pct AS roa, revenue_growth_yoy_pct AS revenue_growth,
       profit_growth_yoy_pct AS profit_growth, debt_to_equity, current_ratio,
       dividend_yield_pct AS dividend_yield, promoter_holding_pct AS promoter_holding,
       data_quality_score AS quality, last_updated
FROM stocks
WHERE data_quality_score >= 50
ORDER BY market_cap DESC NULLS LAST, id"""


def add_checks(stocks: Table) -> None:
    """Score ranges, the syntax of a symbol, and no NaN in any figure."""
    for column, (low, high) in _SCORE_RANGES.items():
        stocks.append_constraint(
            CheckConstraint(f"{column} BETWEEN {low} AND {high}", name=f"{column}_range")
        )
    on_postgresql = CheckConstraint("nse_code ~ '^[A-Z0-9&_-]{1,30}$'", name="nse_code_syntax")
    on_sqlite = CheckConstraint(
        "length(nse_code) BETWEEN 1 AND 30 AND nse_code NOT GLOB '*[^A-Z0-9&_-]*'", name="nse_code_syntax"
    )
    figures = ", ".join(column.name for column in stocks.columns if isinstance(column.type, Figure))
    # SQLite turns NaN into NULL by itself.
    no_nan = CheckConstraint(f"NOT ('NaN'::numeric IN ({figures}))", name="no_nan")
    stocks.append_constraint(on_postgresql.ddl_if(dialect="postgresql"))
    stocks.append_constraint(on_sqlite.ddl_if(dialect="sqlite"))
    stocks.append_constraint(no_nan.ddl_if(dialect="postgresql"))


def add_indexes(stocks: Table) -> None:
    """The indexes of lists, search and screener, each in the form its engine understands."""
    columns = stocks.columns
    by_market_cap = {
        # SQLite sorts NULL as the smallest value, so a plain descending index has it last already.
        "postgresql": columns.market_cap.desc().nulls_last(),
        "sqlite": columns.market_cap.desc(),
    }
    for dialect, market_cap in by_market_cap.items():
        for name, keys in (
            ("ix_stocks_market_cap", (market_cap, columns.id)),
            ("ix_stocks_sector_name_market_cap", (columns.sector_name, market_cap, columns.id)),
        ):
            Index(name, *keys, postgresql_include=_READ_BY_LISTS).ddl_if(dialect=dialect)
    Index("ix_stocks_stock_name", columns.stock_name)
    lower_name = func.lower(columns.stock_name).label("lower_name")
    Index("ix_stocks_lower_stock_name", lower_name, postgresql_ops={"lower_name": "text_pattern_ops"})
    by_prefix = Index("ix_stocks_nse_code_prefix", columns.nse_code, postgresql_ops={"nse_code": "text_pattern_ops"})
    by_prefix.ddl_if(dialect="postgresql")
    Index("ix_stocks_isin", columns.isin)
    Index("ix_stocks_industry_name", columns.industry_name)
    Index("ix_stocks_last_updated", columns.last_updated)
    Index("ix_stocks_data_quality_score", columns.data_quality_score)
    Index("ix_stocks_sector_name_data_quality_score", columns.sector_name, columns.data_quality_score)
    for name in _SCREENER_COLUMNS:
        Index(f"ix_stocks_{name}", columns[name])
    for name in ("stock_name", "nse_code"):
        Index(
            f"ix_stocks_{name}_trigrams",
            columns[name],
            postgresql_using="gin",
            postgresql_ops={name: "gin_trgm_ops"},
        ).ddl_if(dialect="postgresql")
    extension = DDL("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # type: ignore[no-untyped-call]
    event.listen(stocks, "before_create", extension.execute_if(dialect="postgresql"))


def add_view(stocks: Table) -> None:
    """screener_view: the old reports' short list of well-known stocks."""
    event.listen(stocks, "after_create", DDL(_VIEW))  # type: ignore[no-untyped-call]
