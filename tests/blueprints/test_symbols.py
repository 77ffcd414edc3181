from __future__ import annotations

import pytest

from tests.api import Api
from tests.workspaces import GOOD_CSV, analyse, rows_of, send

TYPOS = b"""Stock Name,NSE Code,Symbol
Reliance,RELIANC,
Infosys,INFY,
Wipro Ltd.,,
Nobody Knows This Pvt Ltd,,
,,TCS
"""


def test_known_and_unknown_symbols(api: Api) -> None:
    api.starter()
    send(api, ("a.csv", TYPOS))
    answer = api.get("/api/verify_symbols")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"status", "valid", "invalid"}
    assert body["status"] == "success"
    assert body["valid"] == ["INFY", "Wipro Ltd.", "TCS"]
    assert [unknown["symbol"] for unknown in body["invalid"]] == ["RELIANC", "Nobody Knows This Pvt Ltd"]
    best = body["invalid"][0]["candidates"][0]
    assert best["nse_code"] == "RELIANCE"
    assert best["stock_name"]
    assert "sc_id" in best
    assert isinstance(body["invalid"][1]["candidates"], list)


def test_short_names_of_large_companies_are_known(api: Api) -> None:
    api.starter()
    send(api, ("a.csv", b"Stock Name,NSE Code\nSBI,\nThat one,L&T\nBharti,AIRTEL\nZomato Ltd,\nHUL,\n"))
    body = api.get("/api/verify_symbols").json()
    assert (body["valid"], body["invalid"]) == (["SBI", "L&T", "AIRTEL", "Zomato Ltd", "HUL"], [])
    assert analyse(api, api)["status"] == "SUCCESS"
    assert {row["Stock Name"]: row["NSE Code"] for row in rows_of(api)} == {
        "SBI": "SBIN",
        "That one": "LT",
        "Bharti": "BHARTIARTL",
        "Zomato Ltd": "ETERNAL",
        "HUL": "HINDUNILVR",
    }


def test_without_files(api: Api) -> None:
    assert api.get("/api/verify_symbols").json() == {"status": "no_files", "valid": [], "invalid": []}
    send(api, ("a.csv", GOOD_CSV))
    api.post("/api/clear")
    assert api.get("/api/verify_symbols").json() == {"status": "no_files", "valid": [], "invalid": []}


def test_symbols_occur_once(api: Api) -> None:
    send(api, ("a.csv", b"Stock Name,NSE Code\nA,XX\nB,xx\nC,XX\n"), ("b.csv", b"Stock Name,NSE Code\nA,XX\n"))
    assert [unknown["symbol"] for unknown in api.get("/api/verify_symbols").json()["invalid"]] == ["XX"]


def test_corrections_count_in_verification_analysis_and_portfolio(api: Api) -> None:
    api.starter()
    user = api.register()
    send(user.client, ("a.csv", b"Stock Name,NSE Code,Current Price\nThat one,RELIANC,5\nThe other,,6\n"))
    answer = user.client.post(
        "/api/submit_corrections", json={"RELIANC": " RELIANCE ", "The other": "INFOSYS LTD."}
    )
    assert answer.status_code == 200
    assert answer.json()["status"] == "success"
    assert user.client.get("/api/verify_symbols").json()["invalid"] == []
    held = user.client.get("/api/portfolio", headers=user.headers).json()["data"]["stock_names"]
    assert len(held) == 2
    assert analyse(api, user.client)["status"] == "SUCCESS"
    assert {row["NSE Code"]: row["Current Price"] for row in rows_of(user.client)} == {"RELIANCE": 5, "INFY": 6}


def test_a_symbol_is_corrected_to_a_company_name(api: Api) -> None:
    api.starter()
    user = api.register()
    send(user.client, ("a.csv", b"Stock Name,NSE Code,Current Price\nThat one,RELIANC,5\nThe other,INFOSIS,6\n"))
    names = {"RELIANC": "RELIANCE INDUSTRIES LTD.", "INFOSIS": "INFOSYS"}
    assert user.client.post("/api/submit_corrections", json=names).status_code == 200
    body = user.client.get("/api/verify_symbols").json()
    assert (body["valid"], body["invalid"]) == (["RELIANCE", "INFOSYS"], [])
    held = user.client.get("/api/portfolio", headers=user.headers).json()["data"]["stock_names"]
    assert len(held) == 2
    assert analyse(api, user.client)["status"] == "SUCCESS"
    assert {row["Stock Name"]: row["NSE Code"] for row in rows_of(user.client)} == {
        "That one": "RELIANCE",
        "The other": "INFY",
    }


def test_a_correction_can_be_corrected(api: Api) -> None:
    api.starter()
    send(api, ("a.csv", b"Stock Name,NSE Code\nThat one,RELIANC\n"))
    api.post("/api/submit_corrections", json={"RELIANC": "RELX"})
    assert [unknown["symbol"] for unknown in api.get("/api/verify_symbols").json()["invalid"]] == ["RELX"]
    api.post("/api/submit_corrections", json={"RELX": "RELIANCE"})
    assert api.get("/api/verify_symbols").json()["valid"] == ["RELIANCE"]
    api.post("/api/submit_corrections", json={"relianc": "INFY"})
    assert api.get("/api/verify_symbols").json()["valid"] == ["INFY"]


def test_corrections_are_the_workspaces_own(api: Api) -> None:
    api.starter()
    other = api.new_client()
    for client in (api, other):
        send(client, ("a.csv", b"Stock Name,NSE Code\nThat one,RELIANC\n"))
    api.post("/api/submit_corrections", json={"RELIANC": "RELIANCE"})
    assert api.get("/api/verify_symbols").json()["invalid"] == []
    assert other.get("/api/verify_symbols").json()["invalid"][0]["symbol"] == "RELIANC"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'["RELIANCE"]',
        b'"RELIANCE"',
        b"{broken",
        b'{"A": 1}',
        b'{"A": null}',
        b'{"A": {"B": "C"}}',
        b'{"A": "  "}',
        b'{"": "RELIANCE"}',
        b'{"A": "\\u0000"}',
        b'{"A": "' + b"x" * 256 + b'"}',
        b"{" + b",".join(b'"A%d": "B"' % number for number in range(1_001)) + b"}",
    ],
)
def test_what_is_no_correction_is_a_400(api: Api, body: bytes) -> None:
    answer = api.post("/api/submit_corrections", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]


def test_names_with_dots_and_markup(api: Api) -> None:
    api.starter()
    send(api, ("a.csv", b"Stock Name\nDr. Reddy's Labs <b>Ltd.</b>\n"))
    written = api.get("/api/verify_symbols").json()["invalid"][0]["symbol"]
    assert not set(written) & set("<>")
    api.post("/api/submit_corrections", json={written: "DRREDDY"})
    assert api.get("/api/verify_symbols").json()["invalid"] == []
