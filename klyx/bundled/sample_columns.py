"""The columns of the four sample workbooks: headings and units of real exports, figures of our own.

A heading may come several times, as it does in exports. Money is in crores of rupees, prices in rupees.
"""

import datetime as dt

from klyx.bundled import price_path as paths
from klyx.bundled.companies import Company
from klyx.bundled.make_starter_list import recommendation_of, scores_of

NOT_EXPORTED = "Export NA"
QUARTER_END = dt.date(2025, 9, 30)

Value = str | float | dt.date | None
Columns = list[tuple[str, Value]]


def leading(company: Company) -> Columns:
    """What every export begins with."""
    return [
        ("Stock Name", company.stock_name),
        ("NSE Code", company.nse_code),
        ("BSE Code", int(company.bse_code)),
        ("Stock Code", company.nse_code),
        ("ISIN", company.isin),
        *industry_and_sector(company),
        ("Current Price", company.price),
        *price_and_size(company),
    ]


def industry_and_sector(company: Company) -> Columns:
    """Classification, in the order of the leading columns."""
    return [("Industry Name", company.industry_name), ("sector_name", company.sector_name)]


def sector_and_industry(company: Company) -> Columns:
    """Classification, in the order in which it is repeated."""
    return [("sector_name", company.sector_name), ("Industry Name", company.industry_name)]


def price_and_size(company: Company) -> Columns:
    """Repeated in front of most groups of columns."""
    return [("Current Price", company.price), ("Market Capitalization", company.market_cap)]


def technicals(company: Company) -> Columns:
    """`nifty50 technicals.xlsx`"""
    bars = company.bars
    closes = [bar.close for bar in bars]
    line, signal = paths.macd(bars)
    columns = leading(company) + _pivots(company) + price_and_size(company) + _momentum(company)
    columns += [
        ("Day MFI", paths.mfi(bars)),
        ("Day RSI", paths.rsi(bars)),
        ("Day MACD", line),
        ("Day MACD Signal Line", signal),
    ]
    columns += [(f"Day SMA{days}", paths.sma(bars, days)) for days in (30, 50, 100, 200, 5)]
    columns += [(f"Day EMA{days}", paths.ema(closes, days)[-1]) for days in (12, 20, 50, 100)]
    columns += [
        (f"Beta {period}", company.beta * company.vary(f"beta {period}", 0.9, 1.1)) for period in ("1Month", "3Month")
    ]
    return [
        *columns,
        ("Beta 1Year", company.beta),
        ("Beta 3Year", company.beta * company.vary("beta 3Year", 0.85, 1.1)),
        ("Day ROC21", paths.change_percent(bars, 21)),
        ("Day ROC125", paths.change_percent(bars, 125)),
        ("Day ATR", paths.wilder(paths.true_ranges(bars))),
        ("Day ADX", paths.adx(bars)),
    ]


def _pivots(company: Company) -> Columns:
    """Standard pivot points of the last bar."""
    bar = company.bars[-1]
    pivot = (bar.high + bar.low + bar.close) / 3
    width = bar.high - bar.low
    resistances = [2 * pivot - bar.low, pivot + width, bar.high + 2 * (pivot - bar.low)]
    supports = [2 * pivot - bar.high, pivot - width, bar.low - 2 * (bar.high - pivot)]
    columns: Columns = [("Standard Pivot point", pivot)]
    for word, letter, levels in (("resistance", "R", resistances), ("support", "S", supports)):
        for number, level in enumerate(levels, start=1):
            columns.append((f"Standard {word} {letter}{number}", level))
            columns.append((f"Standard {letter}{number} to Price Diff %", (company.price - level) / level * 100))
    return columns


def _momentum(company: Company) -> Columns:
    return [
        ("Normalized Momentum Score", scores_of(company)["momentum_score"]),
        ("Trendlyne Momentum Score", scores_of(company)["momentum_score"]),
        *[earlier_score(company, "Momentum", period) for period in ("Day", "Week", "Month")],
    ]


def earlier_score(company: Company, kind: str, period: str) -> tuple[str, Value]:
    """A score as it may have been a day, a week or a month before."""
    score = scores_of(company)[f"{kind.lower()}_score"]
    heading = f"Prev {period} Trendlyne {kind} Score"
    # Durability follows from yearly figures, so it stays.
    moved = None if score is None else score + (0 if kind == "Durability" else company.vary(heading, -6, 6))
    return heading, None if moved is None else max(0.0, min(100.0, moved))


def forecasts(company: Company) -> Columns:
    """`nifty50-forecasts.xlsx`; exports withhold many of these columns."""
    revenue, profit, eps = company.revenue_quarter * 1.02, company.profit_quarter, company.eps
    has_margin = company.kind == "company"
    columns = leading(company) + _targets(company)
    columns += [
        (_estimate("1Q forward Revenue Quarter"), revenue),
        (_estimate("1Y forward Qtr Revenue YoY Growth %"), NOT_EXPORTED),
        (_estimate("1Q forward Net Income Quarter"), profit and profit * 1.03),
        (_estimate("1Q forward EPS Quarter"), eps and eps / 4 * 1.03),
        (_estimate("1Y forward EPS YoY Growth Quarter %"), NOT_EXPORTED),
        (_estimate("1Y forward Revenue Annual"), company.revenue * (1 + company.revenue_growth / 100)),
        (_estimate("1Y forward Annual Revenue Growth %"), company.revenue_growth),
        (_estimate("1Y forward Net Income Annual"), NOT_EXPORTED),
        # The exports write this one heading with a small e.
        ("Forecaster estimates 1Y forward Net Income Annual Growth %", NOT_EXPORTED),
        (_estimate("1Y forward EPS Annual"), NOT_EXPORTED),
        (_estimate("1Y forward EPS Growth Annual %"), NOT_EXPORTED),
        (_estimate("1Y forward EBITDA Annual"), NOT_EXPORTED),
        (
            _estimate("1Q forward EBITDA Quarter"),
            revenue * company.operating_margin / 100 if has_margin else None,
        ),
        (
            _estimate("1Q forward Interest Expense Quarter"),
            company.debt * 0.08 / 4 if has_margin and company.debt is not None else None,
        ),
        (_estimate("1Y forward Cash From Operations Annual"), NOT_EXPORTED),
        (_estimate("1Y forward Depreciation & Amortization Annual"), NOT_EXPORTED),
        (_estimate("1Y forward Dividend Yield %"), company.forward_dividend_yield),
        (_estimate("1Y forward PE"), company.pe and company.pe * company.vary("forward PE", 0.8, 0.95)),
        (_estimate("1Y forward PEG"), NOT_EXPORTED),
        *sector_and_industry(company),
        *price_and_size(company),
    ]
    columns += [
        (_estimate(f"{period} {figure} Surprise %"), NOT_EXPORTED)
        for period in ("Quarter", "Annual")
        for figure in ("Revenue", "Net Income", "EPS")
    ]
    return columns + sector_and_industry(company)


def _targets(company: Company) -> Columns:
    target: Value = company.price * (1 + company.upside / 100)
    upside: Value = company.upside
    reco: Value = recommendation_of(company).replace("_", " ").title()
    if company.vary("target", 0, 1) < 0.1:
        target = upside = reco = NOT_EXPORTED
    return [
        (_estimate("Target Price"), target),
        (_estimate("12Mth Upside %"), upside),
        (_estimate("Reco"), reco),
        (_estimate("No of bullish Estimates"), NOT_EXPORTED),
        (_estimate("No of bearish Estimates"), NOT_EXPORTED),
    ]


def _estimate(what: str) -> str:
    return f"Forecaster Estimates {what}"
