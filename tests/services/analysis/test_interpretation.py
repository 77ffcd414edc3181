import pytest

from klyx.services.analysis.interpretation import RatioReading, format_ratio, interpret, read_ratios, summarise

INSUFFICIENT = "There is not enough financial data for a summary."


@pytest.mark.parametrize(
    ("name", "value", "phrase"),
    [
        ("current_ratio", 2.01, "strong liquidity"),
        ("current_ratio", 2.0, "adequate liquidity"),
        ("current_ratio", 1.5, "liquidity may become a concern"),
        ("current_ratio", 1.0, "short-term debts exceed short-term assets"),
        ("debt_to_equity", -0.1, "not meaningful"),
        ("debt_to_equity", 0.0, "low debt"),
        ("debt_to_equity", 0.5, "moderate debt"),
        ("debt_to_equity", 1.0, "high debt"),
        ("debt_to_equity", 2.0, "very high debt"),
        ("roe", 0.201, "excellent return on equity"),
        ("roe", 0.20, "good return on equity"),
        ("roe", 0.15, "average return on equity"),
        ("roe", 0.10, "below-average return on equity"),
        ("roe", 0.0, "negative return on equity"),
        ("pe_ratio", 0.0, "not meaningful without earnings"),
        ("pe_ratio", -5.0, "not meaningful without earnings"),
        ("pe_ratio", 14.9, "possibly cheap"),
        ("pe_ratio", 15.0, "fairly priced"),
        ("pe_ratio", 25.0, "priced for growth"),
        ("pe_ratio", 40.0, "expensive"),
        ("eps", 5.0, None),
    ],
)
def test_bands(name: str, value: float, phrase: str | None) -> None:
    assert interpret(name, value) == phrase


def test_readings_leave_out_what_is_unknown() -> None:
    assert read_ratios({"roe": 0.149, "pe_ratio": None, "current_ratio": 0.0}) == {
        "roe": RatioReading(0.149, "14.9 %", "average return on equity"),
        "current_ratio": RatioReading(0.0, "0.00", "short-term debts exceed short-term assets"),
    }


def test_format_ratio() -> None:
    assert format_ratio("net_margin", 0.12345) == "12.3 %"
    assert format_ratio("pe_ratio", 35.344) == "35.34"


def test_summary_has_a_sentence_for_each_group() -> None:
    summary = summarise({"roe": 0.1781, "current_ratio": 1.2, "debt_to_equity": 0.0, "pe_ratio": 27.25})
    assert summary == (
        "The company earns a strong 17.8 % on its equity. "
        "With a current ratio of 1.20, paying its bills may become a concern. "
        "Its debt is conservative at 0.00 times equity. "
        "The share trades at a premium, at 27.2 times earnings."
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("roe", 0.15, "moderate"),
        ("roe", 0.151, "strong"),
        ("current_ratio", 1.51, "with ease"),
        ("current_ratio", 1.5, "concern"),
        ("debt_to_equity", 0.5, "moderate"),
        ("debt_to_equity", 1.0, "high"),
        ("pe_ratio", 14.99, "discount"),
        ("pe_ratio", 15.0, "fair"),
        ("pe_ratio", 25.0, "premium"),
    ],
)
def test_summary_wording(name: str, value: float, words: str) -> None:
    assert words in summarise({name: value})


@pytest.mark.parametrize(
    "ratios", [{}, {"roe": None}, {"roe": 0.0, "current_ratio": 0.0, "debt_to_equity": -1.0, "pe_ratio": -3.0}]
)
def test_summary_of_nothing_says_so(ratios: dict[str, float | None]) -> None:
    assert summarise(ratios) == INSUFFICIENT
