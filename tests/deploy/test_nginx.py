"""deploy/nginx.conf in a real nginx, on ports of its own and without a certificate."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import requests

from klyx.config_settings import DEFAULT_ORIGINS
from klyx.error_handling import MESSAGES
from klyx.stack.ports import free_port
from tests.stack.conftest import ROOT, eventually
from tests.stack.test_gunicorn import exchange

SITE = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
ALLOWED = "https://projectklyx.vercel.app"
# The user is for tests that run as root: another one could not enter the folder of the test.
MAIN = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def for_this_test(site: str, port: int) -> str:
    """Nothing listens where the application would be."""
    site = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", site, flags=re.DOTALL)
    site = re.sub(r"listen \[::\]:443 .*;|ssl_certificate.*;", "", site)
    site = re.sub(r"listen 443 .*;", f"listen 127.0.0.1:{port};", site)
    return re.sub(r"server 127.0.0.1:(5001|8000);", lambda _: f"server 127.0.0.1:{free_port()};", site)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx that serves the site, with the application down."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    (folder / "site.conf").write_text(for_this_test(SITE.read_text(), port))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    with subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]) as process:
        try:
            assert eventually(lambda: answers(port)), (folder / "error.log").read_text()
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return bool(requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code)
    except requests.RequestException:
        return False


def ask(port: int, status: int, origin: str = "") -> requests.Response:
    """A request that nginx answers itself with `status`."""
    body = b" " * (10 * 1024 * 1024 + 1) if status == 413 else b""
    headers = {"Origin": origin} if origin else {}
    answer = requests.post(f"http://127.0.0.1:{port}/api/upload", data=body, headers=headers, timeout=20)
    assert answer.status_code == status
    return answer


@pytest.mark.parametrize("status", [413, 503])
def test_answers_of_nginx_itself_can_be_read_by_the_clients(proxy: int, status: int) -> None:
    answer = ask(proxy, status, ALLOWED)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


@pytest.mark.parametrize("status", [413, 503])
@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", f"{ALLOWED}.evil.example", "https://a.vercel.app"])
def test_other_origins_cannot_read_them(proxy: int, status: int, origin: str) -> None:
    answer = ask(proxy, status, origin)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


FIRST = b"GET /api/health HTTP/1.1\r\nHost: x\r\nOrigin: " + ALLOWED.encode() + b"\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "allowed_origin"),
    [
        (b"hello\r\n\r\n", 400, "*"),
        (b"GET /api/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "*"),
        (FIRST + b"Content-Length: many\r\n\r\n", 400, "*"),
        (b"GET /api/health?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "*"),
        (FIRST + b"Cookie: " + b"x" * 9000 + b"\r\n\r\n", 431, ALLOWED),
    ],
    ids=["no-http", "bad-address", "bad-header", "long-address", "long-header"],
)
def test_what_nginx_cannot_read_is_answered_in_json(
    proxy: int, request_bytes: bytes, status: int, allowed_origin: str
) -> None:
    code, headers, body = exchange(proxy, request_bytes)
    assert code == status
    assert headers["Content-Type"] == "application/json"
    assert headers["Access-Control-Allow-Origin"] == allowed_origin
    told = json.loads(body)
    assert told == {"status": "error", "message": MESSAGES[status]}


def test_nginx_knows_the_origins_that_the_application_knows() -> None:
    listed = re.findall(r'^    "(http[^"]+)" \$http_origin;$', SITE.read_text(), re.MULTILINE)
    assert tuple(listed) == DEFAULT_ORIGINS
