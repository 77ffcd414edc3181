from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask, Response, request

from bench.speed import wrk
from bench.speed.figures import Missing
from tests.api import serve

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def test_without_wrk_a_row_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt install wrk"):
        wrk.load("http://127.0.0.1:1", ["/"], 1)


@needs_wrk
def test_it_asks_for_every_path_and_counts_what_fails() -> None:
    app = Flask("asked")
    asked: Counter[str] = Counter()

    @app.get("/<name>")
    def view(name: str) -> Response:
        asked[f"{name} {request.headers.get('If-None-Match')}"] += 1
        return Response(name, status=503 if name == "broken" else 200)

    with serve(app) as url:
        found = wrk.load(url, ["/one", "/broken"], 1, {"If-None-Match": '"1"'}, connections=2)

    assert asked.keys() == {'one "1"', 'broken "1"'}
    assert 0 < found.bad_status < found.requests <= asked.total()
    assert (found.broken, found.failures) == (0, found.bad_status)
    assert found.per_second > 0
    assert found.p50_us <= found.p99_us


@needs_wrk
def test_one_path_is_asked_for_alone() -> None:
    app = Flask("asked")
    app.add_url_rule("/one", "one", lambda: "one")

    with serve(app) as url:
        found = wrk.load(url, ["/one"], 1, connections=2)

    assert found.requests > 0
    assert found.failures == 0
