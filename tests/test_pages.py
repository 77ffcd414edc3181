"""The pages for people, in a real browser where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api import Api

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=15000",
]


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "expected"),
    [("/", "Understand the stocks you own"), ("/api/docs", "/api/process/status/{task_id}")],
)
def test_the_page_shows_itself_under_its_own_policy(api: Api, tmp_path: Path, path: str, expected: str) -> None:
    assert BROWSER is not None
    shown = subprocess.run(
        [BROWSER, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", api.base_url + path],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    # Swagger UI puts word breaks into paths.
    assert expected in shown.stdout.replace("<wbr>", "").replace("\u200b", "")
    assert "Content Security Policy" not in shown.stderr
