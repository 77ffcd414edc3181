"""What of a conversation is told again."""

from __future__ import annotations

from klyx.services.chat.memory import estimated_tokens, trimmed
from klyx.services.chat.steps import Said


def turn(number: int, size: int = 30) -> list[Said]:
    return [Said("user", f"q{number}" + "x" * size), Said("assistant", f"a{number}" + "x" * size)]


def test_whole_turns_are_left_out_from_the_oldest_on() -> None:
    said = [*turn(1), *turn(2), *turn(3), Said("user", "q4")]
    budget = sum(estimated_tokens(message.content) for message in [*turn(2), *turn(3), Said("user", "q4")])
    assert trimmed(said, budget) == said[2:]
    assert trimmed(said, budget - 1) == said[4:]
    assert trimmed(said, 10_000) == said


def test_the_last_question_stays_however_long_it_is() -> None:
    said = [*turn(1), Said("user", "x" * 100_000)]
    assert trimmed(said, 10) == said[2:]
    assert trimmed([], 10) == []


def test_an_unanswered_question_is_a_turn_of_its_own() -> None:
    said = [Said("user", "first"), Said("user", "second")]
    assert trimmed(said, 10_000) == said
    assert trimmed(said, estimated_tokens("second")) == said[1:]
