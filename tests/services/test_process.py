from __future__ import annotations

import pytest

from klyx.services.process import Started
from klyx.services.refusals import Refusal


@pytest.mark.parametrize(
    ("stocks", "is_new", "refused", "message"),
    [
        (12, True, [], "Analysis started for 12 stocks"),
        (1, True, [], "Analysis started for 1 stock"),
        (2, False, [], "An analysis of 2 stocks is running already"),
        (1, True, [Refusal("a.txt", "No.")], "Analysis started for 1 stock. 1 file was not accepted. a.txt: No."),
    ],
)
def test_messages(stocks: int, is_new: bool, refused: list[Refusal], message: str) -> None:
    assert Started("id", "PENDING", stocks, is_new, refused).message == message
