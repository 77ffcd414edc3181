"""Reading uploaded workbooks safely and writing downloads that are safe to open."""

from klyx.workbooks.filenames import display_name
from klyx.workbooks.limits import WorkbookLimits
from klyx.workbooks.reader import WORKBOOK_EXTENSIONS, read_workbook
from klyx.workbooks.refusals import WorkbookRefused
from klyx.workbooks.writing import write_csv, write_xlsx

__all__ = [
    "WORKBOOK_EXTENSIONS",
    "WorkbookLimits",
    "WorkbookRefused",
    "display_name",
    "read_workbook",
    "write_csv",
    "write_xlsx",
]
