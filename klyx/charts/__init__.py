"""Charts as SVG, drawn by a library that is too heavy for a web process, in a bounded child process."""

from klyx.charts.drawing import ChartLimits, ChartNotDrawn, ChartRequest, draw_chart

__all__ = ["ChartLimits", "ChartNotDrawn", "ChartRequest", "draw_chart"]
