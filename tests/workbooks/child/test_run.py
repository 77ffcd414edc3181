import io
import json
import subprocess
import sys

import pytest

from klyx.workbooks import reader
from klyx.workbooks.child import run
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


@pytest.mark.parametrize(
    ("source", "status", "answer"),
    [
        (b"Stock Name\nTCS\n", 0, {"columns": ["Stock Name"], "rows": [["TCS"]]}),
        (b"", REFUSED_STATUS, {"refused": "empty", "figures": {}}),
    ],
)
def test_main_answers_after_confining_itself(
    source: bytes, status: int, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    confined: list[tuple[int, float]] = []
    # The real limits would stay on the process that runs the tests.
    monkeypatch.setattr(run, "confine", lambda *bounds: confined.append(bounds))
    sink = io.BytesIO()
    request = '{"extension": ".csv", "limits": {"max_rows": 5}}'
    assert run.main(request, io.BytesIO(source), sink) == status
    assert json.loads(sink.getvalue()) == answer
    assert confined == [(WorkbookLimits().memory_bytes, WorkbookLimits().seconds)]


def test_main_tells_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise MemoryError(size)

    confined: list[tuple[int, float]] = []
    monkeypatch.setattr(run, "confine", lambda *bounds: confined.append(bounds))
    sink = io.BytesIO()
    assert run.main('{"extension": ".csv", "limits": {}}', Exhausting(), sink) == REFUSED_STATUS
    assert json.loads(sink.getvalue()) == {"refused": "memory", "figures": {}}
