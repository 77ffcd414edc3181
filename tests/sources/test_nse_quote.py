"""The exchange's quote document."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bench.market import nse_documents
from klyx.sources.nse_quote import fields_of, knows
from tests.sources.exchange import COMPANY

DOCUMENT: dict[str, Any] = nse_documents.quote(COMPANY)


def changed(part: str, **values: object) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document[part].update(values)
    return document


def test_figures_written_as_text_are_read() -> None:
    document = changed("priceInfo", lastPrice="1,234.50", previousClose="1,200")
    document["securityInfo"]["issuedSize"] = "10,00,000"
    fields = fields_of(document)
    assert (fields["currentPrice"], fields["_previous_close"]) == (1234.5, 1200.0)
    assert fields["marketCap"] == 1234.5 * 1_000_000


@pytest.mark.parametrize("nothing", [None, "NA", "-", "", 0, -3.2, float("nan"), float("inf"), True, [], {}])
def test_what_is_no_figure_is_absent(nothing: object) -> None:
    document = changed("metadata", pdSymbolPe=nothing, pdSectorPe=nothing)
    document["priceInfo"].update(lastPrice=nothing, close=nothing, previousClose=nothing)
    document["priceInfo"]["weekHighLow"] = {"min": nothing, "max": nothing}
    assert all(name.startswith("_") and name != "_previous_close" for name in fields_of(document))


def test_a_company_without_a_last_price_has_its_close() -> None:
    assert fields_of(changed("priceInfo", lastPrice=0, close=77.5))["currentPrice"] == 77.5


def test_without_shares_there_is_no_market_capitalisation() -> None:
    assert "marketCap" not in fields_of(changed("securityInfo", issuedSize=None))


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"info": None}, {"info": []}, {"info": {"symbol": ""}}])
def test_what_is_no_quote_is_not_taken_for_one(document: object) -> None:
    assert not knows(document)
    assert fields_of(document) == {}
