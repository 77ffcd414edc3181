"""From a symbol of the NSE to the tickers Yahoo may know it by."""

from __future__ import annotations

import re

from klyx.sources.base import SymbolUnknown

SUFFIX_OF_NSE = ".NS"
SUFFIX_OF_BSE = ".BO"
SYMBOL = re.compile(r"[A-Z0-9&_-]{1,30}")
# Series that are not companies; only their history can be asked.
INDICES = {"NIFTY 50": "^NSEI", "^NSEI": "^NSEI"}
# Portfolios and workbooks keep old symbols for years; Yahoo forgets them on the day of the change.
RENAMED = {
    "ADANITRANS": "ADANIENSOL",
    "AMARAJABAT": "ARE&M",
    "CADILAHC": "ZYDUSLIFE",
    "GMRINFRA": "GMRAIRPORT",
    "IBULHSGFIN": "SAMMAANCAP",
    "IIFLWAM": "360ONE",
    "INFRATEL": "INDUSTOWER",
    "L&TFH": "LTF",
    "MCDOWELL-N": "UNITDSPR",
    "MINDAIND": "UNOMINDA",
    "MOTHERSUMI": "MOTHERSON",
    "NIITTECH": "COFORGE",
    "SRTRANSFIN": "SHRIRAMFIN",
    "STRTECH": "STLTECH",
    "WABCOINDIA": "ZFCVINDIA",
    "ZOMATO": "ETERNAL",
}


def code_of(symbol: str) -> str:
    """The symbol in capitals without an exchange's suffix. Raises SymbolUnknown for what cannot be one."""
    code = re.sub(r"\.(NS|BO)$", "", symbol.strip().upper())
    if not SYMBOL.fullmatch(code):
        raise SymbolUnknown(f"{symbol.strip()[:40]!r} is not an NSE symbol")
    return code


def tickers_of(code: str) -> tuple[str, str]:
    """Where Yahoo may have the company, its present symbol at the NSE first, then at the BSE."""
    current = RENAMED.get(code, code)
    return current + SUFFIX_OF_NSE, current + SUFFIX_OF_BSE
