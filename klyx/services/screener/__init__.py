"""Screens: which stocks meet conditions on known fields, the ready-made ones, and figures about the fields."""

from klyx.services.screener.conditions import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    Condition,
    Group,
    Logic,
    Screen,
    parse_screen,
)
from klyx.services.screener.fields import ROW_FIELDS, SCREEN_FIELDS, ScreenField, screen_field
from klyx.services.screener.operators import Operator
from klyx.services.screener.presets import PRESETS, Preset, find_preset
from klyx.services.screener.run import MAX_ROWS, ScreenResult, matching_ids, run_screen

__all__ = [
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "MAX_ROWS",
    "PRESETS",
    "ROW_FIELDS",
    "SCREEN_FIELDS",
    "Condition",
    "Group",
    "Logic",
    "Operator",
    "Preset",
    "Screen",
    "ScreenField",
    "ScreenResult",
    "find_preset",
    "matching_ids",
    "parse_screen",
    "run_screen",
    "screen_field",
]
