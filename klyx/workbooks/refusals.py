"""Why a workbook was refused, in words that say what to do next."""

from collections.abc import Mapping
from dataclasses import asdict

from klyx.workbooks.limits import MEBIBYTE, WorkbookLimits

SAVE_AGAIN = "Open it in Excel or LibreOffice, save it as a new .xlsx file and upload that."
SPLIT = "Delete everything but the stock list, or split it into several files, and upload again."

REASONS: Mapping[str, str] = {
    "extension": "Only .xlsx, .xls and .csv files can be read. Save the list as one of these and upload it.",
    "lock_file": "This is Excel's lock file, not the workbook. Upload the file without ~$ in its name.",
    "empty": "The file is empty. Save the workbook again and upload the new file.",
    "bytes": "The file is larger than {max_megabytes} MB. " + SPLIT,
    "password": "The workbook is protected by a password. Remove the password, save it and upload it again.",
    "xls_named_xlsx": "This is an .xls workbook named .xlsx. Rename it to .xls and upload again.",
    "xlsx_named_xls": "This is an .xlsx workbook named .xls. Rename it to .xlsx and upload again.",
    "workbook_named_csv": "This is an Excel workbook named .csv. Rename it to .xlsx or .xls, upload again.",
    "web_page": "This is a web page, not a workbook. " + SAVE_AGAIN,
    "not_xlsx": "The content is not that of an .xlsx workbook. " + SAVE_AGAIN,
    "not_xls": "The content is not that of an .xls workbook. " + SAVE_AGAIN,
    "not_csv": "The content is not text, so this is no CSV. Save the list as CSV (UTF-8) and upload that.",
    "not_workbook": "The file is an archive without a workbook inside. " + SAVE_AGAIN,
    "zip_entries": "The workbook consists of more than {max_zip_entries} parts. " + SAVE_AGAIN,
    "zip_size": "The workbook unpacks to more than {max_uncompressed_megabytes} MB. " + SPLIT,
    "zip_ratio": "The workbook unpacks to far more than its size, so it was not opened. " + SAVE_AGAIN,
    "zip_paths": "The workbook contains parts with unsafe names, so it was not opened. " + SAVE_AGAIN,
    "dtd": "The workbook contains document type definitions, so it was not opened. " + SAVE_AGAIN,
    "damaged": "The workbook is damaged and cannot be read. " + SAVE_AGAIN,
    "rows": "A sheet has a value in row {found}, but at most {max_rows} rows can be read. " + SPLIT,
    "columns": "A sheet has a value in column {found}, but at most {max_columns} can be read. " + SPLIT,
    "cells": "The sheet has more than {max_cells} cells. " + SPLIT,
    "cell_text": "The text in row {row}, column {column} is longer than {max_cell_characters} characters. "
    "Shorten it and upload again.",
    "text": "The sheet holds more text than can be read at once. " + SPLIT,
    "no_rows": "No sheet has anything in it. Fill in at least the column Stock Name and upload again.",
    "encoding": "The text has an unknown encoding. Save the list as CSV (UTF-8) and upload that.",
    "csv_quotes": "The file has an opening quote without its end, or a text that is too long. "
    "Correct it, or save the list as .xlsx, and upload again.",
    "memory": "Reading the workbook takes more memory than allowed. " + SPLIT,
    "time": "Reading the workbook takes longer than {seconds} seconds. " + SPLIT,
    "busy": "Many workbooks are being read at the moment. Upload this file again in a minute.",
}


class WorkbookRefused(Exception):
    """A workbook that is not read. `reason` is for people; `code` is a key of REASONS, for logs and tests."""

    def __init__(self, reason: str, code: str = "damaged") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def refusal(code: str, limits: WorkbookLimits, figures: Mapping[str, object] | None = None) -> WorkbookRefused:
    """The exception for `code`, with the limits and the child's figures filled in."""
    values: dict[str, object] = {
        **asdict(limits),
        "seconds": f"{limits.seconds:g}",
        "max_megabytes": limits.max_bytes // MEBIBYTE,
        "max_uncompressed_megabytes": limits.max_uncompressed_bytes // MEBIBYTE,
        **(figures or {}),
    }
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    return WorkbookRefused(REASONS[code].format_map(shown), code)
