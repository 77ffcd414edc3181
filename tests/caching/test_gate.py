from __future__ import annotations

import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from klyx.caching.gate import RedisGate


def fail(gate: RedisGate, error: Exception) -> None:
    with gate.attempt():
        raise error


@pytest.mark.parametrize("error", [RedisConnectionError(), ConnectionResetError(), TimeoutError()])
def test_after_a_failure_redis_is_left_alone_until_one_attempt_succeeds(error: Exception) -> None:
    gate = RedisGate(pause_seconds=0.1)
    assert gate.may_try()
    fail(gate, error)
    assert not gate.may_try()
    threading.Event().wait(0.12)
    assert [gate.may_try() for _ in range(3)] == [True, False, False]
    with gate.attempt():
        pass
    assert [gate.may_try() for _ in range(3)] == [True, True, True]


def test_a_refusal_is_an_answer() -> None:
    gate = RedisGate(pause_seconds=60)
    fail(gate, ResponseError("OOM"))
    assert gate.may_try()


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(LookupError):
        fail(RedisGate(), LookupError())
