from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from klyx.database.starter import SAMPLE_SOURCE
from klyx.services.market_data.trust import FRESH_FOR, SPECIAL_ORDERS, TRUST_ORDER, Origin, is_better, rank
from klyx.services.market_data.vocabulary import Kind
from klyx.services.stocks.provenance import CALCULATED

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def better(new: tuple[str, timedelta], present: tuple[str, timedelta], kind: Kind = Kind.STATEMENT) -> bool:
    """Of values by source and how long before noon they were obtained."""
    return is_better(Origin(new[0], NOON - new[1]), Origin(present[0], NOON - present[1]), "pe_ttm", kind)


def test_of_one_source_the_younger_wins() -> None:
    assert better(("NSE", HOUR), ("NSE", DAY))
    assert better(("NSE", HOUR), ("NSE", HOUR))
    assert not better(("NSE", DAY), ("NSE", HOUR))


def test_a_less_trusted_source_waits_until_the_value_is_stale() -> None:
    assert not better(("MoneyControl", HOUR), ("Yahoo Finance", 44 * DAY))
    assert better(("MoneyControl", HOUR), ("Yahoo Finance", 46 * DAY))
    assert better(("MoneyControl", HOUR), ("NSE", 3 * HOUR), Kind.PRICE)
    assert not better(("MoneyControl", HOUR), ("NSE", HOUR + HOUR / 2), Kind.PRICE)


def test_a_more_trusted_source_wins_unless_it_is_stale() -> None:
    assert better(("Yahoo Finance", HOUR), ("MoneyControl", HOUR))
    assert better(("Yahoo Finance", 40 * DAY), ("MoneyControl", HOUR))
    assert not better(("Yahoo Finance", 50 * DAY), ("MoneyControl", HOUR))


def test_names_and_sectors_stay_with_the_more_trusted_source() -> None:
    assert not better(("Yahoo Finance", HOUR), ("NSE", 4000 * DAY), Kind.IDENTITY)
    assert better(("NSE", 4000 * DAY), ("Yahoo Finance", HOUR), Kind.IDENTITY)


@pytest.mark.parametrize("other", ["NSE", "Somewhere new", CALCULATED])
def test_sample_data_always_loses(other: str) -> None:
    assert better((other, 9000 * DAY), (SAMPLE_SOURCE, HOUR))
    assert not better((SAMPLE_SOURCE, HOUR), (other, 9000 * DAY))
    assert better((SAMPLE_SOURCE, HOUR), (SAMPLE_SOURCE, DAY))


def test_a_recorded_value_is_better_than_one_of_unknown_origin_and_that_than_a_sample() -> None:
    nobody = Origin(None, None)
    assert is_better(Origin("Somewhere new", NOON), nobody, "pe_ttm", Kind.VALUATION)
    assert not is_better(nobody, Origin("Somewhere new", NOON), "pe_ttm", Kind.VALUATION)
    assert not is_better(Origin(SAMPLE_SOURCE, NOON), nobody, "pe_ttm", Kind.VALUATION)


def test_of_two_different_values_exactly_one_is_better() -> None:
    sources = (*TRUST_ORDER, "Somewhere new", CALCULATED, SAMPLE_SOURCE)
    ages = (HOUR, 2 * HOUR + HOUR / 2, 2 * DAY, 50 * DAY, 500 * DAY)
    values = list(product(sources, ages))
    for kind, one, other in product(Kind, values, values):
        if one != other:
            assert better(one, other, kind) is not better(other, one, kind), (kind, one, other)


def test_every_kind_of_figure_has_its_freshness() -> None:
    assert set(FRESH_FOR) == set(Kind)


def test_who_files_the_holdings_knows_them_better() -> None:
    assert rank("MoneyControl", "promoter_holding") < rank("Yahoo Finance", "promoter_holding")
    assert rank("Yahoo Finance", "pe_ratio") < rank("MoneyControl", "pe_ratio") < rank("Somewhere new", "pe_ratio")
    assert all(set(TRUST_ORDER) <= set(order) for order in SPECIAL_ORDERS.values())
