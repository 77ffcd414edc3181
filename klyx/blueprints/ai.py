"""`/api/ai/...`: a question in, the answer as server-sent events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any

from flask import Response, current_app, request
from flask.blueprints import BlueprintSetupState

from klyx.blueprints.screener import screen_answer
from klyx.errors import Invalid
from klyx.event_streams import HEARTBEAT, StreamSlots, data_bytes, reader_watch, stream
from klyx.identity import current_user_id, user_required
from klyx.last_words import say_before_the_end
from klyx.lookup_waiting import wait_for_lookup
from klyx.openapi import Blueprint
from klyx.schemas.ai import AssistantHealthSchema, ChatQuestionSchema, SentenceSchema, UnderstoodAnswer
from klyx.services.chat import threads, usage
from klyx.services.chat.answering import Answering
from klyx.services.chat.assistants import assistant_of
from klyx.services.chat.memory import remember
from klyx.services.chat.open_answers import OpenAnswers
from klyx.services.chat.steps import Conversation
from klyx.services.chat.tools import toolbox
from klyx.services.chat.tools.base import LookUp
from klyx.services.chat.understanding import understand
from klyx.services.screener import parse_screen, run_screen
from klyx.sources.base import Deadline
from klyx.web import EXTENSION_KEY, runtime

blueprint = Blueprint("ai", __name__, url_prefix="/api/ai", description="The assistant")
SLOTS_KEY, ANSWERS_KEY = "klyx_chat_streams", "klyx_chat_answers"
HEARTBEAT_SECONDS = 10.0
# An answer without statements is better than one that comes late; they are there for the next question.
LOOKUP_SECONDS = 5.0
# The turn of a process that died ends by itself a little after its answer would have.
TURN_MARGIN_SECONDS = 15.0
THREADS_FOR_ONE_STREAM = 4
FIRST_RESULTS = 20
NOT_UNDERSTOOD = (
    "We found no condition in that sentence. Name figures and limits, for example: "
    "IT stocks with P/E under 25 and ROE over 20."
)
DONE = b"data: [DONE]\n\n"
EVENT_STREAM = {"type": "string", "example": 'data: {"content": "TCS trades at ..."}\n\ndata: [DONE]\n\n'}


@blueprint.record_once
def set_slots_aside(state: BlueprintSetupState) -> None:
    settings = state.app.extensions[EXTENSION_KEY].settings
    count = settings.max_chat_streams
    if not settings.serves_chat:
        # Whoever comes here past the server for streams takes a thread from short requests.
        count = min(count, settings.web_threads // THREADS_FOR_ONE_STREAM)
    state.app.extensions[SLOTS_KEY] = StreamSlots(max(1, count), settings.max_chat_streams_per_user)
    answers = OpenAnswers()
    state.app.extensions[ANSWERS_KEY] = answers
    say_before_the_end(state.app, answers.give_up)


@blueprint.get("/health")
@blueprint.response(200, AssistantHealthSchema)
def health() -> dict[str, str]:
    return {"status": "ok", "service": "AI Agent"}


@blueprint.post("/chat")
@user_required
@blueprint.arguments(ChatQuestionSchema)
@blueprint.response(200, EVENT_STREAM, content_type="text/event-stream", description="Until `[DONE]`")
@blueprint.alt_response(404, description="The thread is somebody else's")
@blueprint.alt_response(409, description="The answer to an earlier question in this thread is still being written")
@blueprint.alt_response(429, description="The day's answers are used up; or too many questions in a short time")
@blueprint.alt_response(503, description="Too many answers are being written; come back after Retry-After")
def chat(asked: dict[str, str]) -> Response:
    """The answer as server-sent events: `content`, `tool` and `error` objects, then `[DONE]`."""
    user_id = current_user_id()
    slots: StreamSlots = current_app.extensions[SLOTS_KEY]
    give_back = slots.take(user_id)
    try:
        answering = _begin(user_id, **asked)
    except BaseException:
        give_back()
        raise
    answers: OpenAnswers = current_app.extensions[ANSWERS_KEY]
    answers.add(answering)
    answering.start()
    return stream(_events(answering, reader_watch(request.environ)), give_back)


def _begin(user_id: str, question: str, thread_id: str) -> Answering:
    """The user's question is kept, and the turn is taken, before the first byte is sent."""
    settings = runtime().settings
    database = runtime().database
    caps = usage.DailyCaps(
        answers=settings.chat_answers_per_day,
        tokens=settings.chat_tokens_per_day,
        cost_usd=settings.chat_usd_per_day,
        cost_usd_in_all=settings.chat_usd_per_day_in_all,
    )
    seconds = settings.chat_answer_seconds
    with database.begin() as session:
        usage.check_caps(session, user_id, caps)
        turn = threads.take_turn(session, user_id, thread_id, question, seconds + TURN_MARGIN_SECONDS)
        said = remember(session, thread_id, settings.chat_memory_tokens)
    conversation = Conversation(user_id, thread_id, said)
    tools = toolbox(runtime(), user_id, _look_up())
    return Answering(database, assistant_of(runtime()), tools, conversation, turn, Deadline(seconds))


def _look_up() -> LookUp:
    """Tools run in threads of their own, outside the request."""
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - Flask's documented way

    def look_up(*, kind: str, unique_key: str, arguments: Mapping[str, Any]) -> None:
        with app.app_context():
            # A user's streams are few already, and one answer may look up several stocks at once.
            wait_for_lookup(kind=kind, unique_key=unique_key, arguments=arguments, caller=None, seconds=LOOKUP_SECONDS)

    return look_up


def _events(answering: Answering, reader_has_left: Callable[[], bool]) -> Generator[bytes]:
    # closing(): a reader that leaves ends the answer now, not when the garbage is collected.
    with closing(answering.events(HEARTBEAT_SECONDS, reader_has_left)) as events:
        for event in events:
            yield HEARTBEAT if event is None else data_bytes(dict(event))
    yield DONE


@blueprint.post("/screen")
@blueprint.arguments(SentenceSchema)
@blueprint.response(200, UnderstoodAnswer)
def screen(asked: dict[str, str]) -> Mapping[str, Any]:
    """The screen that a sentence describes, to show and correct, and its first results."""
    understood = understand(asked["sentence"])
    if understood is None:
        raise Invalid(NOT_UNDERSTOOD)
    with runtime().database.read() as session:
        result = run_screen(session, parse_screen(understood.definition), limit=understood.number or FIRST_RESULTS)
    answer = screen_answer(result)
    about = {"definition": understood.definition, "explanation": understood.explanation, "unread": understood.unread}
    return {**answer, "data": {**answer["data"], "understood": about}}
