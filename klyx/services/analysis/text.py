"""Making text from outside safe to keep, to compare and to show."""

import re
import unicodedata

# Cf is mostly harmless (it joins emoji), but these reorder or hide what a person reads.
_INVISIBLE = frozenset("\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NSE_CODE = re.compile(r"[A-Z0-9&_-]{1,30}")
_EXCHANGE_SUFFIX = re.compile(r"\.(NS|BO)$")


def clean_text(value: str) -> str:
    """Text on one line, without control characters and the two that open or close HTML tags.

    Clients put server text into pages as raw HTML, so no `<` or `>` may reach them. Lone
    surrogates go as well: they cannot be stored or sent as UTF-8.
    """
    if value.isascii() and value.isprintable():
        # Nearly every cell: worth not looking at each character.
        return " ".join(value.replace("<", "").replace(">", "").split())
    normal = unicodedata.normalize("NFC", value)
    kept = (" " if character.isspace() else character for character in normal if _allowed(character))
    return " ".join("".join(kept).split())


def _allowed(character: str) -> bool:
    if character in "<>" or character in _INVISIBLE:
        return False
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")


def comparison_key(value: str) -> str:
    """What two spellings of one name share: letter case and spacing do not count."""
    return " ".join(value.split()).casefold()


def normalise_nse_code(value: str) -> str | None:
    """An NSE symbol in its stored form, or None when the text cannot be one.

    Upper case, without a trailing `.NS` or `.BO`; letters, digits, `&`, `-` and `_`, 30 at most.
    """
    code = _EXCHANGE_SUFFIX.sub("", clean_text(value).upper())
    return code if _NSE_CODE.fullmatch(code) else None
