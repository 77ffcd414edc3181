"""Who answers: the model when a key is set, else the built-in rules."""

from __future__ import annotations

from klyx.runtime import Runtime
from klyx.services.chat.steps import Assistant


def assistant_of(runtime: Runtime) -> Assistant:
    """A new one for each answer; it holds no state between answers."""
    if runtime.settings.openai_api_key:
        from klyx.services.chat.model import ModelAssistant

        return ModelAssistant(runtime.settings)
    from klyx.services.chat.builtin import BuiltInAssistant

    return BuiltInAssistant(runtime.database)
