"""Which company a tool takes a text for."""

from __future__ import annotations

import pytest

from klyx.bundled import read_starter_list
from klyx.database.starter import load_starter_list
from klyx.services.chat.resolve import find_company
from klyx.services.chat.steps import Call, Cancellation, ToolEnded
from klyx.services.chat.tools import toolbox
from klyx.sources.base import Deadline
from tests.api import Api
from tests.services.chat.test_builtin import no_lookup


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


def test_the_search_finds_what_is_misspelt(api: Api) -> None:
    with api.runtime.database.begin() as session:
        load_starter_list(session, read_starter_list())
    call = Call("1", "search_stocks", {"query": "Relaince"})
    steps = toolbox(api.runtime, "nobody", no_lookup).run([call], Cancellation(), Deadline(10))
    (ended,) = [step for step in steps if isinstance(step, ToolEnded)]
    assert ended.result["results"][0]["symbol"] == "RELIANCE"
