import re
from pathlib import Path

import pytest

from klyx.workbooks import WorkbookLimits, reader
from klyx.workbooks.refusals import REASONS, refusal

FIGURES = {"found": 20_002, "row": 3, "column": 4}


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_says_what_to_do_next(code: str) -> None:
    refused = refusal(code, WorkbookLimits(), FIGURES)
    assert refused.code == code
    assert "pload" in refused.reason
    assert "{" not in refused.reason


def test_every_code_of_the_child_has_a_reason() -> None:
    text = "".join(path.read_text() for path in Path(reader.CHILD).glob("*.py"))
    codes = set(re.findall(r'Refused\("(\w+)"', text)) | set(re.findall(r'"((?:not|\w+_named)_\w+|web_page)"', text))
    assert len(codes) > 20
    assert codes <= REASONS.keys()
