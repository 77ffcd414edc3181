"""Does the content of a file match the extension of its name?"""

import re
import struct

from klyx.workbooks.child.refusal import Refused

ZIP_SIGNATURE = b"PK\x03\x04"
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
# The start of a BIFF workbook stream; an encrypted one has a FILEPASS record near it ([MS-XLS] 2.4.117).
BIFF_GLOBALS = re.compile(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]\x05\x00")
FILEPASS = 0x2F
FIRST_RECORDS = 4
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
BINARY_SIGNATURES = (b"%PDF-", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf")
MARKUP_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<script", b"<head", b"<meta", b"<style")


def check_content(data: bytes, extension: str) -> None:
    """Pass when `data` is what a file with `extension` (".xlsx", ".xls" or ".csv") should hold.

    Raises Refused: `empty`, `password`, or one of the `*_named_*`, `not_*`, `web_page` codes, each of
    which knows what the person should do next.
    """
    if not data.strip(b"\x00 \t\r\n"):
        raise Refused("empty")
    kind = _kind_of(data)
    if kind == "ole" and (ENCRYPTED_STREAM in data or _has_filepass(data)):
        raise Refused("password")
    if extension == ".xlsx" and kind != "zip":
        raise Refused(_mismatch(kind, {"ole": "xls_named_xlsx"}, "not_xlsx"))
    if extension == ".xls" and kind != "ole":
        raise Refused(_mismatch(kind, {"zip": "xlsx_named_xls"}, "not_xls"))
    if extension == ".csv" and kind != "text":
        raise Refused(_mismatch(kind, {"zip": "workbook_named_csv", "ole": "workbook_named_csv"}, "not_csv"))


def _kind_of(data: bytes) -> str:
    if data.startswith(ZIP_SIGNATURE):
        return "zip"
    if data.startswith(OLE_SIGNATURE):
        return "ole"
    if data.startswith(UTF16_MARKS):
        return "text"
    if data.startswith(BINARY_SIGNATURES) or b"\x00" in data:
        return "binary"
    start = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "markup" if start.startswith(MARKUP_STARTS) else "text"


def _mismatch(kind: str, known: dict[str, str], otherwise: str) -> str:
    return known.get(kind) or ("web_page" if kind == "markup" else otherwise)


def _has_filepass(data: bytes) -> bool:
    start = BIFF_GLOBALS.search(data)
    position = start.start() if start else len(data)
    for _ in range(FIRST_RECORDS):
        if position + 4 > len(data):
            return False
        record, length = struct.unpack_from("<HH", data, position)
        if record == FILEPASS:
            return True
        position += 4 + length
    return False
