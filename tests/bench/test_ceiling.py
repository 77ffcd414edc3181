from __future__ import annotations

from pathlib import Path

from bench import ceiling


def test_it_returns_the_bytes_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    ceiling.write_answers(tmp_path, {"list": (b'{"data":[]}', "application/json"), "page": (b"<p>", "text/html")})

    client = ceiling.create_app(str(tmp_path)).test_client()
    answer = client.get("/list")

    assert answer.data == b'{"data":[]}'
    assert dict(answer.headers) == {"Content-Type": "application/json", "Content-Length": "11"}
    assert client.get("/page").content_type == "text/html"
