"""Names of uploaded files, for display only; files are stored under generated names."""

import re
import unicodedata

MAX_CHARACTERS = 120
FALLBACK = "workbook"
ZERO_WIDTH_JOINER = "\u200d"


def display_name(raw: str | None) -> str:
    """`raw` without folders, control and direction characters, `<` and `>`; at most 120 characters.

    Emoji stay whole; a long name keeps its extension; "workbook" stands in when nothing is left.
    """
    name = re.split(r"[/\\]", raw or "")[-1]
    name = "".join(character for character in unicodedata.normalize("NFC", name) if _is_shown(character))
    name = " ".join(name.split())
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 8 or not extension.isalnum():
        stem, extension = name, ""
    stem = stem.strip(" .") or FALLBACK
    suffix = f".{extension}" if extension else ""
    return stem[: MAX_CHARACTERS - len(suffix)].rstrip() + suffix


def _is_shown(character: str) -> bool:
    if character in "<>":
        return False
    # C* is control, format (direction overrides), surrogate, private use and unassigned.
    category = unicodedata.category(character)
    return character == ZERO_WIDTH_JOINER or not category.startswith("C")
