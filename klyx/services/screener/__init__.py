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
from klyx.services.screener.downloads import CSV_CONTENT_TYPE, as_csv, file_name
from klyx.services.screener.fields import (
    ROW_FIELDS,
    SCREEN_FIELDS,
    ScreenField,
    field_in_address,
    result_fields,
    screen_field,
)
from klyx.services.screener.operators import Operator
from klyx.services.screener.presets import PRESETS, Preset, find_preset
from klyx.services.screener.run import MAX_ROWS, ScreenResult, matching_ids, run_screen
from klyx.services.screener.statistics import (
    FieldDistribution,
    FieldStatistics,
    FieldSummary,
    field_distribution,
    field_summaries,
)

__all__ = [
    "CSV_CONTENT_TYPE",
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "MAX_ROWS",
    "PRESETS",
    "ROW_FIELDS",
    "SCREEN_FIELDS",
    "Condition",
    "FieldDistribution",
    "FieldStatistics",
    "FieldSummary",
    "Group",
    "Logic",
    "Operator",
    "Preset",
    "Screen",
    "ScreenField",
    "ScreenResult",
    "as_csv",
    "field_distribution",
    "field_in_address",
    "field_summaries",
    "file_name",
    "find_preset",
    "matching_ids",
    "parse_screen",
    "result_fields",
    "run_screen",
    "screen_field",
]
