"""The assistant's tools: each reads, none can change anything. One module per subject, two lines here."""

from __future__ import annotations

from klyx.runtime import Runtime
from klyx.services.chat.tools.base import LookUp, Tool, ToolBox, ToolContext
from klyx.services.chat.tools.fundamentals import TOOLS as FUNDAMENTALS
from klyx.services.chat.tools.history import TOOLS as HISTORY
from klyx.services.chat.tools.own import TOOLS as OWN
from klyx.services.chat.tools.screens import TOOLS as SCREENS
from klyx.services.chat.tools.stocks import TOOLS as STOCKS

TOOLS: tuple[Tool, ...] = (*STOCKS, *FUNDAMENTALS, *HISTORY, *SCREENS, *OWN)


def toolbox(runtime: Runtime, user_id: str, look_up: LookUp) -> ToolBox:
    """Every tool, on behalf of one user."""
    return ToolBox(TOOLS, ToolContext(runtime, user_id, look_up), runtime.settings.chat_tool_seconds)
