"""Which company a tool takes a text for."""

from __future__ import annotations

import pytest

from klyx.bundled import read_starter_list
from klyx.database.starter import load_starter_list
from klyx.services.chat.resolve import find_company
from tests.api import Api


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("HDFC Bank", "HDFCBANK"),
        ("Adani Ports", "ADANIPORTS"),
        ("sbi", "SBIN"),
        ("TCS.NS", "TCS"),
        ("zomato", "ETERNAL"),
        ("Bajaj", None),
        ("Tata", None),
        ("Reliance Power", None),
    ],
)
def test_a_name_that_several_companies_begin_with_means_none(api: Api, text: str, symbol: str | None) -> None:
    with api.runtime.database.begin() as session:
        load_starter_list(session, read_starter_list())
    with api.runtime.database.read() as session:
        found = find_company(session, text)
    assert (found.nse_code if found else None) == symbol
