"""The column vocabulary: the spreadsheets' headings and what kind of values each holds."""

import re
from typing import Literal

ColumnKind = Literal["code", "text", "number", "other"]

STOCK_NAME = "Stock Name"
NSE_CODE = "NSE Code"
SYMBOL = "Symbol"
TICKER = "Ticker"
COMPANY = "Company"
BSE_CODE = "BSE Code"
SECTOR = "sector_name"
INDUSTRY = "Industry Name"
PRICE = "Current Price"
MARKET_CAP = "Market Capitalization"
PE = "PE TTM Price to Earnings"
PEG = "PEG TTM PE to Growth"
PB = "Price to Book Value Adjusted"
PS = "PS Price to Sales"
ROE = "ROE Annual %"
ROA = "RoA Annual %"
ROCE = "ROCE Annual %"
EARNINGS_YIELD = "Earnings Yield %"
PIOTROSKI = "Piotroski Score"
NET_MARGIN = "Net Profit Margin Annual %"
OPERATING_MARGIN_ANNUAL = "Operating Profit Margin Annual %"
OPERATING_MARGIN_QUARTER = "Operating Profit Margin Qtr %"
REVENUE_ANNUAL = "Operating Revenue Annual"
REVENUE_QUARTER = "Operating Revenue Qtr"
NET_PROFIT_ANNUAL = "Net Profit Annual"
NET_PROFIT_QUARTER = "Net Profit Qtr"
OPERATING_PROFIT_ANNUAL = "Operating Profit Annual"
REVENUE_GROWTH_ANNUAL = "Revenue Growth Annual YoY %"
REVENUE_GROWTH_QUARTER = "Revenue Growth Qtr YoY %"
PROFIT_GROWTH_ANNUAL = "Net Profit Annual YoY Growth %"
PROFIT_GROWTH_QUARTER = "Net Profit Qtr Growth YoY %"
EPS_GROWTH = "EPS TTM Growth %"
BASIC_EPS = "Basic EPS TTM"
SECTOR_PE = "Sector PE TTM"
FORWARD_DIVIDEND_YIELD = "Forecaster Estimates 1Y forward Dividend Yield %"
DIVIDEND_YIELD = "Dividend Yield Annual %"
DEBT_TO_EQUITY = "Debt to Equity Ratio"
CURRENT_RATIO = "Current Ratio"
TOTAL_ASSETS = "YF_TotalAssets"
CURRENT_ASSETS = "YF_CurrentAssets"
TOTAL_DEBT = "YF_TotalDebt"
CURRENT_LIABILITIES = "YF_CurrentLiabilities"
EQUITY = "YF_StockholdersEquity"
PROMOTER_HOLDING = "Promoter holding latest %"
INSTITUTIONAL_HOLDING = "Institutional holding current Qtr %"
FII_HOLDING = "FII holding current Qtr %"
DII_HOLDING = "DII holding current Qtr %"
MF_HOLDING = "MF holding current Qtr %"
DAY_CHANGE = "Day change %"
YEAR_CHANGE = "1Yr change %"
YEAR_HIGH = "1Yr High"
YEAR_LOW = "1Yr Low"
BETA = "Beta 1Year"
DAY_VOLUME = "Day Volume"
WEEK_VOLUME = "Week Volume Avg"
SMA50 = "Day SMA50"
SMA200 = "Day SMA200"
RSI = "Day RSI"
MACD = "Day MACD"
MACD_SIGNAL_LINE = "Day MACD Signal Line"
MFI = "Day MFI"
TARGET_PRICE = "Forecaster Estimates Target Price"
UPSIDE = "Forecaster Estimates 12Mth Upside %"
RECOMMENDATION = "Forecaster Estimates Reco"
RELATIVE_STRENGTH = "Relative Strength"
DURABILITY = "Durability Score"
VALUATION = "Valuation Score"
MOMENTUM = "Momentum Score"
DATA_QUALITY = "Data Quality Score"
DATA_SOURCES = "Data Sources"
LAST_UPDATED = "Last Updated"
INSIGHTS = "Financial Insights"
TECH_TREND = "Tech_Trend"
TECH_RSI = "Tech_RSI"
TECH_RSI_STATE = "Tech_RSI_State"
TECH_MACD = "Tech_MACD"
TECH_MACD_SIGNAL = "Tech_MACD_Signal"
TECH_MFI = "Tech_MFI"
TECH_VOLUME_SIGNAL = "Tech_Vol_Signal"
TECH_VOLUME_PERCENT = "Tech_Vol_Pct"
NEWS_SENTIMENT = "News_Sentiment"
NEWS_SCORE = "News_Score"
NEWS_HEADLINES = "News_Headlines"
QUALITY = "_quality"

ZERO_IS_A_GAP = frozenset(
    {
        PRICE,
        MARKET_CAP,
        PE,
        PEG,
        PB,
        PS,
        SECTOR_PE,
        ROE,
        ROA,
        NET_MARGIN,
        OPERATING_MARGIN_ANNUAL,
        OPERATING_MARGIN_QUARTER,
        REVENUE_ANNUAL,
        REVENUE_QUARTER,
        NET_PROFIT_ANNUAL,
        NET_PROFIT_QUARTER,
        OPERATING_PROFIT_ANNUAL,
        BASIC_EPS,
        CURRENT_RATIO,
        TOTAL_ASSETS,
        CURRENT_ASSETS,
        CURRENT_LIABILITIES,
        EQUITY,
        BETA,
        YEAR_HIGH,
        YEAR_LOW,
        "52 Week High",
        "52 Week Low",
        TARGET_PRICE,
    }
)
"""Where a 0 more often means "unknown", as klyx.services.market_data.vocabulary has it; debt or a holding may be 0."""

# The clients format these unless the key is absent; null or text would take their page down.
OMITTED_WHEN_UNKNOWN = frozenset({TECH_RSI, TECH_MACD, TECH_MFI})

TECHNICAL_COLUMNS = (
    TECH_TREND,
    TECH_RSI,
    TECH_RSI_STATE,
    TECH_MACD,
    TECH_MACD_SIGNAL,
    TECH_MFI,
    TECH_VOLUME_SIGNAL,
    TECH_VOLUME_PERCENT,
)

INSIGHT_COLUMNS = (
    INSIGHTS,
    *TECHNICAL_COLUMNS,
    NEWS_SENTIMENT,
    NEWS_SCORE,
    NEWS_HEADLINES,
)

PIPELINE_COLUMNS = (
    STOCK_NAME,
    NSE_CODE,
    SECTOR,
    INDUSTRY,
    PRICE,
    DAY_CHANGE,
    YEAR_CHANGE,
    MARKET_CAP,
    PE,
    PEG,
    PB,
    PS,
    ROE,
    ROA,
    ROCE,
    EARNINGS_YIELD,
    NET_MARGIN,
    OPERATING_MARGIN_ANNUAL,
    OPERATING_MARGIN_QUARTER,
    PIOTROSKI,
    REVENUE_ANNUAL,
    REVENUE_QUARTER,
    NET_PROFIT_ANNUAL,
    NET_PROFIT_QUARTER,
    OPERATING_PROFIT_ANNUAL,
    REVENUE_GROWTH_ANNUAL,
    REVENUE_GROWTH_QUARTER,
    DIVIDEND_YIELD,
    DEBT_TO_EQUITY,
    CURRENT_RATIO,
    TOTAL_ASSETS,
    CURRENT_ASSETS,
    TOTAL_DEBT,
    CURRENT_LIABILITIES,
    EQUITY,
    PROMOTER_HOLDING,
    INSTITUTIONAL_HOLDING,
    FII_HOLDING,
    DII_HOLDING,
    MF_HOLDING,
    BETA,
    DAY_VOLUME,
    YEAR_HIGH,
    YEAR_LOW,
    TARGET_PRICE,
    UPSIDE,
    RECOMMENDATION,
    RELATIVE_STRENGTH,
    DURABILITY,
    VALUATION,
    MOMENTUM,
    DATA_QUALITY,
    DATA_SOURCES,
    LAST_UPDATED,
    *INSIGHT_COLUMNS,
)
"""Columns every analysed row has after its spreadsheet columns, in this order."""

RESERVED_COLUMNS = frozenset({DATA_QUALITY, DATA_SOURCES, LAST_UPDATED, QUALITY, *INSIGHT_COLUMNS})
"""Columns only the analysis itself writes; a workbook's own are not taken over."""

WORKED_OUT_COLUMNS = RESERVED_COLUMNS | {
    PEG,
    EARNINGS_YIELD,
    NET_MARGIN,
    UPSIDE,
    RELATIVE_STRENGTH,
    DURABILITY,
    VALUATION,
    MOMENTUM,
    # The stock table has the margin of a year under this name.
    OPERATING_MARGIN_QUARTER,
}
"""Columns that follow from the rest of an analysed row, and so are not taken from the stock table."""

_CODE_COLUMNS = (NSE_CODE, BSE_CODE, "Stock Code", "ISIN", SYMBOL, TICKER)
_TEXT_COLUMNS = (
    STOCK_NAME,
    COMPANY,
    INDUSTRY,
    SECTOR,
    "Sector",
    "Industry",
    "DVM_classification_text",
    "Latest financial result",
    "Result Announced Date",
    RECOMMENDATION,
)
_OTHER_NUMBER_COLUMNS = (
    BASIC_EPS,
    "PE 3Yr Average",
    "PE 5Yr Average",
    SECTOR_PE,
    "Industry PE TTM",
    "Sector PEG TTM",
    "Industry PEG TTM",
    "Sector Price to Book TTM",
    "Industry Price to Book TTM",
    "Sector Return on Equity ROE",
    "Industry Return on Equity ROE",
    "Sector Return on Assets",
    "Industry Return on Assets",
    "Operating Revenue TTM",
    "Net profit TTM",
    "Cash from Financing Annual Activity",
    "Cash from Investing Activity Annual",
    "Cash from Operating Activity Annual",
    "Net Cash Flow Annual",
    "Normalized Momentum Score",
    "VWAP Day",
    "52 Week High",
    "52 Week Low",
)

_SPELLINGS = {
    name.casefold(): name
    for name in (
        *_CODE_COLUMNS,
        *_TEXT_COLUMNS,
        *_OTHER_NUMBER_COLUMNS,
        *PIPELINE_COLUMNS,
        QUALITY,
        PROFIT_GROWTH_ANNUAL,
        EPS_GROWTH,
        WEEK_VOLUME,
        SMA50,
        SMA200,
        RSI,
        MACD,
        MACD_SIGNAL_LINE,
        MFI,
    )
}

_TEXT_NAMES = frozenset({*_TEXT_COLUMNS, DATA_SOURCES, LAST_UPDATED, INSIGHTS})
_NUMBER_NAMES = frozenset(_SPELLINGS.values()) - frozenset({*_CODE_COLUMNS, *_TEXT_NAMES, *RESERVED_COLUMNS})

_NUMBER_FAMILIES = re.compile(
    r"""^%|%$
    |^Forecaster\ Estimates\ 1[QY]\ forward\b|^Forecaster\ Estimates\ No\ of\b
    |^Standard\ (Pivot|resistance|support)\b
    |^(Prev\ (Day|Week|Month)\ )?Trendlyne\ (Durability|Valuation|Momentum)\ Score$
    |^Beta\ \d+(Month|Year)$
    |^Day\ (MFI|RSI|MACD|ATR|ADX|SMA\d+|EMA\d+|ROC\d+)\b
    |^(Day|Week|Month)\ Volume\b
    |^(Day|Month|Qtr|\d+Yr)\ (High|Low)$
    """,
    re.VERBOSE | re.IGNORECASE,
)


def canonical_heading(heading: str) -> str:
    """The heading in the exports' own spelling when it differs only in letter case."""
    return _SPELLINGS.get(heading.casefold(), heading)


def column_kind(heading: str) -> ColumnKind:
    """What a column holds. "other" is a person's own column: numbers and text both stay."""
    if heading in _CODE_COLUMNS:
        return "code"
    if heading in _TEXT_NAMES:
        return "text"
    if heading in _NUMBER_NAMES or _NUMBER_FAMILIES.search(heading):
        return "number"
    return "other"
