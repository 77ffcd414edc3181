"""Writes the four sample workbooks: `python -m klyx.bundled.make_samples`."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import xlsxwriter

from klyx.bundled import sample_workbook_paths
from klyx.bundled.companies import Company, companies
from klyx.bundled.sample_columns import Columns, Value, forecasts, technicals
from klyx.bundled.sample_history_columns import fundamentals, scores_and_benchmarks
from klyx.workbooks.child.grid import distinct_names

NOTE = "All figures are invented to try the application with. They are no market data and no advice."
# A fixed date makes the same bytes on every run.
CREATED = dt.datetime(2025, 12, 31, tzinfo=dt.UTC)
CONTENTS: Mapping[str, Callable[[Company], Columns]] = dict(
    zip(
        (path.name for path in sample_workbook_paths()),
        (technicals, forecasts, fundamentals, scores_and_benchmarks),
        strict=True,
    )
)


def write_samples(folder: Path) -> None:
    """All sample workbooks into `folder`, over what is there."""
    listed = companies()
    for name, columns_of in CONTENTS.items():
        _write(folder / name, [columns_of(company) for company in listed])


def _write(path: Path, lines: list[Columns]) -> None:
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        workbook.set_properties(
            {"title": path.stem, "comments": NOTE, "created": CREATED.replace(tzinfo=None), "author": "Klyx"}
        )
        bold = workbook.add_format({"bold": True})
        date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet("Sheet1")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, distinct_names([heading for heading, _ in lines[0]]), bold)
        for number, line in enumerate(lines, start=1):
            for column, (_, value) in enumerate(line):
                cell = _rounded(value)
                if isinstance(cell, dt.date):
                    sheet.write_datetime(number, column, cell, date)
                elif cell is not None:
                    sheet.write(number, column, cell)
        about = workbook.add_worksheet("About")
        about.write_string(0, 0, NOTE)


def _rounded(value: Value) -> Value:
    return round(value, 2) if isinstance(value, float) else value


if __name__ == "__main__":
    write_samples(sample_workbook_paths()[0].parent)
