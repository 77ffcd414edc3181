from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from klyx.config import Settings
from klyx.stack.banner import banner, url_of


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1:5001", "http://127.0.0.1:5001"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("[::1]:5001", "http://[::1]:5001"),
    ],
)
def test_a_bind_has_a_url_for_a_browser(bind: str, url: str) -> None:
    assert url_of(bind) == url


def test_the_banner_says_where_everything_is_and_no_password() -> None:
    settings = Settings(
        http_binds=("127.0.0.1:6001", "127.0.0.1:6002"),
        chat_binds=("127.0.0.1:6003",),
        postgres_url="postgresql://klyx:secret1@db.example.org:5433/klyx",
        redis_url="redis://:secret2@127.0.0.1:7000/0",
    )

    text = banner(settings)

    for address in (
        "http://127.0.0.1:6001/\n",
        "http://127.0.0.1:6001/api/docs",
        "http://127.0.0.1:6001/api/health",
        "http://127.0.0.1:6002",
        "http://127.0.0.1:6003",
        "postgresql://db.example.org:5433/klyx",
        "redis://127.0.0.1:7000/0",
    ):
        assert address in text
    assert "secret" not in text


def test_the_banner_names_the_sqlite_file(tmp_path: Path) -> None:
    assert f"SQLite, {tmp_path}/klyx.sqlite3" in banner(Settings(instance_folder=tmp_path))


def test_the_first_command_sends_a_whole_registration() -> None:
    sent = re.search(r"-d '(.*)'", banner(Settings()))
    assert sent is not None
    assert json.loads(sent[1]).keys() == {"email", "password", "name"}
