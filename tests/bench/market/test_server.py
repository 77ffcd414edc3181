"""The simulator answers, counts, delays and fails as it was told."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from bench.market import Answer, Company, Market, Query, State
from bench.market.arrivals import Arrival, most_of_one_kind, most_within, too_early
from bench.market.server import Simulator


class _Documents:
    slug = "nse"

    def symbol_of(self, host: str, path: str, query: Query, /) -> str | None:
        return query["symbol"][0] if "symbol" in query else None

    def answer(self, company: Company | None, host: str, path: str, query: Query, state: State, /) -> Answer:
        if path == "table":
            return 200, {"Content-Type": "text/html"}, b"<table><tr><td>Sales</td><td>1,234.50</td></tr></table>"
        if company is None:
            return 404, {}, b"unknown"
        body = {"info": {"symbol": company.symbol}, "price": company.price, "agent": state.headers["user-agent"]}
        return 200, {"Content-Type": "application/json"}, json.dumps(body | {"filler": "x" * 3000}).encode()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Market.generated(20), sources={"a.example": _Documents()}) as server:
        yield server


def get(simulator: Simulator, rest: str = "quote?symbol=M%26M", timeout: float = 5.0) -> requests.Response:
    return requests.get(f"{simulator.url}/a.example/{rest}", timeout=timeout)


def test_a_company_is_found_by_its_symbol(simulator: Simulator) -> None:
    answer = get(simulator)
    assert answer.json()["info"] == {"symbol": "M&M"}
    assert answer.headers["Content-Encoding"] == "gzip"
    assert get(simulator, "quote?symbol=NOBODY").status_code == 404
    assert requests.get(f"{simulator.url}/b.example/", timeout=5).status_code == 404


def test_hosts_are_mapped_to_the_server(simulator: Simulator) -> None:
    assert simulator.rewrites == {"a.example": f"{simulator.url}/a.example"}
    assert simulator.environment == {"SOURCE_REWRITES": f"a.example={simulator.url}/a.example"}


def test_requests_are_counted_where_they_arrive(simulator: Simulator) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: get(simulator), range(8)))
    get(simulator, "quote?symbol=LTF")
    arrivals = simulator.arrivals.of("nse")
    assert len(arrivals) == 9
    assert most_of_one_kind(arrivals) == {1: 1, 8: 1}
    assert simulator.arrivals.of("yahoo") == []


def test_the_most_within_a_second_is_over_every_stretch_of_it() -> None:
    times = (0.0, 0.5, 0.9, 1.0, 1.4, 5.0)
    assert most_within(Arrival(at, "nse", "a", "b", None) for at in times) == 4
    assert most_within([]) == 0


def test_requests_that_came_too_early() -> None:
    arrivals = [Arrival(at, "nse", "a", "b", None) for at in (0.0, 0.1, 0.9, 1.1, 5.0)]
    assert too_early(arrivals, 2) == pytest.approx([0.1])
    assert too_early(arrivals, 3) == []


def test_a_busy_source_counts_when_requests_came_not_when_it_read_them(simulator: Simulator) -> None:
    address = urlsplit(simulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"GET /a.example/quote?symbol=LTF HTTP/1.1\r\n")
        sent = time.monotonic()
        time.sleep(0.3)
        connection.sendall(b"Host: a.example\r\nConnection: close\r\n\r\n")
        while connection.recv(65_536):
            pass
    (arrival,) = simulator.arrivals.of()
    assert abs(arrival.at - sent) < 0.2


def test_a_delay_is_waited_for(simulator: Simulator) -> None:
    simulator.delays["nse"] = 0.2
    started = time.monotonic()
    get(simulator)
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("kind", ["403", "404", "429", "500", "503"])
def test_refusals(simulator: Simulator, kind: str) -> None:
    simulator.fail(kind, retry_after="7", times=1)  # type: ignore[arg-type]
    refused = get(simulator)
    assert (refused.status_code, refused.headers["Retry-After"]) == (int(kind), "7")
    assert get(simulator).status_code == 200


@pytest.mark.parametrize("kind", ["silence", "half_way", "drip", "reset"])
def test_answers_that_never_become_whole(simulator: Simulator, kind: str) -> None:
    simulator.fail(kind, path="quote")  # type: ignore[arg-type]
    with pytest.raises(requests.RequestException):
        _read_for_half_a_second(f"{simulator.url}/a.example/quote?symbol=LTF")
    simulator.recover()
    assert get(simulator).status_code == 200


def _read_for_half_a_second(url: str) -> None:
    answer = requests.get(url, timeout=0.3, stream=True)
    started = time.monotonic()
    for _ in answer.iter_content(1):
        if time.monotonic() - started > 0.5:
            raise requests.ReadTimeout


def test_a_huge_answer_says_how_large_it_is(simulator: Simulator) -> None:
    simulator.fail("huge")
    with requests.get(f"{simulator.url}/a.example/quote", timeout=5, stream=True) as answer:
        assert int(answer.headers["Content-Length"]) == 200 * 1024 * 1024
        assert len(next(answer.iter_content(1_000_000))) > 0


def test_a_truncated_answer_ends_early_without_a_word(simulator: Simulator) -> None:
    whole = get(simulator).content
    simulator.fail("truncated_gzip")
    part = get(simulator).content
    assert whole.startswith(part)
    assert 0 < len(part) < len(whole)


def test_html_in_the_place_of_json(simulator: Simulator) -> None:
    simulator.fail("html")
    assert get(simulator).text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("kind", "price"), [("nan", "NaN"), ("strings", '"n.a."'), ("absurd", "-1e+18")])
def test_figures_that_are_none(simulator: Simulator, kind: str, price: str) -> None:
    simulator.fail(kind)  # type: ignore[arg-type]
    assert f'"price": {price}' in get(simulator).text
    assert "1,234.50" not in get(simulator, "table").text


def test_empty_documents(simulator: Simulator) -> None:
    simulator.fail("empty", times=1)
    assert get(simulator).json() == {"info": {}, "price": None, "agent": None, "filler": None}
    simulator.fail("nothing", times=1)
    assert get(simulator).content == b""


def test_a_failure_can_be_of_one_stock(simulator: Simulator) -> None:
    simulator.fail("500", symbol="LTF")
    assert get(simulator).status_code == 200
    assert get(simulator, "quote?symbol=LTF").status_code == 500
