"""Names, symbols and trades of made-up companies, as an Indian exchange lists them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Identity(NamedTuple):
    stock_name: str
    nse_code: str
    sector_name: str
    industry_name: str


# Sector: its industries. A company's name says what it does, so these words are the common ones of a search.
SECTORS: Final[dict[str, tuple[str, ...]]] = {
    "Automobile & Auto Components": ("Auto Components", "Passenger Cars", "Two Wheelers", "Tyres"),
    "Banking & Finance": ("Private Banks", "Public Banks", "Housing Finance", "Finance", "Insurance", "Brokers"),
    "Chemicals": ("Speciality Chemicals", "Commodity Chemicals", "Dyes & Pigments", "Industrial Gases"),
    "Construction Materials": ("Cement", "Ceramics", "Granites & Marbles"),
    "Consumer Durables": ("Household Appliances", "Paints", "Footwear", "Gems & Jewellery"),
    "Consumer Services": ("Hotels", "Restaurants", "Retail", "Education"),
    "Diversified": ("Holding Companies", "Conglomerates"),
    "Fast Moving Consumer Goods": ("Packaged Foods", "Tea & Coffee", "Sugar", "Edible Oils", "Breweries"),
    "Fertilizers & Agrochemicals": ("Fertilizers", "Agrochemicals", "Seeds"),
    "Food, Beverages & Tobacco": ("Beverages", "Tobacco", "Dairy"),
    "General Industrials": ("Castings", "Bearings", "Cables", "Electrodes", "Compressors & Pumps", "Engineering"),
    "Healthcare": ("Hospitals", "Diagnostics", "Medical Equipment"),
    "Information Technology": ("Software", "IT Services", "IT Hardware", "Internet Services"),
    "Media & Entertainment": ("Broadcasting", "Films", "Publishing", "Gaming"),
    "Metals & Mining": ("Steel", "Aluminium", "Copper", "Mining", "Ferro Alloys"),
    "Oil & Gas": ("Refineries", "Gas Distribution", "Exploration", "Lubricants"),
    "Pharmaceuticals": ("Pharmaceuticals", "Biotechnology", "Bulk Drugs"),
    "Realty": ("Real Estate", "Industrial Parks"),
    "Telecom Services": ("Telecom", "Telecom Equipment"),
    "Textiles & Apparel": ("Spinning", "Fabrics", "Garments", "Denim"),
    "Transportation": ("Logistics", "Shipping", "Airlines", "Ports"),
    "Utilities": ("Power Generation", "Power Transmission", "Renewable Energy", "Water Supply"),
}
FINANCIAL_SECTOR: Final = "Banking & Finance"
_TRADES: Final = tuple((sector, industry) for sector, industries in SECTORS.items() for industry in industries)

# Every character that a search or a link once stumbled over. They come first, so that every count has them.
FAMOUS: Final = (
    Identity("Divi's Laboratories Ltd.", "DIVISLAB", "Pharmaceuticals", "Bulk Drugs"),
    Identity("L&T Finance", "LTF", "Banking & Finance", "Finance"),
    Identity("Mahindra & Mahindra Ltd.", "M&M", "Automobile & Auto Components", "Passenger Cars"),
    Identity("Mahindra & Mahindra Financial Services Ltd.", "M&MFIN", "Banking & Finance", "Finance"),
    Identity("100% Organic Foods Ltd.", "100ORGANIC", "Fast Moving Consumer Goods", "Packaged Foods"),
    Identity("Bajaj Auto Ltd.", "BAJAJ-AUTO", "Automobile & Auto Components", "Two Wheelers"),
    Identity("Dr. Reddy's Laboratories Ltd.", "DRREDDY", "Pharmaceuticals", "Pharmaceuticals"),
    Identity("Oracle Financial Services Software (India) Ltd.", "OFSS", "Information Technology", "Software"),
    Identity("J&K Bank Ltd.", "J&KBANK", "Banking & Finance", "Private Banks"),
    Identity("Under_score Textiles Ltd.", "UNDER_SCORE", "Textiles & Apparel", "Garments"),
    Identity("Back\\slash Media Ltd.", "BACKSLASH", "Media & Entertainment", "Publishing"),
    Identity("Café Coromandel Ltd.", "CAFECORO", "Consumer Services", "Restaurants"),
    Identity('The "Quoted" Trading Co. Ltd.', "QUOTED", "Diversified", "Holding Companies"),
    Identity("S.P. Apparels, Ltd.", "SPAL", "Textiles & Apparel", "Garments"),
)

COMPANIES_PER_HOUSE: Final = 3
_SYLLABLES: Final = tuple(first + vowel + end for first in "bdghjklmnprstvyz" for vowel in "aeiou" for end in "klmnrs")
_WORDS: Final = len(_SYLLABLES) ** 2
# Odd, not divisible by 3 or 5, so it shares no factor with the number of words: every house gets another one.
_SHUFFLE: Final = 91_813
_FORMS: Final = (
    "{word} {trade} Ltd.",
    "{word} {trade} (India) Ltd.",
    "{word} & Sons {trade} Ltd.",
    "Shri {word} {trade}",
)
_SYMBOL_ENDINGS: Final = ("", "IND", "&CO", "-BE", "LTD", "FIN", "1")


def house_word(house: int) -> str:
    """A word of six letters that no other house has, such as "Vardek"."""
    first, second = divmod(house * _SHUFFLE % _WORDS, len(_SYLLABLES))
    return (_SYLLABLES[first] + _SYLLABLES[second]).capitalize()


def identity_of(number: int) -> Identity:
    """Who the company with this number (from 0) is, whatever the count.

    Three companies share the word of their house, so a search for it finds as many among 100,000 as among
    2,400; words such as Ltd., India or Cement are found all over.
    """
    if number < len(FAMOUS):
        return FAMOUS[number]
    house, member = divmod(number - len(FAMOUS), COMPANIES_PER_HOUSE)
    word = house_word(house)
    sector, industry = _TRADES[(house * 7 + member * 31) % len(_TRADES)]
    form = _FORMS[(house + member) % len(_FORMS)]
    symbol = word.upper() + _SYMBOL_ENDINGS[(house + member) % len(_SYMBOL_ENDINGS)]
    return Identity(form.format(word=word, trade=industry), symbol, sector, industry)
