"""The child that draws: what it may cost, and what happens when it costs more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from klyx.charts import ChartLimits, ChartNotDrawn, ChartRequest, draw_chart, drawing
from tests.services.technicals.bars import random_bars

WEB_PROCESS = """
import sys
from klyx import create_app
from klyx.config import load_settings
create_app(load_settings({{"FLASK_ENV": "testing", "INSTANCE_FOLDER": {folder!r}}}))
import klyx.services.price_charts
print(sorted({{"matplotlib", "numpy", "pandas", "talib", "lxml", "vaderSentiment", "yfinance"}} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a list of fonts: to make one leaves the child memory that it need not ask for."""
    made = tmp_path_factory.mktemp("charts")
    draw_chart(chart_of(3), made)
    return made


def chart_of(sessions: int) -> ChartRequest:
    bars = random_bars(sessions)
    return ChartRequest(
        heading="Infosys (INFY)",
        summary="up",
        title="title",
        description="description",
        days=[bar.day.isoformat() for bar in bars],
        closes=[bar.close for bar in bars],
        volumes=[bar.volume for bar in bars],
        hidden=0,
    )


def test_the_same_prices_give_the_same_picture(tmp_path: Path, folder: Path) -> None:
    first = draw_chart(chart_of(300), tmp_path / "new" / "charts")

    assert first.startswith(b"<?xml")
    assert draw_chart(chart_of(300), folder) == first


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no address-space limit")
@pytest.mark.parametrize(
    "limits",
    [
        ChartLimits(memory_bytes=80 * 1024 * 1024),
        ChartLimits(seconds=0.01),
        ChartLimits(max_answer_bytes=1000),
    ],
)
def test_a_chart_that_costs_too_much_is_not_drawn(limits: ChartLimits, folder: Path) -> None:
    with pytest.raises(ChartNotDrawn) as refused:
        draw_chart(chart_of(20_000), folder, limits)

    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"] == "10"


def test_a_child_that_fails_is_told_and_gives_its_place_back(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__main__.py").write_text("raise SystemExit(1)")
    with monkeypatch.context() as broken:
        broken.setattr(drawing, "CHILD", tmp_path)
        for _ in range(drawing.MOST_AT_ONCE + 1):
            with pytest.raises(ChartNotDrawn, match="could not be drawn"):
                draw_chart(chart_of(3), folder, ChartLimits(wait_seconds=0.1))

    assert draw_chart(chart_of(3), folder)


def test_a_web_process_loads_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    code = WEB_PROCESS.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "[]", done.stderr
