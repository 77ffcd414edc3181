"""The assistant that asks a language model: any service with OpenAI's chat completions, streamed, with tools."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from klyx.config import Settings
from klyx.database.types import utc_now
from klyx.services.chat.instructions import instructions
from klyx.services.chat.memory import estimated_tokens
from klyx.services.chat.model_client import Chunk, ModelClient
from klyx.services.chat.steps import (
    AnswerFailed,
    Call,
    Cancellation,
    Content,
    Conversation,
    NothingTaken,
    Step,
    ToolEnded,
    ToolRunner,
    Usage,
)
from klyx.sources.base import Deadline

logger = logging.getLogger(__name__)

TOOK_TOO_MUCH = "I am sorry, this question needs more work than one answer may take. Please ask about less at once."
TOO_LONG = "I am sorry, the answer is longer than I may write at once. Please ask about less, or for the rest."
TOO_LONG_A_RESULT = "The result is too long to be told; ask for less."
LONGEST_RESULT = 8000
LONGEST_NAME = 100
# Of a reply to which the answer's budget leaves less: one of a few words would help nobody.
LEAST_REPLY_TOKENS = 256


@dataclass(slots=True)
class _PartialCall:
    """A tool call as its fragments arrive."""

    call_id: str = ""
    name: str = ""
    arguments: str = ""

    def add(self, fragment: Mapping[str, Any]) -> None:
        function = fragment.get("function") or {}
        self.call_id = self.call_id or str(fragment.get("id") or "")
        self.name = (self.name + str(function.get("name") or ""))[:LONGEST_NAME]
        self.arguments += str(function.get("arguments") or "")

    def as_call(self) -> Call:
        try:
            arguments = json.loads(self.arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
        return Call(self.call_id, self.name, arguments if isinstance(arguments, dict) else None)

    def as_message(self) -> dict[str, Any]:
        # A model that wrote something else than JSON would be refused its own words.
        written = self.arguments if self.as_call().arguments is not None else "{}"
        return {"id": self.call_id, "type": "function", "function": {"name": self.name, "arguments": written}}


@dataclass(slots=True)
class _Reply:
    """What one question to the model gave."""

    text: str = ""
    calls: dict[int, _PartialCall] = field(default_factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    is_cut: bool = False


class ModelAssistant:
    """An assistant (see klyx.services.chat.steps.Assistant) that is a model, within the caps of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = ModelClient(settings.openai_base_url, settings.openai_api_key)

    def answer(
        self, conversation: Conversation, tools: ToolRunner, cancelled: Cancellation, deadline: Deadline
    ) -> Iterator[Step]:
        messages: list[dict[str, Any]] = [{"role": "system", "content": instructions(utc_now().date())}]
        messages += [{"role": said.role, "content": said.content} for said in conversation.messages]
        used = Usage(0, 0, 0.0)
        for step in range(self._settings.chat_answer_steps):
            if cancelled.is_set():
                return
            is_last = step == self._settings.chat_answer_steps - 1
            reply = _Reply()
            body = self._body(messages, tools.definitions, used, may_use_tools=not is_last)
            try:
                for chunk in self._client.stream(body, cancelled, deadline):
                    yield from _take(chunk, reply)
            except NothingTaken:
                raise
            except Exception:
                yield self._usage(body, reply)
                raise
            usage = self._usage(body, reply)
            used = _sum(used, usage)
            yield usage
            if cancelled.is_set():
                return
            if not reply.calls:
                if reply.is_cut:
                    raise AnswerFailed(TOO_LONG)
                return
            if self._is_too_much(used):
                raise AnswerFailed(TOOK_TOO_MUCH)
            yield from _run(reply, messages, tools, cancelled, deadline)
        raise AnswerFailed(TOOK_TOO_MUCH)

    def _body(
        self,
        messages: Sequence[Mapping[str, Any]],
        definitions: Sequence[Mapping[str, Any]],
        used: Usage,
        *,
        may_use_tools: bool,
    ) -> dict[str, Any]:
        left = self._settings.chat_answer_tokens - _tokens(used) - _prompt_tokens(messages, definitions)
        return {
            "model": self._settings.openai_model,
            "messages": messages,
            "tools": definitions,
            # Without a choice the last step can only be an answer.
            "tool_choice": "auto" if may_use_tools else "none",
            self._settings.openai_token_limit_field: max(
                LEAST_REPLY_TOKENS, min(self._settings.chat_reply_tokens, left)
            ),
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def _usage(self, body: Mapping[str, Any], reply: _Reply) -> Usage:
        """As the service counted, else as we estimate: it counts at the end, which a failed reply does not have."""
        prompt, completion = reply.prompt_tokens, reply.completion_tokens
        if prompt is None:
            prompt = _prompt_tokens(body["messages"], body["tools"])
        if completion is None:
            written = [reply.text, *(call.name + call.arguments for call in reply.calls.values())]
            completion = estimated_tokens("".join(written))
        prices = (self._settings.openai_prompt_usd_per_million, self._settings.openai_completion_usd_per_million)
        return Usage(prompt, completion, (prompt * prices[0] + completion * prices[1]) / 1e6)

    def _is_too_much(self, used: Usage) -> bool:
        return _tokens(used) >= self._settings.chat_answer_tokens or used.cost_usd >= self._settings.chat_answer_usd


def _prompt_tokens(messages: Sequence[Mapping[str, Any]], definitions: Sequence[Mapping[str, Any]]) -> int:
    """As we estimate; the tools are told, and paid for, with every question."""
    return estimated_tokens(json.dumps([*messages, *definitions], ensure_ascii=False))


def _tokens(used: Usage) -> int:
    return used.prompt_tokens + used.completion_tokens


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.cost_usd + other.cost_usd,
    )


def _take(chunk: Chunk, reply: _Reply) -> Iterator[Step]:
    """Adds a chunk to the reply; its text is said at once. Chunks without choices carry the usage."""
    usage = chunk.get("usage")
    if isinstance(usage, Mapping):
        reply.prompt_tokens = _count(usage.get("prompt_tokens"))
        reply.completion_tokens = _count(usage.get("completion_tokens"))
    for choice in (chunk.get("choices") or [])[:1]:
        reply.is_cut = reply.is_cut or choice.get("finish_reason") == "length"
        delta = choice.get("delta") or {}
        text = delta.get("content")
        if isinstance(text, str) and text:
            reply.text += text
            yield Content(text)
        for fragment in delta.get("tool_calls") or []:
            index = fragment.get("index")
            place = index if isinstance(index, int) else len(reply.calls)
            reply.calls.setdefault(place, _PartialCall()).add(fragment)


def _run(
    reply: _Reply,
    messages: list[dict[str, Any]],
    tools: ToolRunner,
    cancelled: Cancellation,
    deadline: Deadline,
) -> Iterator[Step]:
    """Runs the reply's tool calls and adds them, with their results, to the messages."""
    calls = [reply.calls[place] for place in sorted(reply.calls)]
    taken: set[str] = set()
    for place, call in enumerate(calls):
        # A result belongs to the call of its id; some services give none, or one to all.
        if not call.call_id or call.call_id in taken:
            call.call_id = f"call_{len(messages)}_{place}"
        taken.add(call.call_id)
    messages.append(
        {"role": "assistant", "content": reply.text or None, "tool_calls": [call.as_message() for call in calls]}
    )
    results: dict[str, Mapping[str, Any]] = {}
    for step in tools.run([call.as_call() for call in calls], cancelled, deadline):
        if isinstance(step, ToolEnded):
            results[step.call_id] = step.result
        yield step
    for call in calls:
        result = results.get(call.call_id, {"error": "not run"})
        messages.append({"role": "tool", "tool_call_id": call.call_id, "content": _told(result)})


def _told(result: Mapping[str, Any]) -> str:
    """A result as JSON of at most LONGEST_RESULT characters; of the longest lists the end is left out, and counted."""
    told = dict(result)
    while len(text := json.dumps(told, ensure_ascii=False, default=str)) > LONGEST_RESULT:
        lists = {name: value for name, value in told.items() if isinstance(value, list) and value}
        if not lists:
            return json.dumps({"error": TOO_LONG_A_RESULT})
        name = max(lists, key=lambda one: len(json.dumps(lists[one], default=str)))
        count = len(lists[name])
        kept = min(count - 1, count * LONGEST_RESULT // len(text))
        told[name] = lists[name][:kept]
        told[f"{name}_left_out"] = told.get(f"{name}_left_out", 0) + count - kept
    return text


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
