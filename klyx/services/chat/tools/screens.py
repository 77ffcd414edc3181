"""The screener as a tool; its schema is made from the screener's own fields and operators."""

from __future__ import annotations

from typing import Any

from klyx.database.types import utc_now
from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolContext
from klyx.services.screener import SCREEN_FIELDS, Operator, parse_screen, run_screen

MOST_ROWS = 10
SHOWN = ("Current Price", "Day change %", "Market Capitalization", "PE TTM Price to Earnings", "ROE Annual %")
_TAKEN = ("filters", "logic", "sort_by", "sort_order")


def screen_stocks(context: ToolContext, arguments: Arguments) -> Result:
    definition = {name: arguments[name] for name in _TAKEN if arguments.get(name) is not None}
    screen = parse_screen(definition)
    used = [str(item.get("field")) for item in _conditions(definition.get("filters"))]
    columns = list(dict.fromkeys((*SHOWN, *used)))[:12]
    limit = arguments.get("limit")
    rows = min(limit, MOST_ROWS) if isinstance(limit, int) and limit > 0 else MOST_ROWS
    with context.runtime.database.read() as session:
        result = run_screen(session, screen, limit=rows, columns=columns)
    return {
        "total_matches": result.total_matches,
        "total_stocks": result.total_stocks,
        "results": result.rows,
        "units": "rupees, percent points, plain ratios",
        "source": "Klyx screener",
        "as_of": utc_now().isoformat(timespec="seconds"),
    }


def _conditions(filters: Any) -> list[dict[str, Any]]:
    return [item for item in filters if isinstance(item, dict) and "field" in item] if isinstance(filters, list) else []


def _parameters() -> dict[str, Any]:
    fields = [field.column for field in SCREEN_FIELDS]
    units = "; ".join(f"{field.column}: {field.name}, {field.unit or field.kind}" for field in SCREEN_FIELDS)
    condition = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "enum": fields, "description": units},
            "operator": {"type": "string", "enum": [operator.value for operator in Operator]},
            "value": {"description": "A number or text; two numbers for `between`; a list for `in`"},
        },
        "required": ["field", "operator", "value"],
    }
    return {
        "type": "object",
        "properties": {
            "filters": {"type": "array", "items": condition, "minItems": 1},
            "logic": {"type": "string", "enum": ["AND", "OR"]},
            "sort_by": {"type": "string", "enum": fields},
            "sort_order": {"type": "string", "enum": ["asc", "desc"]},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        },
        "required": ["filters"],
    }


TOOLS = (
    Tool("screen_stocks", "Find stocks that meet conditions on their figures.", _parameters(), screen_stocks),
)
