"""The screener as a tool; its schema is made from the screener's own fields and operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolContext, updated_between
from klyx.services.screener import SCREEN_FIELDS, Group, Operator, parse_screen, run_screen

MOST_ROWS = 10
MOST_COLUMNS = 12
UPDATED = "Last Updated"
SHOWN = ("Current Price", "Day change %", "Market Capitalization", "PE TTM Price to Earnings", "ROE Annual %")
_TAKEN = ("filters", "logic", "sort_by", "sort_order")


def screen_stocks(context: ToolContext, arguments: Arguments) -> Result:
    definition = {name: arguments[name] for name in _TAKEN if arguments.get(name) is not None}
    screen = parse_screen(definition)
    shown = list(dict.fromkeys((*SHOWN, screen.sort_by.name, *_fields(screen.condition))))[:MOST_COLUMNS]
    limit = arguments.get("limit")
    rows = min(limit, MOST_ROWS) if isinstance(limit, int) and limit > 0 else MOST_ROWS
    with context.runtime.database.read() as session:
        result = run_screen(session, screen, limit=rows, columns=[*shown, UPDATED])
    updated = [row[UPDATED] for row in result.rows]
    return {
        "total_matches": result.total_matches,
        "total_stocks": result.total_stocks,
        "results": [{name: row[name] for name in row if name != UPDATED} for row in result.rows],
        "units": "rupees, percent points, plain ratios",
        "source": "Klyx screener",
        **updated_between(updated),
    }


def _fields(group: Group) -> Iterator[str]:
    for member in group.members:
        if isinstance(member, Group):
            yield from _fields(member)
        else:
            yield member.field.name


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
