import json

from klyx.services.analysis.insights import News, initial_insights, insights_of
from klyx.services.analysis.table import Row

NEWS: News = {
    "sentiment": "Bullish",
    "score": 2,
    "headlines_json": json.dumps([{"title": "Profit <b>soars</b>", "link": "https://example.org/a"}]),
    "text": "News is Bullish (2).\n\n- Profit <b>soars</b> (Example)",
}


def test_initial_values() -> None:
    assert initial_insights() == {
        "Financial Insights": "",
        "Tech_Trend": "Unknown",
        "Tech_RSI_State": None,
        "Tech_MACD_Signal": None,
        "Tech_Vol_Signal": None,
        "Tech_Vol_Pct": None,
        "News_Sentiment": "Neutral",
        "News_Score": 0,
        "News_Headlines": "[]",
    }


def test_paragraphs_without_news() -> None:
    row: Row = {"ROE Annual %": 14.88, "Day RSI": 46.64}
    insights = insights_of(row)
    assert insights["Financial Insights"] == (
        "The company earns a moderate 14.9 % on its equity.\n\n"
        "Technically, the trend is neutral, RSI stands at 46.64 (neutral)."
    )
    assert insights["Tech_RSI"] == 46.64
    assert insights["News_Headlines"] == "[]"


def test_news_is_added_without_markup_and_stays_json() -> None:
    insights = insights_of({}, NEWS)
    assert insights["News_Sentiment"] == "Bullish"
    assert insights["News_Score"] == 2
    assert json.loads(str(insights["News_Headlines"]))[0]["title"] == "Profit bsoars/b"
    text = str(insights["Financial Insights"])
    assert "<" not in text
    assert text.split("\n\n")[2:] == ["News is Bullish (2).", "- Profit bsoars/b (Example)"]


def test_a_row_without_figures_says_so() -> None:
    assert insights_of({"Stock Name": "Infosys"})["Financial Insights"] == (
        "There is not enough financial data for a summary.\n\nTechnical indicators are not available for this stock."
    )
