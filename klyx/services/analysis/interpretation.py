"""What a ratio means in words."""

from dataclasses import dataclass

from klyx.services.analysis.ratios import Number, Ratios

_PERCENT_RATIOS = frozenset({"roe", "roa", "gross_margin", "operating_margin", "net_margin"})


@dataclass(frozen=True, slots=True)
class RatioReading:
    """One ratio: its value, the value for people, and what it says (None: no rule for it)."""

    value: float
    formatted: str
    interpretation: str | None


def read_ratios(ratios: Ratios) -> dict[str, RatioReading]:
    """A reading of every known ratio; unknown ones are left out."""
    return {
        name: RatioReading(value, format_ratio(name, value), interpret(name, value))
        for name, value in ratios.items()
        if value is not None
    }


def format_ratio(name: str, value: float) -> str:
    """A percentage for margins and returns ("14.9 %"), two decimals for the rest."""
    return f"{value * 100:.1f} %" if name in _PERCENT_RATIOS else f"{value:.2f}"


def interpret(name: str, value: float) -> str | None:
    """The band a ratio lies in, as a phrase; None for ratios without bands."""
    match name:
        case "current_ratio":
            return _current_ratio(value)
        case "debt_to_equity":
            return _debt_to_equity(value)
        case "roe":
            return _return_on_equity(value)
        case "pe_ratio":
            return _price_to_earnings(value)
        case _:
            return None


def _current_ratio(value: float) -> str:
    if value > 2:
        return "strong liquidity"
    if value > 1.5:
        return "adequate liquidity"
    return "liquidity may become a concern" if value > 1 else "short-term debts exceed short-term assets"


def _debt_to_equity(value: float) -> str:
    if value < 0:
        return "not meaningful"
    if value < 0.5:
        return "low debt"
    if value < 1:
        return "moderate debt"
    return "high debt" if value < 2 else "very high debt"


def _return_on_equity(value: float) -> str:
    if value > 0.20:
        return "excellent return on equity"
    if value > 0.15:
        return "good return on equity"
    if value > 0.10:
        return "average return on equity"
    return "below-average return on equity" if value > 0 else "negative return on equity"


def _price_to_earnings(value: float) -> str:
    if value <= 0:
        return "not meaningful without earnings"
    if value < 15:
        return "possibly cheap"
    if value < 25:
        return "fairly priced"
    return "priced for growth" if value < 40 else "expensive"


def summarise(ratios: Ratios) -> str:
    """One sentence each on return, liquidity, debt and price, as far as they are known."""
    sentences = (
        _return_sentence(ratios.get("roe")),
        _liquidity_sentence(ratios.get("current_ratio")),
        _debt_sentence(ratios.get("debt_to_equity")),
        _price_sentence(ratios.get("pe_ratio")),
    )
    known = " ".join(sentence for sentence in sentences if sentence)
    return known or "There is not enough financial data for a summary."


def _return_sentence(value: Number) -> str:
    if value is None or value <= 0:
        return ""
    strength = "strong" if value > 0.15 else "moderate"
    return f"The company earns a {strength} {format_ratio('roe', value)} on its equity."


def _liquidity_sentence(value: Number) -> str:
    if value is None or value <= 0:
        return ""
    verdict = "it can pay its bills with ease" if value > 1.5 else "paying its bills may become a concern"
    return f"With a current ratio of {value:.2f}, {verdict}."


def _debt_sentence(value: Number) -> str:
    if value is None or value < 0:
        return ""
    level = "conservative" if value < 0.5 else "moderate" if value < 1 else "high"
    return f"Its debt is {level} at {value:.2f} times equity."


def _price_sentence(value: Number) -> str:
    if value is None or value <= 0:
        return ""
    level = "at a discount" if value < 15 else "at a fair price" if value < 25 else "at a premium"
    return f"The share trades {level}, at {value:.1f} times earnings."
