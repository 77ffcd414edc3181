import json
import subprocess
import sys

import pytest

from klyx.workbooks import reader
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.run import REFUSED_STATUS, encode_table
from klyx.workbooks.limits import WorkbookLimits
from tests.workbooks.files import xls_of, xlsx_of


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (xlsx_of([["Stock Name"], ["TCS \u20b9"]]), ".xlsx"),
        (xls_of([(0, 0, "Stock Name"), (1, 0, "TCS \u20b9")]), ".xls"),
        ("Stock Name\nTCS \u20b9\n".encode(), ".csv"),
    ],
)
def test_every_kind_of_file_gives_the_same_table(data: bytes, extension: str) -> None:
    table = json.loads(encode_table(data, extension, WorkbookLimits()))
    assert table == {"columns": ["Stock Name"], "rows": [["TCS \u20b9"]]}


@pytest.mark.parametrize(
    ("limits", "code"),
    [(WorkbookLimits(max_bytes=5), "bytes"), (WorkbookLimits(max_answer_bytes=20), "text")],
)
def test_too_much_in_or_out_is_refused(limits: WorkbookLimits, code: str) -> None:
    with pytest.raises(Refused) as caught:
        encode_table(b"Stock Name\nTCS\n", ".csv", limits)
    assert caught.value.code == code


def test_a_refusal_has_its_own_exit_status() -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(reader.CHILD), '{"extension": ".csv", "limits": {"max_rows": 1}}'],
        input=b"Stock Name\na\nb\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == REFUSED_STATUS
    assert json.loads(done.stdout) == {"refused": "rows", "figures": {"found": 2}}
