from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.api import Api
from tests.workbooks.files import xlsx_of
from tests.workspaces import SAMPLES, analyse, rows_of, send

FORMULAS = (
    b"Stock Name,NSE Code,Market Capitalization,Current Price,Remark\n"
    b"Reliance Industries Ltd.,RELIANCE,1500.5,2500,=cmd|' /C calc'!A0\n"
    b"Infosys Ltd.,INFY,Export NA,nan,@SUM(1)\n"
)


def test_nothing_analysed_is_404(api: Api) -> None:
    for answer in (api.get("/api/results"), api.get("/api/results?format=csv")):
        assert answer.status_code == 404
        assert answer.json()["status"] == "error"
        assert answer.json()["message"]


def test_rows_in_order_with_rupees_and_quality(api: Api) -> None:
    send(api, ("a.csv", FORMULAS))
    analyse(api, api)
    answer = api.get("/api/results")
    assert "NaN" not in answer.text
    assert "Infinity" not in answer.text
    rows = answer.json()["data"]
    assert [row["Stock Name"] for row in rows] == ["Reliance Industries Ltd.", "Infosys Ltd."]
    assert list(rows[0])[:5] == ["Stock Name", "NSE Code", "Market Capitalization", "Current Price", "Remark"]
    assert rows[0]["Market Capitalization"] == 15_005_000_000
    assert rows[1]["Market Capitalization"] is None
    assert rows[1]["Current Price"] is None
    assert rows[0]["_quality"]["score"] == rows[0]["Data Quality Score"]
    assert all("Tech_RSI" not in row for row in rows)
    assert answer.headers["Cache-Control"] == "no-store"


def test_csv_download_runs_no_formulas(api: Api) -> None:
    send(api, ("a.csv", FORMULAS))
    analyse(api, api)
    answer = api.get("/api/results?format=csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=klyx-results-")
    assert answer.headers["Content-Disposition"].endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Remark"][:2] for row in rows] == ["'=", "'@"]
    assert float(rows[0]["Market Capitalization"]) == 15_005_000_000
    assert "_quality" not in rows[0]


def test_xlsx_download(api: Api) -> None:
    send(api, ("a.csv", FORMULAS))
    analyse(api, api)
    answer = api.get("/api/results?format=xlsx")
    assert answer.headers["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["Content-Disposition"].endswith(".xlsx")
    headings, first, *_ = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    cells = dict(zip(headings, first, strict=True))
    assert cells["Market Capitalization"] == 15_005_000_000
    assert cells["Remark"] == "=cmd|' /C calc'!A0"
    assert "_quality" not in cells


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["pdf", "CSV", "", "../csv"])
def test_an_unknown_format_is_400(api: Api, name: str) -> None:
    answer = api.get(f"/api/results?format={name}")
    assert answer.status_code == 400
    assert "csv" in answer.json()["message"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_download_is_not_taken_for_a_workbook(api: Api) -> None:
    send(api, ("a.csv", FORMULAS))
    analyse(api, api)
    download = api.get("/api/results?format=xlsx").content
    answer = send(api, ("results.xlsx", download))
    assert answer.status_code == 400
    assert "download" in answer.json()["message"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the exported workbooks are not here")
def test_the_exported_workbooks(api: Api) -> None:
    api.starter()
    user = api.register()
    files = [(path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*.xlsx"))]
    assert len(send(user.client, *files).json()["files"]) == 4
    assert analyse(api, user.client)["result"]["stocks"] == 5
    rows = {row["NSE Code"]: row for row in rows_of(user.client)}
    assert math.isclose(rows["ADANIENT"]["Market Capitalization"], 2_769_237_400_000, rel_tol=1e-6)
    assert rows["ADANIENT"]["Tech_RSI"] == 46.64
    assert all(not isinstance(value, float) or math.isfinite(value) for row in rows.values() for value in row.values())
    held = user.client.get("/api/portfolio", headers=user.headers).json()["data"]["stock_names"]
    assert len(held) == 5


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_columns_keep_their_order_whatever_they_are_called(api: Api) -> None:
    headings: list[Any] = ["Stock Name", "zeta", "alpha", "Mid", "1", "\u0909\u092a\u092d\u094b\u0917"]
    send(api, ("a.xlsx", xlsx_of([headings, ["Infosys Ltd.", 1, 2, "x", 3, "\u0906"]])))
    analyse(api, api)
    assert list(rows_of(api)[0])[:6] == headings
