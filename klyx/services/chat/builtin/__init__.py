"""The assistant that answers without a model: rules, the same tools, the same UI blocks."""

from klyx.services.chat.builtin.assistant import BuiltInAssistant

__all__ = ["BuiltInAssistant"]
