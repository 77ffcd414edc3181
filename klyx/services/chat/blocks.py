"""The four UI blocks that clients draw, and the check that every number in one was looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klyx.services.chat.known_numbers import KnownNumbers
from klyx.services.chat.safety import neutralise

Block = dict[str, Any]
MAX_POINTS = 120
NEWS_ITEMS = 3
LARGEST_NUMBER = 1e300
PERIODS = ("1M", "3M", "6M", "1Y", "2Y", "3Y", "5Y", "YTD", "MAX")


def stock_card(
    symbol: str, name: str, price_rupees: float | None, change_percent: float | None, score: float | None = None
) -> Block:
    data: Block = {"symbol": symbol, "name": name}
    data["price"] = "N/A" if price_rupees is None else f"₹{price_rupees:,.2f}"
    # A client prints NaN for anything but a number, and leaves out what is absent.
    if change_percent is not None:
        data["change"] = change_percent
    if score is not None:
        data["score"] = score
    return {"type": "stock-card", "data": data}


def comparison(symbols: Sequence[str], metrics: Sequence[tuple[str, Sequence[str | float]]]) -> Block:
    """Two stocks side by side: the grid has room for exactly two."""
    rows = [{"label": label, "values": list(values)} for label, values in metrics]
    return {"type": "comparison", "data": {"stocks": [{"symbol": symbol} for symbol in symbols], "metrics": rows}}


def news(items: Sequence[tuple[str, str, str | None]]) -> Block:
    """`items`: title, source and time of the first headlines."""
    shown = [
        {"title": title, "source": source, **({"time": time} if time else {})}
        for title, source, time in items[:NEWS_ITEMS]
    ]
    return {"type": "news", "data": {"items": shown}}


def chart(points: Sequence[tuple[str, float]], period: str) -> Block:
    """`points`: ISO day and rupees."""
    drawn = [{"time": day, "value": value} for day, value in points]
    return {"type": "chart", "data": {"points": drawn, "period": period}}


def allowed_block(block: Mapping[str, Any], known: KnownNumbers) -> Block | None:
    """The block with only what clients draw, or None when it is malformed or holds a number nobody looked up."""
    kind, data = block.get("type"), block.get("data")
    if not isinstance(data, Mapping):
        return None
    checks = {"stock-card": _stock_card, "comparison": _comparison, "news": _news, "chart": _chart}
    check = checks.get(kind) if isinstance(kind, str) else None
    checked = check(data, known) if check is not None else None
    return None if checked is None else {"type": kind, "data": checked}


def _stock_card(data: Mapping[str, Any], known: KnownNumbers) -> Block | None:
    symbol, name, price = data.get("symbol"), data.get("name", ""), data.get("price", "N/A")
    if not (_is_text(symbol) and isinstance(name, str) and _is_text_or_number(price)):
        return None
    card: Block = {"symbol": neutralise(str(symbol)), "name": neutralise(name), "price": _shown(price)}
    for key in ("change", "score"):
        value = data.get(key)
        if value is None:
            continue
        if not _is_number(value):
            return None
        card[key] = value
    values = (symbol, name, price, card.get("change"), card.get("score"))
    return card if all(map(known.knows_all_of, values)) else None


def _comparison(data: Mapping[str, Any], known: KnownNumbers) -> Block | None:
    stocks, metrics = data.get("stocks"), data.get("metrics")
    if not (isinstance(stocks, list) and isinstance(metrics, list) and len(stocks) >= 2 and metrics):
        return None
    symbols = [stock.get("symbol") if isinstance(stock, Mapping) else None for stock in stocks]
    if not all(_is_text(symbol) and known.knows_all_of(symbol) for symbol in symbols):
        return None
    rows = []
    for metric in metrics:
        if not isinstance(metric, Mapping) or not _is_text(metric.get("label")):
            return None
        values = metric.get("values")
        if not isinstance(values, list) or not all(map(_is_text_or_number, values)):
            return None
        if not (known.knows_all_of_label(metric["label"]) and all(map(known.knows_all_of, values))):
            return None
        rows.append({"label": neutralise(metric["label"]), "values": [_shown(value) for value in values]})
    return {"stocks": [{"symbol": neutralise(str(symbol))} for symbol in symbols], "metrics": rows}


def _news(data: Mapping[str, Any], known: KnownNumbers) -> Block | None:
    items = data.get("items")
    if not isinstance(items, list) or not items:
        return None
    shown = []
    for item in items[:NEWS_ITEMS]:
        if not isinstance(item, Mapping) or not _is_text(item.get("title")):
            return None
        texts = {key: neutralise(item[key]) for key in ("title", "source", "time") if _is_text(item.get(key))}
        if not all(map(known.knows_all_of, texts.values())):
            return None
        shown.append({"source": "NEWS", **texts})
    return {"items": shown}


def _chart(data: Mapping[str, Any], known: KnownNumbers) -> Block | None:
    points, period = data.get("points"), data.get("period", "6M")
    if not isinstance(points, list) or not points or len(points) > MAX_POINTS:
        return None
    shown = []
    for point in points:
        if not isinstance(point, Mapping):
            return None
        day, value = point.get("time"), point.get("value")
        if not (isinstance(day, str) and known.knows_day(day) and _is_number(value) and known.knows_all_of(value)):
            return None
        shown.append({"time": day, "value": value})
    return {"points": shown, "period": period if period in PERIODS else "6M"}


def _shown(value: str | float) -> str | float:
    return neutralise(value) if isinstance(value, str) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_text_or_number(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    """Finite, and one that a client can read."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER
