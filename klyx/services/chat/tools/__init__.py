"""The assistant's tools: each reads, none can change anything. One module per subject, one line here."""

from __future__ import annotations

from klyx.runtime import Runtime
from klyx.services.chat.tools import fundamentals, history, own, screens, stocks
from klyx.services.chat.tools.base import LookUp, Tool, ToolBox, ToolContext

TOOLS: tuple[Tool, ...] = (*stocks.TOOLS, *fundamentals.TOOLS, *history.TOOLS, *screens.TOOLS, *own.TOOLS)


def toolbox(runtime: Runtime, user_id: str, look_up: LookUp) -> ToolBox:
    """Every tool, on behalf of one user."""
    return ToolBox(TOOLS, ToolContext(runtime, user_id, look_up), runtime.settings.chat_tool_seconds)
