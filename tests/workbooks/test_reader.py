"""Whole reads: a real file, the real child process, the answer or the refusal a person would see."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from klyx import child_process
from klyx.services.analysis.table import Table
from klyx.workbooks import WorkbookLimits, WorkbookRefused, read_workbook, reader
from tests.workbooks import bombs
from tests.workbooks.files import compound_file, package, saved, sheet_xml, xls_of, xlsx_of

LIMITS = WorkbookLimits()
ROWS: list[list[str | int | float | bool | None]] = [
    ["Stock Name", "Current Price", "Reco"],
    ["Mahindra & Mahindra Ltd.", 3_650.25, "Export NA"],
    ["Divi's Laboratories Ltd.", 6_400, None],
]
REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY.parent / "shared" / "samples"

EXPECTED_CODES = {
    "high_ratio": "zip_ratio",
    "too_large_when_unpacked": "zip_size",
    "lying_about_sizes": "zip_ratio",
    "many_entries": "zip_entries",
    # Newer versions of zipfile find the overlap itself.
    "overlapping_entries": ("zip_size", "damaged"),
    "billion_laughs": "dtd",
    "billion_laughs_in_utf16": "dtd",
    "far_corner": "rows",
    "far_row_without_references": "rows",
    "hundred_thousand_rows": "rows",
    "amplified_string": "memory",
    "xls_far_corner": "memory",
    "xls_sixty_thousand_rows": "rows",
    "csv_hundred_thousand_rows": "rows",
    "csv_of_commas": "no_rows",
    "csv_open_quote": "csv_quotes",
}


def refused(path: Path, name: str, limits: WorkbookLimits = LIMITS) -> WorkbookRefused:
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path, name, limits)
    return caught.value


def fake_child(folder: Path, body: str) -> Path:
    """A folder that the reader can start in the place of the real child."""
    folder.mkdir()
    (folder / "__main__.py").write_text(body)
    return folder


def test_reads_an_xlsx_workbook(tmp_path: Path) -> None:
    table = read_workbook(saved(tmp_path, xlsx_of(ROWS)), "My list.XLSX", LIMITS)
    assert table == Table(
        "My list.XLSX",
        ("Stock Name", "Current Price", "Reco"),
        (("Mahindra & Mahindra Ltd.", 3_650.25, "Export NA"), ("Divi's Laboratories Ltd.", 6_400, None)),
    )


def test_reads_an_xls_workbook(tmp_path: Path) -> None:
    cells: list[tuple[int, int, str | float]] = [
        (0, 0, "Stock Name"),
        (0, 1, "Price"),
        (1, 0, "Infosys Ltd. \u20b9"),
        (1, 1, 1_540.5),
    ]
    table = read_workbook(saved(tmp_path, xls_of(cells)), "old.xls", LIMITS)
    assert table == Table("old.xls", ("Stock Name", "Price"), (("Infosys Ltd. \u20b9", 1_540.5),))


def test_reads_a_csv_file(tmp_path: Path) -> None:
    content = b"Stock Name;Price\r\nITC Ltd.;402.5\r\n"
    assert read_workbook(saved(tmp_path, content), "list.csv", LIMITS).rows == (("ITC Ltd.", 402.5),)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real exports are not on this machine")
def test_reads_the_real_exports() -> None:
    shapes = {}
    for path in sorted(SAMPLES.glob("*.xlsx")):
        table = read_workbook(path, path.name, LIMITS)
        shapes[path.name] = (len(table.columns), len(table.rows))
        assert table.columns[0] == "Stock Name"
        assert table.rows[0][:3] == ("Adani Enterprises Ltd.", "ADANIENT", 512_599)
    assert sorted(shapes.values()) == [(46, 5), (51, 5), (80, 5), (92, 5)]


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_refuses_each_bomb_for_its_reason(name: str, tmp_path: Path) -> None:
    build, extension = bombs.BOMBS[name]
    refusal = refused(saved(tmp_path, build()), name + extension)
    assert refusal.code in EXPECTED_CODES[name]
    assert "upload" in refusal.reason


def test_row_refusal_names_the_limit(tmp_path: Path) -> None:
    refusal = refused(saved(tmp_path, bombs.hundred_thousand_rows()), "rows.xlsx")
    assert "at most 20,000 rows" in refusal.reason


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.csv"])
def test_refuses_an_empty_file(name: str, tmp_path: Path) -> None:
    assert "file is empty" in refused(saved(tmp_path, b""), name).reason


@pytest.mark.parametrize("name", ["list.pdf", "list", "", "list.xlsx.exe", "list.xlsm"])
def test_refuses_other_extensions(name: str, tmp_path: Path) -> None:
    assert refused(saved(tmp_path, xlsx_of(ROWS)), name).code == "extension"


def test_refuses_a_lock_file_of_excel(tmp_path: Path) -> None:
    assert refused(saved(tmp_path, b"\x05owner" + bytes(159)), "~$list.xlsx").code == "lock_file"


def test_refuses_more_bytes_than_allowed(tmp_path: Path) -> None:
    refusal = refused(saved(tmp_path, b"x" * (2 * 1024 * 1024)), "a.csv", WorkbookLimits(max_bytes=1024 * 1024))
    assert "larger than 1 MB" in refusal.reason


@pytest.mark.parametrize("name", ["secret.xlsx", "secret.xls"])
def test_refuses_a_workbook_with_a_password(name: str, tmp_path: Path) -> None:
    container = compound_file({"EncryptionInfo": b"\x04\x00\x04\x00", "EncryptedPackage": b"x" * 5_000})
    assert "Remove the password" in refused(saved(tmp_path, container), name).reason


def test_refuses_an_old_workbook_with_a_password(tmp_path: Path) -> None:
    content = xls_of([(0, 0, "Stock Name")], protected=True)
    assert refused(saved(tmp_path, content), "secret.xls").code == "password"


def test_refuses_garbage_behind_the_signature_of_an_xls(tmp_path: Path) -> None:
    garbage = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40
    assert refused(saved(tmp_path, garbage), "a.xls").code == "damaged"


def test_refuses_a_truncated_workbook(tmp_path: Path) -> None:
    content = xlsx_of(ROWS)
    assert refused(saved(tmp_path, content[: len(content) // 2]), "a.xlsx").code == "damaged"


def test_refuses_a_workbook_without_values(tmp_path: Path) -> None:
    assert refused(saved(tmp_path, xlsx_of([])), "a.xlsx").code == "no_rows"


def test_formulas_give_their_cached_values_and_errors_none(tmp_path: Path) -> None:
    sheet = sheet_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Stock Name</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>Price</t></is></c><c r="C1" t="inlineStr"><is><t>PE</t></is></c>'
        "</row>"
        '<row r="2"><c r="A2" t="str"><f>"TCS"&amp;" Ltd."</f><v>TCS Ltd.</v></c>'
        '<c r="B2"><f>1+2</f><v>3</v></c><c r="C2" t="e"><f>NA()</f><v>#N/A</v></c></row>'
    )
    assert read_workbook(saved(tmp_path, package(sheet)), "a.xlsx", LIMITS).rows == (("TCS Ltd.", 3, None),)


def test_the_name_of_the_table_is_sanitised(tmp_path: Path) -> None:
    path = saved(tmp_path, xlsx_of(ROWS))
    assert read_workbook(path, "../../etc/\U0001f4c8 <b>list\x00.xlsx", LIMITS).source == "\U0001f4c8 blist.xlsx"


def test_a_child_over_its_memory_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, b"Stock Name\n" + b"some text\n" * 900_000)
    limits = WorkbookLimits(memory_bytes=64 * 1024 * 1024, max_rows=1_000_000)
    assert refused(path, "a.csv", limits).code == "memory"


def test_a_child_over_its_time_ends_itself(tmp_path: Path) -> None:
    path = saved(tmp_path, bombs.csv_hundred_thousand_rows())
    refusal = refused(path, "a.csv", WorkbookLimits(seconds=0.001, max_rows=200_000))
    assert "longer than 0.001 seconds" in refusal.reason


def test_a_child_that_hangs_is_killed_with_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    body = (
        "import os, signal, subprocess, sys\n"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "other = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{other.pid}}')\n"
        "signal.pause()\n"
    )
    monkeypatch.setattr(reader, "CHILD", fake_child(tmp_path / "hanging", body))
    monkeypatch.setattr(child_process, "GRACE_SECONDS", 1.0)
    assert refused(saved(tmp_path, b"a,b\n"), "a.csv", WorkbookLimits(seconds=1.0)).code == "time"
    child, grandchild = (int(pid) for pid in pids.read_text().split())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert not _is_running(grandchild)


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")


def test_a_child_that_writes_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import sys\nwhile True:\n    sys.stdout.write('x' * 65536)\n"
    monkeypatch.setattr(reader, "CHILD", fake_child(tmp_path / "endless", body))
    limits = WorkbookLimits(max_answer_bytes=1_000_000)
    assert refused(saved(tmp_path, b"a,b\n"), "a.csv", limits).code == "text"


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "print('not json')", "print('[1]')", "print('{}')"])
def test_a_child_that_answers_nonsense_is_a_refusal(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHILD", fake_child(tmp_path / "odd", body))
    assert refused(saved(tmp_path, b"a,b\n"), "a.csv").code == "damaged"


def test_a_child_that_crashes_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n"
    monkeypatch.setattr(reader, "CHILD", fake_child(tmp_path / "crash", body))
    assert refused(saved(tmp_path, b"a,b\n"), "a.csv").code == "damaged"


def test_a_child_inherits_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import json, os\nprint(json.dumps({'columns': sorted(os.environ), 'rows': []}))\n"
    monkeypatch.setenv("JWT_SECRET_KEY", "not for the child")
    monkeypatch.setattr(reader, "CHILD", fake_child(tmp_path / "environment", body))
    columns = read_workbook(saved(tmp_path, b"a,b\n"), "a.csv", LIMITS).columns
    assert set(columns) <= {"LC_CTYPE"}


def open_handles() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_many_reads_at_once_leave_no_handle_open(tmp_path: Path) -> None:
    path = saved(tmp_path, xlsx_of(ROWS))
    read_workbook(path, "a.xlsx", LIMITS)
    before = open_handles()
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda number: read_workbook(path, f"{number}.xlsx", LIMITS), range(16)))
    assert [table.source for table in tables] == [f"{number}.xlsx" for number in range(16)]
    assert open_handles() == before


def test_a_child_that_cannot_start_leaves_no_handle_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, b"a,b\n")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    before = open_handles()
    with pytest.raises(FileNotFoundError):
        read_workbook(path, "a.csv", LIMITS)
    assert open_handles() == before


def test_no_free_place_is_a_refusal_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_places", threading.BoundedSemaphore(1))
    with reader._places:
        refusal = refused(saved(tmp_path, b"a,b\n"), "a.csv", WorkbookLimits(seconds=0.05))
    assert "in a minute" in refusal.reason


def test_the_child_runs_without_the_application(tmp_path: Path) -> None:
    """A copy of the reader alone, in a folder where klyx itself would fail to import, still reads."""
    package_folder = tmp_path / "klyx"
    shutil.copytree(REPOSITORY / "klyx" / "workbooks", package_folder / "workbooks")
    shutil.copy(REPOSITORY / "klyx" / "confinement.py", package_folder)
    (package_folder / "__init__.py").write_text("raise ImportError('the child must not load this')")
    request = '{"extension": ".csv", "limits": {}}'
    done = subprocess.run(
        [sys.executable, "-I", str(package_folder / "workbooks" / "child"), request],
        input=b"Stock Name\nTCS Ltd.\n",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b'{"columns":["Stock Name"],"rows":[["TCS Ltd."]]}'


def test_the_lying_bomb_really_lies(tmp_path: Path) -> None:
    with zipfile.ZipFile(saved(tmp_path, bombs.lying_about_sizes())) as archive:
        assert archive.getinfo("xl/worksheets/sheet1.xml").file_size == 1_000
