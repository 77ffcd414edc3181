"""Made-up companies: the same every time, and figures that agree with one another."""

from __future__ import annotations

import csv
import io
import math
from datetime import date
from pathlib import Path

import pytest

from bench.market import Company, Market
from bench.market.companies import TODAY

MARKET = Market.generated(60)


def test_the_same_company_comes_every_time_however_many_there_are() -> None:
    one, other = Market.generated(3).company("DIVISLAB"), MARKET.company("DIVISLAB")
    assert one is not None
    assert other is not None
    assert (one.price, one.annual, one.quarters, one.holdings) == (other.price, other.annual, other.quarters,
                                                                   other.holdings)  # fmt: skip
    assert one.bars() == other.bars()
    assert one.headlines() == other.headlines()


@pytest.mark.parametrize("company", list(MARKET), ids=lambda company: company.symbol)
def test_prices_follow_one_another(company: Company) -> None:
    bars = company.bars()
    assert bars == sorted(bars)
    assert bars[-1].day == TODAY
    assert bars[-1].close == company.price
    assert bars[-2].close == company.previous_close
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert all(bar.low > 0 and bar.volume > 0 and bar.day.weekday() < 5 for bar in bars)
    assert company.week_52_low <= company.price <= company.week_52_high


@pytest.mark.parametrize("company", list(MARKET), ids=lambda company: company.symbol)
def test_statements_add_up(company: Company) -> None:
    assert [period.end.year for period in company.annual] == list(range(2017, 2027))
    assert [period.end for period in company.quarters][-1] == date(2026, 9, 30)
    for period in (*company.annual, *company.quarters, *company.statements("standalone")):
        before_tax = period.operating_income + period.other_income + period.exceptional - period.interest
        scale = max(period.revenue, period.total_assets)
        assert math.isclose(before_tax, period.profit_before_tax, rel_tol=1e-6, abs_tol=1e-6 * scale)
        assert math.isclose(before_tax - period.tax, period.net_income, rel_tol=1e-6, abs_tol=1e-6 * scale)
        assert period.total_assets >= period.equity + period.total_debt
        assert (period.current_assets is None) == company.is_financial
    last_year = sum(quarter.net_income for quarter in company.quarters[2:6])
    assert math.isclose(last_year, company.annual[-1].net_income, rel_tol=1e-6)


@pytest.mark.parametrize("company", list(MARKET), ids=lambda company: company.symbol)
def test_owners_hold_the_whole(company: Company) -> None:
    for held in company.holdings:
        parts = (held.promoter, held.fii, held.dii, held.public)
        assert math.isclose(sum(parts), 1.0, abs_tol=1e-6)
        assert all(part >= 0 for part in (*parts, held.mutual_funds, held.pledged))
        assert held.mutual_funds <= held.dii


def test_a_company_listed_lately_has_a_short_history() -> None:
    short = [company for company in Market.generated(2_000) if company.listed.listed_on > date(2026, 1, 1)]
    assert short
    assert all(company.year_change is None and len(company.bars()) < 300 for company in short)


def test_bars_can_begin_later() -> None:
    company = next(iter(MARKET))
    assert [bar.day for bar in company.bars(date(2026, 11, 17))] == [date(2026, 11, day) for day in (17, 18, 19, 20)]
    assert len(MARKET.index_bars(date(2026, 11, 16))) == 5


def test_standalone_is_a_part_of_the_group_where_there_is_a_group() -> None:
    groups = [company for company in MARKET if company.has_subsidiaries]
    alone = [company for company in MARKET if not company.has_subsidiaries]
    assert groups
    assert alone
    assert all(one.statements("standalone")[-1].revenue < one.statements("consolidated")[-1].revenue for one in groups)
    assert all(one.statements("consolidated") == () for one in alone)


def test_the_lists_are_in_the_form_of_the_exchange() -> None:
    rows = list(csv.DictReader(io.StringIO(MARKET.equity_list().decode())))
    assert len(rows) == 60
    assert list(rows[0])[2:4] == [" SERIES", " DATE OF LISTING"]
    assert {row["SYMBOL"] for row in rows} >= {"M&M", "BAJAJ-AUTO"}
    sectors = list(csv.DictReader(io.StringIO(MARKET.sector_list().decode())))
    assert 0 < len(sectors) < 60


def test_a_folder_of_the_exchanges_own_files_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "EQUITY_L.csv").write_bytes(MARKET.equity_list())
    (tmp_path / "nse_sectors.csv").write_bytes(MARKET.sector_list())
    market = Market.from_folder(tmp_path)
    assert len(market) == 60
    assert market.equity_list() == MARKET.equity_list()
    company = market.company("M&M")
    assert company is not None
    assert company.name == "Mahindra & Mahindra Ltd."
    assert company.listed.listed_on == next(one.listed_on for one in MARKET.listed if one.symbol == "M&M")
