"""Which cells of an .xlsx show a fraction as percent: Excel keeps 14.88% as 0.1488 with a number format."""

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from xml.parsers import expat

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.sheet_bounds import XmlPartCheck
from klyx.workbooks.limits import WorkbookLimits

BUILT_IN_PERCENT = frozenset({"9", "10"})
# Quoted text, escaped and padding characters, and conditions: a % in them is only written, never multiplied by.
LITERALS = re.compile(r'"[^"]*"?|[\\_*].|\[[^\]]*\]', re.DOTALL)
STYLES = "xl/styles.xml"
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
CHUNK_BYTES = 64 * 1024

StartElement = Callable[[tuple[str, ...], Mapping[str, str]], None]
PercentCells = Mapping[int, Collection[int]]
"""Row -> columns, both counted from 0."""


class PercentFormats:
    """The percent formats of an archive that check_archive has passed. Raises Refused: `damaged`."""

    def __init__(self, data: bytes, limits: WorkbookLimits) -> None:
        self._data = data
        self._limits = limits
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._styles = _percent_styles(archive)

    def cells_of(self, sheet: str) -> PercentCells:
        """The cells of the sheet with this name that hold a number in percent; no look at it when no style is one."""
        if not self._styles:
            return {}
        with zipfile.ZipFile(io.BytesIO(self._data)) as archive:
            part = _part_of(archive, sheet)
            if part is None:
                return {}
            found = _CellSearch(self._limits, self._styles)
            with archive.open(part) as content:
                while chunk := content.read(CHUNK_BYTES):
                    found.feed(chunk)
            found.feed(b"", final=True)
            return found.cells


def is_percent(format_code: str) -> bool:
    """Whether numbers of this format are shown multiplied by 100."""
    return "%" in LITERALS.sub("", format_code)


class _CellSearch(XmlPartCheck):
    def __init__(self, limits: WorkbookLimits, styles: Collection[str]) -> None:
        super().__init__(limits)
        self._styles = styles
        self._is_percent = False
        self.cells: dict[int, set[int]] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "v":
            # Its place is within bounds: the guard has looked before.
            if self._is_percent:
                self.cells.setdefault(self._row - 1, set()).add(self._column - 1)
            return
        if local == "c":
            self._is_percent = attributes.get("t", "n") == "n" and attributes.get("s", "0") in self._styles
        super()._start(name, attributes)


def _percent_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The indexes that cells have for styles in percent."""
    codes: dict[str, str] = {}
    formats: list[str] = []

    def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        if path[-2:] == ("numFmts", "numFmt"):
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif path[-2:] == ("cellXfs", "xf"):
            formats.append(attributes.get("numFmtId", "0"))

    _parse(archive, STYLES, start)
    percent = {number for number, code in codes.items() if is_percent(code)} | (BUILT_IN_PERCENT - codes.keys())
    return frozenset(str(index) for index, number in enumerate(formats) if number in percent)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> zipfile.ZipInfo | None:
    relations: list[str] = []
    targets: dict[str, str] = {}

    def find_sheet(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        if path[-2:] == ("sheets", "sheet") and attributes.get("name") == sheet:
            relations.extend(value for name, value in attributes.items() if name.endswith(":id"))

    def find_target(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        if path[-1] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, WORKBOOK, find_sheet)
    _parse(archive, RELATIONS, find_target)
    target = next((targets[relation] for relation in relations if relation in targets), None)
    if target is None:
        return None
    is_whole = target.startswith(("/", "xl/"))
    return _entry(archive, target.lstrip("/") if is_whole else posixpath.normpath(f"xl/{target}"))


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo | None:
    wanted = name.lower()
    entries = archive.infolist()
    return next((entry for entry in entries if entry.filename.replace("\\", "/").lower() == wanted), None)


def _parse(archive: zipfile.ZipFile, name: str, start: StartElement) -> None:
    """Calls `start` with the path of local names and the attributes of each element; a missing part has none."""
    entry = _entry(archive, name)
    if entry is None:
        return
    path: list[str] = []

    def opened(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag.rpartition(":")[2])
        start(tuple(path[-2:]), attributes)

    def closed(_: str) -> None:
        path.pop()

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_dtd
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        # The guard has inflated this part before: it is as large as it says.
        parser.Parse(archive.read(entry), True)
    except expat.ExpatError as error:
        raise Refused("damaged") from error


def _refuse_dtd(*_: object) -> None:
    raise Refused("dtd")
