"""Files made to hurt whoever opens them, each small enough to be uploaded."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

from tests.workbooks.files import SPREADSHEET_NS, archive, package, package_parts, sheet_xml, xls_of

MEBIBYTE = 1024 * 1024
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = f'<!DOCTYPE sst [<!ENTITY l0 "ha">{LAUGHS}]>'
HEADINGS_AND_VALUE = '<row r="1"><c r="A1"><v>1</v></c></row>'


def high_ratio() -> bytes:
    """90 MiB of spaces in one worksheet, about a thousand times smaller as a zip."""
    return package(sheet_xml(" " * (90 * MEBIBYTE)))


def too_large_when_unpacked() -> bytes:
    """Many parts of 16 MiB, each honest about its size."""
    parts = package_parts(sheet_xml(HEADINGS_AND_VALUE))
    filler = b"".join(bytes([65 + n % 26]) * 97 + struct.pack("<I", n * 2654435761 % 2**32) for n in range(166_000))
    return archive({**parts, **{f"xl/media/{n}.bin": filler for n in range(7)}})


def lying_about_sizes() -> bytes:
    """The high-ratio bomb with 1,000 bytes declared in both headers of its worksheet."""
    content = bytearray(high_ratio())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as source:
        real = struct.pack("<I", source.getinfo("xl/worksheets/sheet1.xml").file_size)
    return bytes(content.replace(real, struct.pack("<I", 1_000)))


def many_entries() -> bytes:
    """50,000 empty parts."""
    parts = package_parts(sheet_xml(HEADINGS_AND_VALUE))
    return archive({**parts, **{f"xl/media/{n}": b"" for n in range(50_000)}}, zipfile.ZIP_STORED)


def overlapping_entries() -> bytes:
    """900 directory entries that share the compressed bytes of one 1 MiB part."""
    name = b"xl/media/000"
    content = archive({**package_parts(sheet_xml(HEADINGS_AND_VALUE)), name.decode(): b"A" * MEBIBYTE})
    end = content.rindex(b"PK\x05\x06")
    start = content.rindex(b"PK\x01\x02")
    copies = b"".join(content[start:end].replace(name, b"xl/media/%03d" % n) for n in range(1, 900))
    count = struct.unpack_from("<H", content, end + 10)[0] + 899
    size, offset = struct.unpack_from("<II", content, end + 12)
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size + len(copies), offset, 0)
    return content[:end] + copies + tail


def billion_laughs() -> bytes:
    """Nested entities in the shared strings: 2 GB when expanded."""
    strings = f'{DOCTYPE}<sst xmlns="{SPREADSHEET_NS}"><si><t>&l9;</t></si></sst>'
    return package(sheet_xml('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'), strings)


def billion_laughs_in_utf16() -> bytes:
    """The same in the worksheet, in an encoding that a search for <!DOCTYPE in the bytes does not see."""
    sheet = '<?xml version="1.0" encoding="UTF-16"?>' + sheet_xml("<row><c><v>&l9;</v></c></row>", DOCTYPE)
    return package(sheet.encode("utf-16"))


def far_corner() -> bytes:
    """One value in A1 and one in the last cell a worksheet can have."""
    return package(sheet_xml(HEADINGS_AND_VALUE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))


def far_row_without_references() -> bytes:
    """The last row, by its number alone."""
    return package(sheet_xml(HEADINGS_AND_VALUE + '<row r="1048576"><c><v>1</v></c></row>'))


def hundred_thousand_rows() -> bytes:
    """Rows and cells without any reference: the reader has to count."""
    return package(sheet_xml("<row><c><v>1</v></c><c><v>2</v></c></row>" * 100_000))


def amplified_string() -> bytes:
    """One text of 32,000 characters that 400,000 cells refer to: 13 GB of text."""
    strings = f'<sst xmlns="{SPREADSHEET_NS}"><si><t>{"x" * 32_000}</t></si></sst>'
    columns = [chr(65 + column // 26) + chr(65 + column % 26) for column in range(40)]
    cells = "".join(f'<c r="{column}{row}" t="s"><v>0</v></c>' for row in range(1, 10_001) for column in columns)
    return package(sheet_xml(cells), strings)


def xls_far_corner() -> bytes:
    """An .xls with a value in row 65,536 and column 65,536, more than the format allows."""
    return xls_of([(0, 0, "Stock Name"), (65_535, 65_535, 1.0)])


def xls_sixty_thousand_rows() -> bytes:
    """An .xls with 60,000 rows."""
    return xls_of([(row, 0, float(row)) for row in range(60_000)])


def csv_hundred_thousand_rows() -> bytes:
    """A .csv with 100,000 rows."""
    return b"Stock Name,Price\r\n" + b"Some Company Ltd.,10.5\r\n" * 100_000


def csv_of_commas() -> bytes:
    """Ten million columns."""
    return b"," * (10 * MEBIBYTE)


def csv_open_quote() -> bytes:
    """A quote that never ends."""
    return b'Stock Name\r\n"' + b"x" * (9 * MEBIBYTE)


BOMBS: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "high_ratio": (high_ratio, ".xlsx"),
    "too_large_when_unpacked": (too_large_when_unpacked, ".xlsx"),
    "lying_about_sizes": (lying_about_sizes, ".xlsx"),
    "many_entries": (many_entries, ".xlsx"),
    "overlapping_entries": (overlapping_entries, ".xlsx"),
    "billion_laughs": (billion_laughs, ".xlsx"),
    "billion_laughs_in_utf16": (billion_laughs_in_utf16, ".xlsx"),
    "far_corner": (far_corner, ".xlsx"),
    "far_row_without_references": (far_row_without_references, ".xlsx"),
    "hundred_thousand_rows": (hundred_thousand_rows, ".xlsx"),
    "amplified_string": (amplified_string, ".xlsx"),
    "xls_far_corner": (xls_far_corner, ".xls"),
    "xls_sixty_thousand_rows": (xls_sixty_thousand_rows, ".xls"),
    "csv_hundred_thousand_rows": (csv_hundred_thousand_rows, ".csv"),
    "csv_of_commas": (csv_of_commas, ".csv"),
    "csv_open_quote": (csv_open_quote, ".csv"),
}
