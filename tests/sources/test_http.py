"""The one HTTP client: which addresses, how long, how often, how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from klyx.sources.base import Deadline, SourceCircuitOpen, SourceUnavailable
from klyx.sources.circuit import Circuit
from klyx.sources.http import bounded_by, new_session, retry_after_seconds
from tests.fakes.yahoo import HOSTS, Failure, FakeYahoo

COOKIE_URL = "https://guce.yahoo.com/consent"
REACHED = "csrfToken"


def session_of(yahoo: FakeYahoo, folder: Path, **changes: Any) -> requests.Session:
    settings = yahoo.settings(folder, **changes)
    circuit = Circuit("Source", settings.circuit_failures, settings.circuit_open_seconds)
    return new_session("Source", frozenset(HOSTS), settings, circuit)


def test_a_rewritten_host_is_answered_by_its_replacement_under_its_own_name(yahoo: FakeYahoo, tmp_path: Path) -> None:
    session = session_of(yahoo, tmp_path)
    response = session.get(COOKIE_URL)
    assert REACHED in response.text
    assert response.url == COOKIE_URL
    assert session.cookies.get("A3", domain=".yahoo.com") is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "https://fc.yahoo.com.elsewhere.example/",
        "https://elsewhere.example@127.0.0.1/",
        "http://fc.yahoo.com/",
        "https://fc.yahoo.com:8443/",
        "http://127.0.0.1/",
    ],
)
def test_other_addresses_are_refused_before_anything_is_sent(url: str, yahoo: FakeYahoo, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="not allowed"):
        session_of(yahoo, tmp_path).get(url)
    assert yahoo.requests == 0


def test_a_redirect_to_another_host_is_not_followed(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("redirect")
    with pytest.raises(SourceUnavailable, match="not allowed"):
        session_of(yahoo, tmp_path).get(COOKIE_URL)
    assert yahoo.requests == 1


@pytest.mark.parametrize("failure", ["503", "reset"])
def test_a_passing_failure_is_tried_again(failure: Failure, yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with(failure, times=1)
    assert REACHED in session_of(yahoo, tmp_path).get(COOKIE_URL).text
    assert yahoo.requests == 2


@pytest.mark.parametrize(("failure", "status"), [("500", 500), ("429", 429), ("404", 404), ("401", 401)])
def test_other_errors_are_answered_without_another_try(
    failure: Failure, status: int, yahoo: FakeYahoo, tmp_path: Path
) -> None:
    yahoo.fail_with(failure)
    assert session_of(yahoo, tmp_path).get(COOKIE_URL).status_code == status
    assert yahoo.requests == 1


def test_tries_are_bounded(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("503")
    assert session_of(yahoo, tmp_path, max_attempts=3).get(COOKIE_URL).status_code == 503
    assert yahoo.requests == 3


def test_a_post_is_never_repeated(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("reset")
    with pytest.raises(requests.ConnectionError):
        session_of(yahoo, tmp_path).post(COOKIE_URL, data={"agree": "agree"})
    assert yahoo.requests == 1


def test_a_source_that_keeps_failing_is_not_asked_any_more(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("reset")
    session = session_of(yahoo, tmp_path, max_attempts=1, circuit_failures=2)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            session.get(COOKIE_URL)
    with pytest.raises(SourceCircuitOpen):
        session.get(COOKIE_URL)
    assert yahoo.requests == 2


def test_an_answer_that_drips_is_cut_off(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("drip")
    with pytest.raises(requests.ReadTimeout):
        session_of(yahoo, tmp_path, request_timeout_seconds=0.3).get(COOKIE_URL)
    assert yahoo.requests == 1


def test_an_answer_that_stops_halfway_ends_with_the_read_timeout(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("stall")
    with pytest.raises(requests.ReadTimeout):
        session_of(yahoo, tmp_path, read_timeout_seconds=0.2).get(COOKIE_URL)
    assert yahoo.requests == 1


def test_an_answer_that_is_cut_short_is_tried_again_and_never_taken_for_whole(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session_of(yahoo, tmp_path).get(COOKIE_URL)
    assert yahoo.requests == 2


def test_silence_ends_with_the_read_timeout(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.delay(30)
    with pytest.raises(requests.ReadTimeout):
        session_of(yahoo, tmp_path, read_timeout_seconds=0.2).get(COOKIE_URL)
    assert yahoo.requests == 1


def test_the_deadline_wins_over_the_callers_timeout(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.delay(30)
    with bounded_by(Deadline(0.2)), pytest.raises(requests.ReadTimeout):
        session_of(yahoo, tmp_path).get(COOKIE_URL, timeout=30)
    assert yahoo.requests == 1


def test_nothing_is_sent_after_the_deadline(yahoo: FakeYahoo, tmp_path: Path) -> None:
    with bounded_by(Deadline(0)), pytest.raises(SourceUnavailable, match="in time"):
        session_of(yahoo, tmp_path).get(COOKIE_URL)
    assert yahoo.requests == 0


def test_an_answer_that_is_too_large_is_refused(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("huge")
    with pytest.raises(SourceUnavailable, match="larger"):
        session_of(yahoo, tmp_path, max_response_bytes=100_000).get(COOKIE_URL)


def test_proxies_of_the_surroundings_are_ignored(
    yahoo: FakeYahoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert REACHED in session_of(yahoo, tmp_path).get(COOKIE_URL).text


def test_a_configured_proxy_is_used_for_hosts_that_are_not_rewritten(yahoo: FakeYahoo, tmp_path: Path) -> None:
    session = session_of(yahoo, tmp_path, base_url_rewrites={}, proxy_url=yahoo.url, max_attempts=1)
    with pytest.raises(requests.exceptions.ProxyError):
        session.get(COOKIE_URL)
    assert REACHED in session_of(yahoo, tmp_path, proxy_url="http://127.0.0.1:9").get(COOKIE_URL).text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("", 60.0), ("soon", 60.0), ("999999", 3600.0), ("-5", 60.0)],
)
def test_retry_after_in_seconds(header: str, seconds: float) -> None:
    response = requests.Response()
    response.headers["Retry-After"] = header
    assert retry_after_seconds(response, 60.0) == seconds


def test_retry_after_as_a_date() -> None:
    response = requests.Response()
    response.headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < retry_after_seconds(response, 60.0) <= 100
