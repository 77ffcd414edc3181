"""Workbooks for the tests: real ones by XlsxWriter, and hand-made archives, OLE containers and BIFF8."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xlsxwriter

SPREADSHEET_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS_NS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_NS = "http://schemas.openxmlformats.org/package/2006"
SECTOR = 512
END_OF_CHAIN = 0xFFFFFFFE
FREE_SECTOR = 0xFFFFFFFF
FAT_SECTOR = 0xFFFFFFFD

Value = str | int | float | bool | None


def xlsx_of(rows: Iterable[Sequence[Value]]) -> bytes:
    """A workbook with one sheet; texts that start with = stay texts."""
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def sheet_xml(data: str, before: str = "") -> str:
    """A worksheet part around the content of its sheetData."""
    return f'{before}<worksheet xmlns="{SPREADSHEET_NS}"><sheetData>{data}</sheetData></worksheet>'


def package_parts(sheet: bytes | str, strings: bytes | str | None = None) -> dict[str, bytes | str]:
    """The parts of a minimal workbook around one worksheet part."""
    relation = f"{RELATIONS_NS}/"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE_NS}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE_NS}/relationships"><Relationship Id="rId1" '
        f'Type="{relation}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET_NS}" xmlns:r="{RELATIONS_NS}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE_NS}/relationships">'
        f'<Relationship Id="rId1" Type="{relation}worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relation}sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
    }
    if strings is not None:
        parts["xl/sharedStrings.xml"] = strings
    return parts


def archive(parts: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the parts."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return sink.getvalue()


def package(sheet: bytes | str, strings: bytes | str | None = None) -> bytes:
    """A minimal .xlsx around one worksheet part."""
    return archive(package_parts(sheet, strings))


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """An OLE2 compound file (as [MS-CFB] has it) with the streams in its root storage."""
    padded = {name: content.ljust(8 * SECTOR, b"\x00") for name, content in streams.items()}
    lengths = [-(-len(content) // SECTOR) for content in padded.values()]
    directory_sectors = -(-(len(streams) + 1) // 4)
    fat_sectors = 1
    while fat_sectors * 128 < fat_sectors + directory_sectors + sum(lengths):
        fat_sectors += 1
    chain = [FAT_SECTOR] * fat_sectors
    starts = []
    for length in [directory_sectors, *lengths]:
        starts.append(len(chain))
        chain += [*range(len(chain) + 1, len(chain) + length), END_OF_CHAIN]
    chain += [FREE_SECTOR] * (fat_sectors * 128 - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", fat_sectors, starts[0], 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0, 0)
    header += struct.pack("<108I", *range(1, fat_sectors), *[FREE_SECTOR] * (109 - fat_sectors))
    entries = [_directory_entry("Root Entry", 5, END_OF_CHAIN, 0, child=1)]
    for index, (name, content) in enumerate(padded.items()):
        right = index + 2 if index + 1 < len(padded) else FREE_SECTOR
        entries.append(_directory_entry(name, 2, starts[index + 1], len(content), right=right))
    body = struct.pack(f"<{len(chain)}I", *chain)
    body += b"".join(entries).ljust(directory_sectors * SECTOR, b"\x00")
    for content in padded.values():
        body += content.ljust(-(-len(content) // SECTOR) * SECTOR, b"\x00")
    return header + body


def _directory_entry(
    name: str, kind: int, start: int, size: int, child: int = FREE_SECTOR, right: int = FREE_SECTOR
) -> bytes:
    encoded = name.encode("utf-16-le")
    entry = encoded.ljust(64, b"\x00") + struct.pack("<HBB", len(encoded) + 2, kind, 1)
    entry += struct.pack("<III", FREE_SECTOR, right, child) + bytes(36)
    return entry + struct.pack("<IQ", start, size)


def xls_of(cells: Iterable[tuple[int, int, str | float]], protected: bool = False) -> bytes:
    """A BIFF8 workbook (as [MS-XLS] has it) with one sheet holding (row, column, value) cells.

    `protected` adds the FILEPASS record by which Excel marks an encrypted workbook.
    """
    filepass = _record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if protected else b""
    start = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0x7CC, 0, 0)) + filepass
    name = b"\x06\x00Sheet1"
    offset = len(start) + len(_record(0x85, bytes(6) + name)) + len(_record(0x0A, b""))
    book = start + _record(0x85, struct.pack("<IBB", offset, 0, 0) + name) + _record(0x0A, b"")
    records = [_record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0x7CC, 0, 0))]
    for row, column, value in cells:
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            text = value.encode("utf-16-le")
            records.append(_record(0x204, place + struct.pack("<HB", len(text) // 2, 1) + text))
        else:
            records.append(_record(0x203, place + struct.pack("<d", value)))
    records.append(_record(0x0A, b""))
    return compound_file({"Workbook": book + b"".join(records)})


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def saved(folder: Path, content: bytes, name: str = "upload") -> Path:
    """The content in a file, stored as uploads are: without an extension."""
    path = folder / name
    path.write_bytes(content)
    return path
