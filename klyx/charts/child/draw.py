"""Drawing one price history as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Inches; text of 9 points is as large on a phone's 360 pixels as the text around the picture.
SIZE = (4.8, 3.9)
INK, FAINT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
PRICE, SHORT, LONG, VOLUME = "#1d4ed8", "#b45309", "#7e22ce", "#94a3b8"
SHORT_SESSIONS, LONG_SESSIONS = 50, 200
LAKH, CRORE = 100_000, 10_000_000
# Half a year is short enough to want days on its axis.
DAYS_ON_AXIS_BELOW = 200
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
# On a page that does not say how wide: pixels for each of the picture's own units.
SCALE = 2
_NUMBER = re.compile(r"-?\d+\.\d+")
# Fonts that every system has a version of; the picture carries none.
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "chart",
    "path.simplify_threshold": 0.3,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "xtick.alignment": "left",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Chart:
    """What to draw. The first `hidden` sessions only feed the averages; closes are rupees, volumes shares."""

    heading: str
    summary: str
    title: str
    description: str
    days: Sequence[str]
    closes: Sequence[float]
    volumes: Sequence[float]
    hidden: int


def draw(chart: Chart) -> bytes:
    """The chart as an SVG document in UTF-8: no scripts, no references to anything outside it."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=SIZE)
        FigureCanvasSVG(figure)
        _fill(figure, chart)
        made = io.BytesIO()
        figure.savefig(made, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _tidy(made.getvalue(), chart)


def _fill(figure: Figure, chart: Chart) -> None:
    price, volume = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (4, 1), "hspace": 0.08})
    figure.subplots_adjust(left=0.03, right=0.86, top=0.8, bottom=0.08)
    figure.text(0.03, 0.94, chart.heading, fontsize=11, fontweight="bold")
    figure.text(0.03, 0.885, chart.summary, fontsize=9, color=FAINT)
    shown = slice(chart.hidden, None)
    days = np.array([date.fromisoformat(day).toordinal() for day in chart.days[shown]], dtype=float)
    days -= date(1970, 1, 1).toordinal()
    closes = np.asarray(chart.closes, dtype=float)
    price.plot(days, closes[shown], color=PRICE, linewidth=1.5, label="Close", marker="." if len(days) == 1 else None)
    for sessions, colour, dashes in ((SHORT_SESSIONS, SHORT, (4, 1.5)), (LONG_SESSIONS, LONG, (1.5, 1.5))):
        average = _average(closes, sessions)[shown]
        if np.isfinite(average).any():
            price.plot(days, average, color=colour, linewidth=1.3, dashes=dashes, label=f"{sessions}-day average")
    volume.fill_between(days, np.asarray(chart.volumes[shown], dtype=float), step="mid", color=VOLUME, linewidth=0)
    price.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=3, frameon=False, fontsize=8.5, handlelength=1.8,
        columnspacing=1.2, borderaxespad=0.2, handletextpad=0.5,
    )  # fmt: skip
    _axes(price, volume, days)


def _axes(price: Axes, volume: Axes, days: Any) -> None:
    for axes in (price, volume):
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(GRID)
        axes.yaxis.tick_right()
        axes.tick_params(length=0, pad=3)
        axes.margins(x=0.01)
    price.grid(axis="y", color=GRID, linewidth=0.7)
    price.set_axisbelow(True)
    price.tick_params(labelbottom=False)
    price.yaxis.set_major_locator(MaxNLocator(5))
    price.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"₹{_rupees(value)}"))
    # Above the bars there is room for the word.
    volume.set_ylim(0, volume.get_ylim()[1] * 1.4)
    volume.yaxis.set_major_locator(MaxNLocator(2))
    volume.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _shares(value)))
    volume.text(0.01, 0.98, "Volume", transform=volume.transAxes, fontsize=8.5, color=FAINT, va="top")
    volume.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=5))  # type: ignore[no-untyped-call]
    is_short = len(days) > 0 and days[-1] - days[0] < DAYS_ON_AXIS_BELOW
    shape = "%d %b" if is_short else "%b %Y"
    volume.xaxis.set_major_formatter(dates.DateFormatter(shape))  # type: ignore[no-untyped-call]


def _average(closes: Any, sessions: int) -> Any:
    """The simple moving average; NaN where fewer sessions are known."""
    averages = np.full(len(closes), np.nan)
    if len(closes) >= sessions:
        averages[sessions - 1 :] = np.convolve(closes, np.full(sessions, 1 / sessions), mode="valid")
    return averages


def _rupees(value: float) -> str:
    """Digits grouped as in India, 1,30,000; decimals for prices below ten rupees only."""
    if abs(value) < 10:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    digits = f"{abs(value):.1f}".removesuffix(".0")
    whole, _, decimals = digits.partition(".")
    head, tail = whole[:-3], whole[-3:]
    grouped = f"{re.sub(r'(?<=.)(?=(..)+$)', ',', head)},{tail}" if head else tail
    return ("-" if value < 0 else "") + grouped + (f".{decimals}" if decimals else "")


def _shares(value: float) -> str:
    if value >= CRORE:
        return f"{value / CRORE:g} Cr"
    return f"{value / LAKH:g} L" if value >= LAKH else f"{value:,.0f}"


def _tidy(made: bytes, chart: Chart) -> bytes:
    """Says what the picture shows, lets it fit its place, and leaves out what only drawing programs read.

    Styles become attributes, so that it is drawn under any content security policy.
    """
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    root = ET.fromstring(made)  # noqa: S314 - made by us a moment ago
    for useless in ("metadata", "defs"):
        for element in root.findall(f"{{{SVG}}}{useless}"):
            root.remove(element)
    for element in root.iter():
        _simplify(element)
    _drop_empty(root)
    width, height = root.get("viewBox", "0 0 0 0").split()[2:]
    root.attrib.update(
        {
            "role": "img",
            "aria-labelledby": "title description",
            "width": f"{float(width) * SCALE:g}",
            "height": f"{float(height) * SCALE:g}",
            "font-family": FONT,
            "stroke-linejoin": "round",
        }
    )
    for identifier, text in (("description", chart.description), ("title", chart.title)):
        element = ET.Element(f"{{{SVG}}}{'desc' if identifier == 'description' else 'title'}")
        element.set("id", identifier)
        element.text = text
        root.insert(0, element)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _simplify(element: ET.Element) -> None:
    for name, value in _declarations(element.attrib.pop("style", "")):
        element.set(name, value)
    # Nothing is drawn outside its axes.
    element.attrib.pop("clip-path", None)
    if element.tag == f"{{{SVG}}}g":
        element.attrib.pop("id", None)
    if "rotate(-0 " in element.get("transform", ""):
        del element.attrib["transform"]
    if "d" in element.attrib:
        # A tenth of a unit is a fifth of a pixel.
        rounded = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), element.attrib["d"])
        element.set("d", " ".join(rounded.split()))
    element.text, element.tail = (element.text or "").strip() or None, None


def _drop_empty(parent: ET.Element) -> None:
    for element in list(parent):
        _drop_empty(element)
        if element.tag == f"{{{SVG}}}g" and not len(element):
            parent.remove(element)


def _declarations(style: str) -> list[tuple[str, str]]:
    found = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        if name.strip() and name.strip() != "font-family":
            found.append((name.strip(), value.strip()))
    return found
