"""The starter list: complete, plausible, in agreement with itself, and what its script writes."""

import csv
from pathlib import Path

import pytest

from klyx.bundled import read_starter_list, starter_list_path
from klyx.bundled.make_starter_list import as_csv, starter_rows
from klyx.database.models import Stock, StockMetadata

ROWS = {str(row["nse_code"]): row for row in read_starter_list()}
EQUITY_LIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "EQUITY_L.csv"


def figure(row: dict[str, str | int | float | None], name: str) -> float:
    value = row[name]
    assert isinstance(value, int | float)
    return value


def test_the_file_is_what_the_script_writes() -> None:
    assert starter_list_path().read_text(encoding="utf-8") == as_csv(starter_rows())


def test_holds_the_fifty_companies_under_their_names() -> None:
    assert len(ROWS) == 50
    names = {code: row["stock_name"] for code, row in ROWS.items()}
    assert names["ADANIENT"] == "Adani Enterprises Ltd."
    assert names["ADANIPORTS"] == "Adani Ports & Special Economic Zone Ltd."
    assert names["M&M"] == "Mahindra & Mahindra Ltd."
    assert {"ETERNAL", "JIOFIN", "TRENT", "BEL", "MAXHEALTH", "INDIGO", "TMPV", "BAJAJ-AUTO"} <= names.keys()
    assert len(set(names.values())) == 50


def test_every_column_is_one_of_the_database() -> None:
    known = {*Stock.__table__.columns.keys(), *StockMetadata.__table__.columns.keys()}
    for row in ROWS.values():
        assert row.keys() <= known


def test_is_marked_as_sample_data_and_free_of_markup() -> None:
    for row in ROWS.values():
        assert row["data_sources"] == "Sample data"
        assert not any(mark in str(value) for value in row.values() for mark in "<>")


def test_codes_are_unique_and_well_formed() -> None:
    for name in ("isin", "bse_code", "nse_code"):
        assert len({row[name] for row in ROWS.values()}) == 50
    for row in ROWS.values():
        assert isinstance(row["bse_code"], str)
        assert len(row["bse_code"]) == 6
        assert isin_checks(str(row["isin"]))


def isin_checks(isin: str) -> bool:
    """The check digit of ISO 6166: Luhn's over the letters as numbers."""
    digits = "".join(str(int(character, 36)) for character in isin)
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return len(isin) == 12 and sum(number // 10 + number % 10 for number in doubled) % 10 == 0


@pytest.mark.skipif(not EQUITY_LIST.is_file(), reason="the exchange's list is not on this machine")
def test_codes_agree_with_the_exchange() -> None:
    with EQUITY_LIST.open(encoding="utf-8", newline="") as source:
        listed = {row["SYMBOL"]: row["ISIN NUMBER"] for row in csv.DictReader(source, skipinitialspace=True)}
    assert {code: row["isin"] for code, row in ROWS.items()} == {code: listed[code] for code in ROWS}


@pytest.mark.parametrize("code", ROWS)
def test_figures_agree_with_one_another(code: str) -> None:
    row = ROWS[code]
    price = figure(row, "current_price")
    assert figure(row, "week_52_low") <= price <= figure(row, "week_52_high")
    assert figure(row, "market_cap") > 1e12
    assert figure(row, "market_cap") / figure(row, "revenue_annual") == pytest.approx(figure(row, "ps_ratio"), abs=0.01)
    holdings = ("promoter_holding_pct", "fii_holding_pct", "dii_holding_pct")
    assert 0 < sum(figure(row, name) for name in holdings) <= 100
    assert figure(row, "mf_holding_pct") <= figure(row, "dii_holding_pct")
    assert ("Bullish" in str(row["tech_trend"])) == (price > figure(row, "sma_50"))
    assert ("Long Term" in str(row["tech_trend"])) == (price > figure(row, "sma_200"))
    assert 0 < figure(row, "rsi") < 100
    assert 0 < figure(row, "adx") < 100
    upside = figure(row, "target_price") / price * 100 - 100
    assert (row["recommendation_key"] in ("strong_buy", "buy")) == (upside > 7)
    if row["pe_ttm"] is not None:
        assert price / figure(row, "basic_eps_ttm") == pytest.approx(figure(row, "pe_ttm"), rel=0.02)
        equity, profit = figure(row, "stockholders_equity"), figure(row, "net_profit_annual")
        assert figure(row, "roe_annual_pct") == pytest.approx(profit / equity * 100, abs=0.01)


def test_some_figures_are_unknown_as_they_are_in_life() -> None:
    assert ROWS["HDFCBANK"]["current_ratio"] is None
    assert ROWS["SBIN"]["debt_to_equity"] is None
    assert ROWS["TMPV"]["pe_ttm"] is None
    assert ROWS["BEL"]["debt_to_equity"] == 0
    assert figure(ROWS["TMPV"], "data_quality_score") < figure(ROWS["TCS"], "data_quality_score")
