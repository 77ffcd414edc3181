from __future__ import annotations

from tests.api import Api
from tests.stock_api import BATCH, add


def test_batch_answers_in_the_order_asked(api: Api) -> None:
    for name, code in (("Alpha Ltd.", "ALPHA"), ("Divi's Laboratories Ltd.", "DIVISLAB"), ("L & T", "M&M")):
        add(api, name, code, data_quality_score=0)
    names = ["m&m", "Unknown Ltd.", "divi's laboratories LTD.", "Alpha Ltd.", "m&m"]
    body = api.post(BATCH, json={"stock_names": names}).json()
    assert [row["NSE Code"] for row in body["data"]] == ["M&M", "DIVISLAB", "ALPHA"]
    assert body["metadata"] == {"requested": 5, "found": 3, "missing": ["Unknown Ltd."]}


def test_batch_prefers_exact_name_then_symbol_then_letter_case(api: Api) -> None:
    add(api, "TCS", "OTHER", market_cap=1e6)
    add(api, "Tata Consultancy Services Ltd.", "TCS", market_cap=1e13)
    add(api, "tcs", "CASE", market_cap=2e6)
    add(api, "infy", "LOWER", market_cap=1e13)
    add(api, "Infosys Ltd.", "INFY", market_cap=1e12)
    body = api.post(BATCH, json={"stock_names": ["TCS", "tcs", "Tcs", "INFY", "lower"]}).json()
    assert [row["NSE Code"] for row in body["data"]] == ["OTHER", "CASE", "TCS", "INFY", "LOWER"]


def test_batch_of_namesakes_takes_the_largest(api: Api) -> None:
    add(api, "Same Name Ltd.", "SMALL", market_cap=1e6)
    add(api, "Same Name Ltd.", "BIG", market_cap=1e9)
    add(api, "Same Name Ltd.", "UNKNOWN", market_cap=None)
    body = api.post(BATCH, json={"stock_names": ["Same Name Ltd."]}).json()
    assert [row["NSE Code"] for row in body["data"]] == ["BIG"]


def test_batch_bounds(api: Api) -> None:
    add(api, "Alpha Ltd.", "ALPHA")
    empty = api.post(BATCH, json={"stock_names": []})
    assert (empty.status_code, empty.json()["data"]) == (200, [])
    assert empty.json()["metadata"] == {"requested": 0, "found": 0, "missing": []}
    full = api.post(BATCH, json={"stock_names": ["Alpha Ltd.", *(f"Unknown {n}" for n in range(499))]})
    assert full.json()["metadata"]["found"] == 1
    assert len(full.json()["metadata"]["missing"]) == 499
    refused = api.post(BATCH, json={"stock_names": ["Alpha Ltd."] * 501})
    assert refused.status_code == 400
    assert "500" in refused.json()["message"]


def test_batch_refuses_wrong_bodies(api: Api) -> None:
    bodies = [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"{",
        b'{"stock_names": null}',
        b'{"stock_names": "TCS"}',
        b'{"stock_names": {"0": "TCS"}}',
        b'{"stock_names": [1]}',
        b'{"stock_names": [null]}',
        b'{"stock_names": [["TCS"]]}',
        b'{"stock_names": ["a\\u0000b"]}',
        b'{"stock_names": ["\\ud800"]}',
        b'{"stock_names": ["\xff"]}',
    ]
    for body in bodies:
        answer = api.post(BATCH, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["status"] == "error"
        assert answer.json()["message"]


def test_batch_takes_odd_names_as_unknown(api: Api) -> None:
    add(api, "Alpha Ltd.", "ALPHA")
    names = ["%", "_", "' OR ''='", "\\", "🚀" * 200, "x" * 10_000, "", " ", "ΑΛΦΑ"]
    body = api.post(BATCH, json={"stock_names": names}).json()
    assert body["metadata"] == {"requested": 9, "found": 0, "missing": names}
