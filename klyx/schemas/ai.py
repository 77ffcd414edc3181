"""What a question to the assistant looks like."""

from __future__ import annotations

import unicodedata
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from klyx.schemas.envelope import envelope
from klyx.schemas.screener import ScreenSchema
from klyx.services.chat.threads import normalise_thread_id

MAX_QUESTION_CHARACTERS = 4000
EMPTY = "Please type a question."
TOO_LONG = f"A question has at most {MAX_QUESTION_CHARACTERS} characters. Please shorten it."


class Question(fields.Field[str]):
    """Text of a person: control characters are left out, line breaks and tabs stay."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a text")
        if len(value) > 4 * MAX_QUESTION_CHARACTERS:
            raise ValidationError(TOO_LONG)
        kept = "".join(c for c in value if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
        text = kept.strip()
        if not text:
            raise ValidationError(EMPTY)
        if len(text) > MAX_QUESTION_CHARACTERS:
            raise ValidationError(TOO_LONG)
        return text


class PromptSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    role = fields.String(required=True, validate=validate.Equal("user", error="must be `user`"))
    content = Question(required=True)


class ChatQuestionSchema(Schema):
    """`thread_id` is a UUID of the client's making; `response_id` is accepted and not used."""

    prompt = fields.Nested(PromptSchema, required=True)
    thread_id = fields.String(required=True, data_key="threadId")
    response_id = fields.String(data_key="responseId", allow_none=True, load_default=None)

    @post_load
    def checked(self, values: dict[str, Any], **_: Any) -> dict[str, str]:
        thread_id = normalise_thread_id(values["thread_id"])
        if thread_id is None:
            raise ValidationError("must be a UUID", "threadId")
        return {"question": values["prompt"]["content"], "thread_id": thread_id}


class AssistantHealthSchema(Schema):
    status = fields.Constant("ok")
    service = fields.Constant("AI Agent")


class SentenceSchema(Schema):
    sentence = Question(required=True)


class UnderstoodSchema(Schema):
    """`definition` is what `POST /api/screener/filter` takes; `unread` are the words that had no meaning for us."""

    definition = fields.Dict()
    explanation = fields.String()
    unread = fields.String()


class UnderstoodScreenSchema(ScreenSchema):
    understood = fields.Nested(UnderstoodSchema)


UnderstoodAnswer = envelope("UnderstoodScreen", UnderstoodScreenSchema, source=fields.String())
