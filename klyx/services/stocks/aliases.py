"""What people call companies when it is neither the name nor the symbol, and the symbol that is meant."""

from collections.abc import Mapping

SHORT_NAMES: Mapping[str, str] = {
    "airtel": "BHARTIARTL",
    "bajaj auto": "BAJAJ-AUTO",
    "dr reddy": "DRREDDY",
    "dr reddys": "DRREDDY",
    "hul": "HINDUNILVR",
    "infosys": "INFY",
    "jio financial": "JIOFIN",
    "kotak": "KOTAKBANK",
    "kotak bank": "KOTAKBANK",
    "l and t": "LT",
    "l&t": "LT",
    "larsen": "LT",
    "mahindra": "M&M",
    "maruti suzuki": "MARUTI",
    "nestle": "NESTLEIND",
    "reliance": "RELIANCE",
    "ril": "RELIANCE",
    "sbi": "SBIN",
    "state bank": "SBIN",
    "sun pharma": "SUNPHARMA",
    "ultratech": "ULTRACEMCO",
}
"""What people call large companies when it is neither the name nor the symbol."""

FORMER_NAMES: Mapping[str, str] = {
    "zomato": "ETERNAL",
    "mindtree": "LTIM",
    "ltimindtree": "LTIM",
    "larsen and toubro infotech": "LTIM",
    "tata global beverages": "TATACONSUM",
    "adani transmission": "ADANIENSOL",
    "motherson sumi": "MOTHERSON",
    "gmr infra": "GMRAIRPORT",
    "cadila healthcare": "ZYDUSLIFE",
    "srei": "SREINFRA",
    "yaarii": "YAARI",
    "tata motors": "TMPV",
    "tatamotors": "TMPV",
}
"""Companies that trade under another symbol today."""

OTHER_NAMES: Mapping[str, str] = {**SHORT_NAMES, **FORMER_NAMES}
