"""Figures of one made-up company that agree with one another. Money in rupees, percent in percent points."""

from __future__ import annotations

import math
from random import Random
from typing import Any

Figures = dict[str, Any]

RECOMMENDATIONS = ("strong_buy", "buy", "hold", "underperform", "sell")


def figures(chance: Random, *, is_financial: bool) -> Figures:
    """Everything but identity, texts and gaps. `excellence` is what makes good companies good in several figures."""
    excellence = chance.gauss(0, 1)
    market_cap = min(math.exp(chance.gauss(23.6 + 0.3 * excellence, 1.8)), 2.5e13)
    made: Figures = {"market_cap": market_cap}
    made |= _prices(chance, excellence)
    made |= _results(chance, excellence, market_cap)
    made |= _balance_sheet(chance, excellence, made, is_financial=is_financial)
    made |= _indicators(chance, made)
    made |= _holdings(chance, excellence)
    made |= _outlook(chance, excellence, made)
    made |= _scores(chance, made)
    return made


def _prices(chance: Random, excellence: float) -> Figures:
    price = max(math.exp(chance.gauss(5.7, 1.3)), 1.05)
    year = math.exp(chance.gauss(0.06 + 0.06 * excellence, 0.4)) - 1
    quarter = math.exp(chance.gauss(0.25 * math.log1p(year), 0.13)) - 1
    month = math.exp(chance.gauss(0.33 * math.log1p(quarter), 0.07)) - 1
    week = month / 4 + chance.gauss(0, 0.025)
    day = chance.gauss(week / 4, 0.019)
    a_year_ago = price / (1 + year)
    high = max(price, a_year_ago, price / (1 + quarter)) * (1 + abs(chance.gauss(0, 0.1)))
    low = min(price, a_year_ago, price / (1 + quarter)) * (1 - min(abs(chance.gauss(0, 0.1)), 0.6))
    return {
        "current_price": price,
        "day_change_pct": max(day, -0.2) * 100,
        "week_change_pct": week * 100,
        "month_change_pct": month * 100,
        "qtr_change_pct": quarter * 100,
        "year_1_change_pct": year * 100,
        "year_3_change_pct": (math.exp(chance.gauss(0.3 + 0.2 * excellence + math.log1p(year), 0.5)) - 1) * 100,
        "sma_50": price / (1 + 0.7 * month + chance.gauss(0, 0.015)),
        "sma_200": price / (1 + 0.45 * year + chance.gauss(0, 0.03)),
        "ema_20": price / (1 + 0.35 * month + chance.gauss(0, 0.008)),
        "week_52_high": high,
        "week_52_low": low,
        "year_1_high": high,
        "year_1_low": low,
    }


def _results(chance: Random, excellence: float, market_cap: float) -> Figures:
    makes_profit = chance.random() < 0.84
    price_to_earnings = math.exp(chance.gauss(3.2, 0.6))
    if makes_profit:
        net_margin = min(math.exp(chance.gauss(2.1 + 0.35 * excellence, 0.7)), 60)
        operating_margin = min(net_margin * chance.uniform(1.2, 1.9) + 1, 85)
        revenue = market_cap / price_to_earnings / net_margin * 100
    else:
        net_margin = -min(math.exp(chance.gauss(2.3, 1.0)), 300)
        operating_margin = net_margin * chance.uniform(0.3, 1.0)
        revenue = market_cap / math.exp(chance.gauss(0.6, 0.8))
    profit = revenue * net_margin / 100
    revenue_growth = chance.gauss(11 + 6 * excellence, 14)
    profit_growth = revenue_growth * 1.2 + chance.gauss(0, 22) if makes_profit else -abs(chance.gauss(40, 40))
    eps_growth = profit_growth + chance.gauss(-1, 3)
    earnings_ratio = market_cap / profit
    # Sources leave the ratio of a loss out as often as they give it a minus sign.
    known_ratio = earnings_ratio if makes_profit or chance.random() < 0.5 else None
    return {
        "pe_ttm": None if known_ratio is None else max(min(known_ratio, 9_000.0), -9_000.0),
        "sector_pe_ttm": chance.uniform(14, 60),
        "ps_ratio": market_cap / revenue,
        "peg_ratio": earnings_ratio / eps_growth if makes_profit and abs(eps_growth) > 0.5 else None,
        "earnings_yield_pct": 100 / earnings_ratio if makes_profit else None,
        "operating_margin_pct": operating_margin,
        "net_profit_margin_pct": net_margin,
        "revenue_growth_yoy_pct": revenue_growth,
        "revenue_growth_qtr_yoy_pct": revenue_growth + chance.gauss(0, 8),
        "profit_growth_yoy_pct": profit_growth,
        "profit_growth_qtr_yoy_pct": profit_growth + chance.gauss(0, 15),
        "eps_growth_pct": eps_growth,
        "revenue_annual": revenue,
        "revenue_qtr": revenue / 4 * chance.uniform(0.8, 1.25),
        "net_profit_annual": profit,
        "net_profit_qtr": profit / 4 * chance.uniform(0.6, 1.4),
    }


def _balance_sheet(chance: Random, excellence: float, made: Figures, *, is_financial: bool) -> Figures:
    profit, market_cap = made["net_profit_annual"], made["market_cap"]
    if profit > 0:
        equity = profit / min(math.exp(chance.gauss(2.6 + 0.35 * excellence, 0.5)), 90) * 100
    else:
        equity = max(market_cap / math.exp(chance.gauss(0.5, 0.6)), -2 * profit)
    debt_to_equity = 0.0 if chance.random() < 0.12 else min(math.exp(chance.gauss(-1.1 - 0.4 * excellence, 1.0)), 9)
    current_ratio = math.exp(chance.gauss(0.55 + 0.15 * excellence, 0.45))
    if is_financial:
        debt_to_equity += chance.uniform(1.5, 6)
    debt = equity * debt_to_equity
    current_liabilities = (equity + debt) * chance.uniform(0.08, 0.35)
    total_assets = equity + debt + current_liabilities
    operating_profit = made["revenue_annual"] * made["operating_margin_pct"] / 100
    return {
        "pb_ratio": market_cap / equity,
        "roe_annual_pct": profit / equity * 100,
        "roa_annual_pct": profit / total_assets * 100,
        "roce_annual_pct": operating_profit / (equity + debt) * 100,
        "debt_to_equity": debt_to_equity,
        "current_ratio": None if is_financial else current_ratio,
        "basic_eps_ttm": profit / market_cap * made["current_price"],
        "total_debt": debt,
        "stockholders_equity": equity,
        "total_assets": total_assets,
        "current_liabilities": None if is_financial else current_liabilities,
        "current_assets": None if is_financial else current_liabilities * current_ratio,
    }


def _indicators(chance: Random, made: Figures) -> Figures:
    price, month, day = made["current_price"], made["month_change_pct"], made["day_change_pct"]
    rsi = min(max(50 + 1.5 * month + 1.2 * day + chance.gauss(0, 7), 4.0), 96.0)
    macd = price * (month / 400 + chance.gauss(0, 0.006))
    money_flow = min(max(rsi + chance.gauss(0, 10), 2.0), 98.0)
    volume = math.exp(chance.gauss(4.5, 0.5))
    rising = price > made["sma_50"]
    long_term = " (Long Term)" if rising == (price > made["sma_200"]) else ""
    return {
        "rsi": rsi,
        "macd": macd,
        # Of plain means instead of Wilder's, the same index swings a little wider.
        "tech_rsi": min(max(50 + 1.05 * (rsi - 50), 3.0), 97.0),
        "tech_macd": macd,
        "adx": min(10 + abs(month) * 1.1 + abs(chance.gauss(0, 9)), 75.0),
        "atr": price * chance.uniform(0.012, 0.05),
        "beta_1yr": max(chance.gauss(1.0, 0.4), -0.4),
        "tech_trend": ("Bullish" if rising else "Bearish") + long_term,
        "tech_rsi_state": "Overbought" if rsi > 70 else "Oversold" if rsi < 30 else "Neutral",
        "tech_macd_signal": "Bullish" if macd > 0 else "Bearish",
        "tech_mfi": money_flow,
        "tech_volume_signal": "High" if volume > 150 else "Low" if volume < 50 else "Normal",
        "tech_volume_pct": volume,
    }


def _holdings(chance: Random, excellence: float) -> Figures:
    promoter = min(max(chance.gauss(52, 17), 0.0), 74.99)
    left_for_others = 99.0 - promoter
    foreign = left_for_others * min(abs(chance.gauss(0.12 + 0.04 * excellence, 0.12)), 0.45)
    domestic = left_for_others * min(abs(chance.gauss(0.15 + 0.04 * excellence, 0.14)), 0.45)
    foreign, domestic = round(foreign, 4), round(domestic, 4)
    return {
        "promoter_holding_pct": promoter,
        "promoter_holding_change_qoq_pct": 0.0 if chance.random() < 0.6 else chance.gauss(0, 0.8),
        "fii_holding_pct": foreign,
        "fii_holding_change_qoq_pct": chance.gauss(0, 0.6),
        "dii_holding_pct": domestic,
        "mf_holding_pct": domestic * chance.uniform(0.2, 0.95),
        "mf_holding_change_qoq_pct": chance.gauss(0.1, 0.5),
        "institutional_holding_pct": foreign + domestic,
    }


def _outlook(chance: Random, excellence: float, made: Figures) -> Figures:
    pays = made["net_profit_annual"] > 0 and chance.random() < 0.72
    dividend_yield = min(math.exp(chance.gauss(0.0, 0.95)), 14.0) if pays else 0.0
    upside = chance.gauss(0.1 + 0.04 * excellence, 0.16)
    is_covered = made["market_cap"] > 2e10 and chance.random() < 0.85
    place = 0 if upside > 0.25 else 1 if upside > 0.1 else 2 if upside > -0.05 else 3 if upside > -0.15 else 4
    key = RECOMMENDATIONS[place]
    return {
        "dividend_yield_pct": dividend_yield,
        "forward_dividend_yield_pct": dividend_yield * chance.uniform(0.9, 1.2),
        "target_price": made["current_price"] * max(1 + upside, 0.3) if is_covered else None,
        "recommendation_key": key if is_covered else None,
        "recommendation_text": key.replace("_", " ").title() if is_covered else None,
        "analyst_count": chance.randint(1, 40) if is_covered else 0,
    }


def _scores(chance: Random, made: Figures) -> Figures:
    year = math.log1p(made["year_1_change_pct"] / 100)
    # The share of all companies that did worse: the year's changes are log-normal around 0.06 with 0.4.
    strength = int(99 * 0.5 * (1 + math.erf((year - 0.06) / 0.4 / math.sqrt(2))))
    near_high = made["current_price"] / made["week_52_high"]
    momentum = 0.4 * strength + (30 if near_high > 0.95 else 20 if near_high > 0.85 else 10 if near_high > 0.75 else 0)
    momentum += 10 if made["current_price"] > 1.1 * made["week_52_low"] else 0
    momentum += 20 if 40 < made["rsi"] < 70 else 0
    good = (
        made["roa_annual_pct"] > 0, made["operating_margin_pct"] > 0, made["roa_annual_pct"] > 10,
        made["debt_to_equity"] < 1, made["debt_to_equity"] < 0.1, (made["current_ratio"] or 0) > 1.5,
        made["net_profit_margin_pct"] > 10, made["eps_growth_pct"] > 0, made["promoter_holding_pct"] > 30,
        made["roe_annual_pct"] > 15,
    )  # fmt: skip
    earnings, growth = made["pe_ttm"] or 0, made["peg_ratio"] or 0
    cheap = (0 < earnings < 15, 0 < earnings < 30, 0 < growth < 1.5, 0 < made["pb_ratio"] < 3,
             made["dividend_yield_pct"] > 1)  # fmt: skip
    return {
        "momentum_score": min(int(momentum), 100),
        "durability_score": 10 * sum(good),
        "valuation_score": 20 * sum(cheap),
        "rel_strength_score": min(max(strength, 0), 99),
        "piotroski_score": min(max(round(sum(good) * 0.8 + chance.gauss(0.5, 1)), 0), 9),
    }
