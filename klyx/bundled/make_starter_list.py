"""Writes nifty50.csv: `python -m klyx.bundled.make_starter_list`."""

import csv
import io
from collections.abc import Sequence

from klyx.bundled import price_path as paths
from klyx.bundled import starter_list_path
from klyx.bundled.companies import Company, companies
from klyx.services.analysis import scores
from klyx.services.analysis.quality import quality_score
from klyx.services.analysis.technicals import macd_signal, rsi_state

SAMPLE_SOURCE = "Sample data"
RUPEES_PER_CRORE = 10_000_000
RECOMMENDATIONS = ((18, "strong_buy"), (7, "buy"), (-3, "hold"))

Value = str | int | float | None


def starter_rows() -> list[dict[str, Value]]:
    """One row a company, keys as in nifty50.csv, rounded as written."""
    return [_row(company) for company in companies()]


def as_csv(rows: Sequence[dict[str, Value]]) -> str:
    """The rows as text of nifty50.csv."""
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue()


def scores_of(company: Company) -> dict[str, int | None]:
    """The four scores, by the application's own rules."""
    changes = [peer.year_change for peer in company.peers]
    strength = scores.relative_strengths(changes)[company.peers.index(company)]
    return {
        "momentum_score": scores.momentum_score(
            relative_strength=strength,
            year_change_percent=company.year_change,
            price=company.price,
            week_52_high=max(bar.high for bar in company.year),
            week_52_low=min(bar.low for bar in company.year),
        ),
        "durability_score": scores.durability_score(
            roa_percent=company.roa,
            operating_margin_percent=company.operating_margin,
            debt_to_equity=company.debt_to_equity,
            current_ratio=company.current_ratio,
            net_margin_percent=company.net_margin,
            eps_growth_percent=company.eps_growth,
            promoter_holding_percent=company.promoter,
            roe_percent=company.roe,
        ),
        "valuation_score": scores.valuation_score(
            pe_ratio=company.pe,
            peg_ratio=company.peg,
            pb_ratio=company.pb,
            dividend_yield_percent=company.dividend_yield,
        ),
        "rel_strength_score": strength,
    }


def recommendation_of(company: Company) -> str:
    """The word that goes with the upside."""
    return next((word for limit, word in RECOMMENDATIONS if company.upside > limit), "underperform")


def _row(company: Company) -> dict[str, Value]:
    row = _identity(company) | _market(company) | _ratios(company) | _results(company)
    row |= _outlook(company) | _technicals(company) | _holdings(company) | _balance_sheet(company)
    row |= scores_of(company)
    required = [
        row[name]
        for name in (
            "current_price",
            "market_cap",
            "pe_ttm",
            "roe_annual_pct",
            "revenue_annual",
            "net_profit_annual",
            "total_assets",
            "total_debt",
        )
    ]
    row["data_quality_score"] = quality_score(sum(value is not None for value in required), len(required))
    row["data_sources"] = SAMPLE_SOURCE
    return row


def _identity(company: Company) -> dict[str, Value]:
    return {
        "stock_name": company.stock_name,
        "nse_code": company.nse_code,
        "bse_code": company.bse_code,
        "isin": company.isin,
        "stock_code": company.nse_code,
        "industry_name": company.industry_name,
        "sector_name": company.sector_name,
    }


def _market(company: Company) -> dict[str, Value]:
    bars = company.bars
    return {
        "current_price": company.price,
        "day_change_pct": _two(paths.change_percent(bars, 1)),
        "week_change_pct": _two(paths.change_percent(bars, 5)),
        "month_change_pct": _two(paths.change_percent(bars, 21)),
        "qtr_change_pct": _two(paths.change_percent(bars, 63)),
        "year_1_change_pct": company.year_change,
        "year_3_change_pct": _two(company.vary("three years", -20, 140)),
        "market_cap": _rupees(company.market_cap),
        "week_52_high": _two(max(bar.high for bar in company.year)),
        "week_52_low": _two(min(bar.low for bar in company.year)),
    }


def _ratios(company: Company) -> dict[str, Value]:
    return {
        "pe_ttm": company.pe,
        "sector_pe_ttm": _two(company.peer_median("sector_name", lambda peer: peer.pe)),
        "pb_ratio": company.pb,
        "ps_ratio": _two(company.market_cap / company.revenue),
        "peg_ratio": _two(company.peg),
        "roe_annual_pct": _two(company.roe),
        "roa_annual_pct": _two(company.roa),
        "earnings_yield_pct": _two(100 / company.pe if company.pe else None),
        "operating_margin_pct": company.operating_margin,
        "net_profit_margin_pct": _two(company.net_margin),
        "revenue_growth_yoy_pct": _two(company.revenue_growth),
        "revenue_growth_qtr_yoy_pct": _two(company.revenue_growth_quarter),
        "profit_growth_yoy_pct": _two(company.profit_growth),
        "profit_growth_qtr_yoy_pct": _two(company.profit_growth_quarter),
        "eps_growth_pct": _two(company.eps_growth),
        "basic_eps_ttm": _two(company.eps),
        "debt_to_equity": company.debt_to_equity,
        "current_ratio": _two(company.current_ratio),
        "piotroski_score": company.piotroski,
        "dividend_yield_pct": company.dividend_yield,
        "forward_dividend_yield_pct": _two(company.forward_dividend_yield),
    }


def _results(company: Company) -> dict[str, Value]:
    return {
        "revenue_annual": _rupees(company.revenue),
        "revenue_qtr": _rupees(company.revenue_quarter),
        "net_profit_annual": _rupees(company.profit),
        "net_profit_qtr": _rupees(company.profit_quarter),
    }


def _outlook(company: Company) -> dict[str, Value]:
    return {
        "target_price": _two(company.price * (1 + company.upside / 100)),
        "recommendation_key": recommendation_of(company),
        "analyst_count": company.analysts,
    }


def _technicals(company: Company) -> dict[str, Value]:
    bars = company.bars
    line, signal = paths.macd(bars)
    strength, average_50, average_200 = paths.rsi(bars), paths.sma(bars, 50), paths.sma(bars, 200)
    trend = "Bullish" if company.price > average_50 else "Bearish"
    return {
        "rsi": _two(strength),
        "macd": _two(line),
        "adx": _two(paths.adx(bars)),
        "atr": _two(paths.wilder(paths.true_ranges(bars))),
        "beta_1yr": company.beta,
        "sma_50": _two(average_50),
        "sma_200": _two(average_200),
        "ema_20": _two(paths.ema([bar.close for bar in bars], 20)[-1]),
        "tech_trend": trend + (" (Long Term)" if company.price > average_200 else ""),
        "tech_rsi_state": rsi_state(strength),
        "tech_macd_signal": macd_signal(line, signal),
        "tech_mfi": _two(paths.mfi(bars)),
    }


def _holdings(company: Company) -> dict[str, Value]:
    return {
        "promoter_holding_pct": company.promoter,
        "promoter_holding_change_qoq_pct": 0,
        "fii_holding_pct": company.fii,
        "fii_holding_change_qoq_pct": _two(company.vary("FII holding change QoQ %", -1.2, 1.2)),
        "dii_holding_pct": _two(company.dii),
        "mf_holding_pct": company.mf,
        "mf_holding_change_qoq_pct": _two(company.vary("MF holding change QoQ %", -0.8, 1.2)),
        "institutional_holding_pct": _two(company.fii + company.dii),
    }


def _balance_sheet(company: Company) -> dict[str, Value]:
    liabilities, ratio = company.current_liabilities, company.current_ratio
    return {
        "total_assets": _rupees(company.assets),
        "total_debt": _rupees(company.debt),
        "stockholders_equity": _rupees(company.equity),
        "current_liabilities": _rupees(liabilities),
        "current_assets": _rupees(liabilities * ratio if liabilities and ratio else None),
    }


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _rupees(crores: float | None) -> int | None:
    return None if crores is None else round(crores * RUPEES_PER_CRORE)


if __name__ == "__main__":
    starter_list_path().write_text(as_csv(starter_rows()), encoding="utf-8")
