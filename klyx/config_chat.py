"""Settings of the chat: which model answers, and what an answer, a user and a day may take."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import fields, validate

from klyx.config_fields import CommaSeparated, RateLimit, setting

CHAT_ROLE = "chat"


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """Part of `klyx.config.Settings`."""

    openai_api_key: str = setting(
        "OPENAI_API_KEY",
        fields.String(validate=validate.Regexp(r"^[\x21-\x7e]{1,500}$", error="must be printable, without spaces")),
        default="",
        secret=True,
        doc="Key of the model that answers in the chat; without one the built-in assistant answers",
    )
    openai_base_url: str = setting(
        "OPENAI_BASE_URL",
        fields.String(validate=validate.Regexp(r"^https?://[^\s?#]+$", error="must start with http:// or https://")),
        default="https://api.openai.com/v1",
        doc="Where an OpenAI-compatible service is; in production it must be https, or on this machine",
    )
    openai_model: str = setting(
        "OPENAI_MODEL", fields.String(validate=validate.Length(1, 100)), default="gpt-4o", doc="The model's name there"
    )
    openai_token_limit_field: str = setting(
        "OPENAI_TOKEN_LIMIT_FIELD",
        fields.String(validate=validate.OneOf(["max_tokens", "max_completion_tokens"])),
        default="max_tokens",
        doc="What the service calls the most tokens of a reply; OpenAI's newer models want `max_completion_tokens`",
    )
    openai_prompt_usd_per_million: float = setting(
        "OPENAI_PROMPT_USD_PER_MILLION",
        fields.Float(validate=validate.Range(0, 10_000)),
        default=2.5,
        doc="Price of a million tokens sent to the model, for the caps on money",
    )
    openai_completion_usd_per_million: float = setting(
        "OPENAI_COMPLETION_USD_PER_MILLION",
        fields.Float(validate=validate.Range(0, 10_000)),
        default=10.0,
        doc="Price of a million tokens that the model writes",
    )
    chat_answer_seconds: float = setting(
        "CHAT_ANSWER_SECONDS",
        fields.Float(validate=validate.Range(1, 600)),
        default=90.0,
        doc="Longest time one answer may take",
    )
    chat_answer_steps: int = setting(
        "CHAT_ANSWER_STEPS",
        fields.Integer(validate=validate.Range(1, 50)),
        default=8,
        doc="How often the model may be asked for one answer, tools in between",
    )
    chat_reply_tokens: int = setting(
        "CHAT_REPLY_TOKENS",
        fields.Integer(validate=validate.Range(256, 200_000)),
        default=4096,
        doc="Tokens the model may write each time it is asked; too many are refused (gpt-4o: over 16384)",
    )
    chat_answer_tokens: int = setting(
        "CHAT_ANSWER_TOKENS",
        fields.Integer(validate=validate.Range(100, 1_000_000)),
        default=40_000,
        doc="Tokens one answer may take in all",
    )
    chat_answer_usd: float = setting(
        "CHAT_ANSWER_USD",
        fields.Float(validate=validate.Range(0, 1000)),
        default=0.25,
        doc="Money one answer may take",
    )
    chat_answers_per_day: int = setting(
        "CHAT_ANSWERS_PER_DAY",
        fields.Integer(validate=validate.Range(1, 1_000_000)),
        default=200,
        doc="Answers a user gets in a day (UTC)",
    )
    chat_tokens_per_day: int = setting(
        "CHAT_TOKENS_PER_DAY",
        fields.Integer(validate=validate.Range(100, 1_000_000_000)),
        default=500_000,
        doc="Tokens a user's answers may take in a day",
    )
    chat_usd_per_day: float = setting(
        "CHAT_USD_PER_DAY",
        fields.Float(validate=validate.Range(0, 100_000)),
        default=2.0,
        doc="Money a user's answers may take in a day",
    )
    chat_usd_per_day_in_all: float = setting(
        "CHAT_USD_PER_DAY_IN_ALL",
        fields.Float(validate=validate.Range(0, 1_000_000)),
        default=50.0,
        doc="Money the answers of all users together may take in a day, give or take those being written; 0 for no cap",
    )
    chat_memory_tokens: int = setting(
        "CHAT_MEMORY_TOKENS",
        fields.Integer(validate=validate.Range(100, 200_000)),
        default=6000,
        doc="Earlier turns of a conversation that are told to the model again, in tokens",
    )
    chat_tool_seconds: float = setting(
        "CHAT_TOOL_SECONDS",
        fields.Float(validate=validate.Range(0.1, 120)),
        default=15.0,
        doc="Longest time one tool call may take",
    )
    http_role: str = setting(
        "HTTP_ROLE",
        fields.String(validate=validate.OneOf(["web", CHAT_ROLE])),
        default="web",
        doc="`chat` makes gunicorn the second server, for streamed answers: CHAT_BINDS, one process, CHAT_THREADS",
    )
    chat_binds: tuple[str, ...] = setting(
        "CHAT_BINDS",
        CommaSeparated(fields.String(validate=validate.Regexp(r"^\S+:\d{1,5}$", error="must look like host:port"))),
        default=("127.0.0.1:8000",),
        doc="Addresses of the server for streamed answers; the clients expect this port",
    )
    chat_threads: int = setting(
        "CHAT_THREADS",
        fields.Integer(validate=validate.Range(4, 512)),
        default=96,
        doc="Threads of that server; keep it above MAX_CHAT_STREAMS + MAX_EVENT_STREAMS",
    )
    max_chat_streams: int = setting(
        "MAX_CHAT_STREAMS",
        fields.Integer(validate=validate.Range(1, 1000)),
        default=64,
        doc="Answers that server streams at a time; one more is answered 503",
    )
    max_chat_streams_per_user: int = setting(
        "MAX_CHAT_STREAMS_PER_USER",
        fields.Integer(validate=validate.Range(1, 100)),
        default=3,
        doc="Answers one user is streamed at a time",
    )
    rate_limit_chat: str = setting(
        "RATE_LIMIT_CHAT", RateLimit(), default="20 per minute; 300 per hour", doc="Questions to the assistant per user"
    )

    @property
    def serves_chat(self) -> bool:
        return self.http_role == CHAT_ROLE
