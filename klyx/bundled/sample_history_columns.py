"""The columns of the sample workbooks that look back: fundamentals, and scores with benchmarks."""

import datetime as dt

from klyx.bundled import price_path as paths
from klyx.bundled.companies import Company
from klyx.bundled.make_starter_list import scores_of
from klyx.bundled.sample_columns import (
    NOT_EXPORTED,
    QUARTER_END,
    Columns,
    earlier_score,
    leading,
    price_and_size,
    sector_and_industry,
)

INDEX_CHANGES = {
    "Nifty50": (0.4, 1.1, 3.6, 8.9, 41.0, 96.0, 228.0),
    "Sensex": (0.3, 1.0, 3.9, 7.6, 37.0, 88.0, 222.0),
}
PERIODS = ("week", "month", "quarter", "year", "three years", "five years", "ten years")


def fundamentals(company: Company) -> Columns:
    """`nifty50-fundamentals.xlsx`"""
    columns = leading(company) + _valuation(company) + sector_and_industry(company) + _result_dates(company)
    columns += price_and_size(company) + _holdings(company) + sector_and_industry(company)
    columns += price_and_size(company) + _results(company) + _cash_flows(company)
    return columns + sector_and_industry(company) + _result_dates(company)


def scores_and_benchmarks(company: Company) -> Columns:
    """`nifty50-trendlynescores, benchmarks.xlsx`"""
    columns = leading(company) + _scores(company)
    columns += [("Market Capitalization", company.market_cap), ("Current Price", company.price)]
    columns += _relative_returns(company)
    columns += [("Current Price", company.price), ("VWAP Day", _typical_price(company))]
    return [*columns, ("Market Capitalization", company.market_cap), *_prices_and_volumes(company)]


def _valuation(company: Company) -> Columns:
    columns: Columns = [
        ("PE TTM Price to Earnings", company.pe),
        ("Forecaster Estimates 1Y forward PE", NOT_EXPORTED),
        ("PE 3Yr Average", company.pe and company.pe * company.vary("PE of 3 years", 0.85, 1.4)),
        ("PE 5Yr Average", company.pe and company.pe * company.vary("PE of 5 years", 0.8, 1.6)),
        (
            "%Days traded below current PE Price to Earnings",
            company.vary("days below PE", 8, 92) if company.pe else None,
        ),
    ]
    columns += _peer_medians(company, "{} PE TTM", "pe")
    columns += [("PEG TTM PE to Growth", company.peg), ("Forecaster Estimates 1Y forward PEG", NOT_EXPORTED)]
    columns += _peer_medians(company, "{} PEG TTM", "peg")
    columns += [
        ("Price to Book Value Adjusted", company.pb),
        ("%Days traded below current Price to Book Value", company.vary("days below book", 8, 92)),
    ]
    columns += _peer_medians(company, "{} Price to Book TTM", "pb")
    columns += [("Basic EPS TTM", company.eps), ("EPS TTM Growth %", company.eps_growth)]
    columns += [("ROE Annual %", company.roe), *_peer_medians(company, "{} Return on Equity ROE", "roe")]
    columns += [("RoA Annual %", company.roa), *_peer_medians(company, "{} Return on Assets", "roa")]
    return [*columns, ("Piotroski Score", company.piotroski)]


def _peer_medians(company: Company, heading: str, figure: str) -> Columns:
    def figure_of(peer: Company) -> float | None:
        value: float | None = getattr(peer, figure)
        return value

    return [
        (heading.format("Sector"), company.peer_median("sector_name", figure_of)),
        (heading.format("Industry"), company.peer_median("industry_name", figure_of)),
    ]


def _result_dates(company: Company) -> Columns:
    announced = QUARTER_END + dt.timedelta(days=round(company.vary("announced", 10, 45)))
    return [("Latest financial result", QUARTER_END), ("Result Announced Date", announced)]


def _holdings(company: Company) -> Columns:
    pledged = company.vary("pledged", -6, 9) if company.promoter else 0
    columns: Columns = [
        ("Promoter holding latest %", company.promoter),
        ("Promoter holding change QoQ %", 0),
        ("Promoter holding change 4Qtr %", 0),
        ("Promoter holding change 8Qtr %", company.vary("promoter 8", -1.5, 0) if company.promoter else 0),
        ("Promoter holding pledge percentage % Qtr", max(0.0, pledged)),
        ("Promoter pledge change QoQ %", -0.1 if pledged > 0 else 0),
        ("MF holding current Qtr %", company.mf),
    ]
    # The last of the monthly headings has no space in the exports.
    columns += _holding_changes(company, "MF", 1.5, ("QoQ %", "1Month %", "2Month %", "3Month%", "4Qtr %", "8Qtr %"))
    columns += [("FII holding current Qtr %", company.fii), *_holding_changes(company, "FII", 2.0)]
    columns.append(("Institutional holding current Qtr %", company.fii + company.dii))
    return columns + _holding_changes(company, "Institutional", 1.8)


def _holding_changes(
    company: Company, holder: str, width: float, spans: tuple[str, ...] = ("QoQ %", "4Qtr %", "8Qtr %")
) -> Columns:
    return [_change(company, f"{holder} holding change {span}", width) for span in spans]


def _change(company: Company, heading: str, width: float) -> tuple[str, float]:
    # The starter list holds these two as well, within these bounds.
    bounds = {"FII holding change QoQ %": (-1.2, 1.2), "MF holding change QoQ %": (-0.8, 1.2)}
    return heading, company.vary(heading, *bounds.get(heading, (-width, width)))


def _results(company: Company) -> Columns:
    margin = company.operating_margin
    profit = company.profit
    sector = f"of {company.sector_name}"
    first = company.peers[[peer.sector_name for peer in company.peers].index(company.sector_name)]
    return [
        ("Operating Revenue Qtr", company.revenue_quarter),
        ("Net Profit Qtr", company.profit_quarter),
        ("Revenue QoQ Growth %", company.vary("revenue QoQ", -5, 9)),
        ("Revenue Growth Qtr YoY %", company.revenue_growth_quarter),
        ("Net Profit Qtr Growth YoY %", company.profit_growth_quarter),
        ("Sector Revenue Growth Qtr YoY %", first.vary(f"revenue YoY {sector}", 2, 14)),
        ("Sector Net Profit Growth Qtr YoY %", first.vary(f"profit YoY {sector}", -6, 25)),
        ("Sector Revenue Growth Qtr QoQ %", first.vary(f"revenue QoQ {sector}", -3, 6)),
        ("Net Profit QoQ Growth %", profit and company.vary("profit QoQ", -15, 20)),
        ("Sector Net Profit Growth Qtr QoQ %", first.vary(f"profit QoQ {sector}", -8, 12)),
        ("Operating Profit Margin Qtr %", margin),
        ("Operating Profit Margin Qtr 4Qtr ago %", margin * company.vary("margin a year ago", 0.92, 1.06)),
        ("Operating Revenue TTM", company.revenue * 1.03),
        ("Net profit TTM", company.profit_ttm),
        ("Operating Revenue Annual", company.revenue),
        ("Net Profit Annual", profit),
        ("Revenue Growth Annual YoY %", company.revenue_growth),
        ("Net Profit Annual YoY Growth %", company.profit_growth),
        ("Sector Revenue Growth Annual YoY %", first.vary(f"revenue of the year {sector}", 3, 13)),
    ]


def _cash_flows(company: Company) -> Columns:
    base = company.profit or company.revenue * 0.03
    operating = base * company.vary("cash from operations", 0.9, 1.5)
    investing = -base * company.vary("cash invested", 0.3, 1.0)
    financing = -base * company.vary("cash financed", 0.1, 0.6)
    return [
        ("Cash from Financing Annual Activity", financing),
        ("Cash from Investing Activity Annual", investing),
        ("Cash from Operating Activity Annual", operating),
        ("Net Cash Flow Annual", financing + investing + operating),
    ]


def _scores(company: Company) -> Columns:
    found = scores_of(company)
    durability, valuation, momentum = (
        found[name] for name in ("durability_score", "valuation_score", "momentum_score")
    )
    columns: Columns = [
        ("Trendlyne Durability Score", durability),
        ("Trendlyne Valuation Score", valuation),
        ("Trendlyne Momentum Score", momentum),
        ("DVM_classification_text", _class_of(durability, valuation, momentum)),
    ]
    columns += [
        earlier_score(company, kind, period)
        for period in ("Day", "Week", "Month")
        for kind in ("Durability", "Valuation", "Momentum")
    ]
    return [*columns, ("Normalized Momentum Score", momentum)]


def _class_of(durability: int | None, valuation: int | None, momentum: int | None) -> str | None:
    if durability is None or valuation is None or momentum is None:
        return None
    if durability > 60 and momentum > 60:
        return "Strong Performer"
    if valuation < 20:
        return "Expensive Performer"
    return "Mid-range Performer" if momentum > 40 else "Slowing Down Stock"


def _changes(company: Company) -> list[float]:
    """Over the PERIODS; the long ones are invented, the others follow from the bars."""
    bars = company.bars
    short = [paths.change_percent(bars, days) for days in (5, 21, 63)]
    three, five, ten = (company.vary(span, *bounds) for span, bounds in LONG_CHANGES.items())
    return [*short, company.year_change, three, five, ten]


LONG_CHANGES = {"three years": (-20, 140), "five years": (10, 320), "ten years": (60, 900)}


def _relative_returns(company: Company) -> Columns:
    changes = _changes(company)
    columns: Columns = []
    for index, gains in INDEX_CHANGES.items():
        columns += [
            (f"Relative returns vs {index} {period}%", change - gain)
            for period, change, gain in zip(PERIODS, changes, gains, strict=True)
        ]
    for group, heading in (("industry_name", "Industry"), ("sector_name", "Sector")):
        own = getattr(company, group)
        peers = [_changes(peer) for peer in company.peers if getattr(peer, group) == own]
        for number, period in enumerate(PERIODS):
            average = sum(peer[number] for peer in peers) / len(peers)
            # The exports repeat the industry's heading where the sector's week should stand.
            name = "Industry" if period == "week" else heading
            columns.append((f"Relative returns vs {name} {period}%", changes[number] - average))
    return columns


def _typical_price(company: Company) -> float:
    bar = company.bars[-1]
    return (bar.high + bar.low + bar.close) / 3


def _prices_and_volumes(company: Company) -> Columns:
    bars = company.bars
    changes = dict(zip(PERIODS, _changes(company), strict=True))
    highest, lowest = max(bar.high for bar in company.year), min(bar.low for bar in company.year)
    far_high = [highest * company.vary(f"high {years}", 1.0, 1.2) for years in (5, 10)]
    far_low = [lowest * company.vary(f"low {years}", *bounds) for years, bounds in ((5, (0.4, 0.7)), (10, (0.1, 0.35)))]
    columns: Columns = [
        ("1Yr High", highest),
        ("1Yr Low", lowest),
        ("Day change %", paths.change_percent(bars, 1)),
        ("Month Change %", changes["month"]),
        ("Qtr Change %", changes["quarter"]),
        ("1Yr change %", changes["year"]),
        ("2Yr price change %", (changes["year"] + changes["three years"]) / 2),
        ("3Yr price change %", changes["three years"]),
        ("5Yr price change %", changes["five years"]),
        ("10Yr price change %", changes["ten years"]),
        ("Day Volume", bars[-1].volume),
        ("Week Volume Avg", sum(bar.volume for bar in bars[-5:]) // 5),
        ("Month Volume Avg", sum(bar.volume for bar in bars[-21:]) // 21),
    ]
    spans = (("Day", 1), ("Month", 21), ("Qtr", 63))
    columns += [(f"{span} High", max(bar.high for bar in bars[-days:])) for span, days in spans]
    columns += [("5Yr High", far_high[0]), ("10Yr High", max(far_high))]
    columns += [(f"{span} Low", min(bar.low for bar in bars[-days:])) for span, days in spans]
    return [*columns, ("5Yr Low", far_low[0]), ("10Yr Low", far_low[1])]
