"""deploy/gunicorn.conf.py, as production uses it."""

from __future__ import annotations

from pathlib import Path

import requests

from klyx.stack.ports import free_port
from tests.stack.conftest import Start, eventually

SPEAKS = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.url_scheme"].encode()]
"""
GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py")


def test_it_believes_nobody_about_the_scheme_and_logs_in_our_format(start: Start, tmp_path: Path) -> None:
    (tmp_path / "speaks.py").write_text(SPEAKS)
    port = free_port()
    environ = {"HTTP_BINDS": f"127.0.0.1:{port}", "INSTANCE_FOLDER": str(tmp_path), "WEB_WORKERS": "1"}
    run = start(*GUNICORN, "--pythonpath", str(tmp_path), "speaks:app", environ=environ)
    assert eventually(lambda: "Booting worker" in run.output), run.output

    answer = requests.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-Proto": "https"}, timeout=10)

    assert answer.text == "http"
    assert all(line.startswith('{"time":') for line in run.lines), run.output
    run.process.terminate()
    assert run.wait() == 0


def test_production_without_a_secret_opens_no_port(start: Start, tmp_path: Path) -> None:
    environ = {"FLASK_ENV": "production", "JWT_SECRET_KEY": "", "INSTANCE_FOLDER": str(tmp_path)}

    run = start(*GUNICORN, "wsgi:app", environ=environ)

    assert run.wait() == 1
    assert eventually(lambda: len(run.lines) == 1)
    assert run.output.startswith("klyx: JWT_SECRET_KEY is missing")
