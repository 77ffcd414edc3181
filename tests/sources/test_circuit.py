"""The circuit breaker."""

from __future__ import annotations

import threading
import time

import pytest

from klyx.sources.base import SourceCircuitOpen, SourceUnavailable
from klyx.sources.circuit import Circuit


def test_the_circuit_opens_after_failures_in_a_row() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    circuit.failed()
    circuit.check()
    circuit.failed()
    with pytest.raises(SourceCircuitOpen, match="Source could not be reached"):
        circuit.check()


def test_a_success_starts_the_count_again() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    circuit.failed()
    circuit.succeeded()
    circuit.failed()
    circuit.check()
    circuit.failed()
    with pytest.raises(SourceUnavailable):
        circuit.check()


def test_the_circuit_closes_after_its_pause() -> None:
    circuit = Circuit("Source", failures_to_open=1, open_seconds=0)
    for _ in range(3):
        circuit.failed()
        circuit.check()


def test_after_the_pause_one_caller_finds_out_for_all() -> None:
    circuit = Circuit("Source", failures_to_open=1, open_seconds=0.05)
    circuit.failed()
    threading.Event().wait(0.06)
    circuit.check()
    with pytest.raises(SourceCircuitOpen):
        circuit.check()
    circuit.succeeded()
    circuit.check()
    circuit.check()


def test_answers_of_no_use_open_the_circuit_although_connections_succeed() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    for _ in range(2):
        circuit.check()
        circuit.succeeded()
        circuit.misunderstood()
    with pytest.raises(SourceCircuitOpen, match="nothing of use"):
        circuit.check()


def test_an_answer_of_use_starts_that_count_again() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    circuit.misunderstood()
    circuit.understood()
    circuit.misunderstood()
    circuit.check()


def test_a_rest_is_told_to_whoever_sees_to_it() -> None:
    told: list[float] = []
    circuit = Circuit("Source", 1, 60, told.append)
    circuit.rest(30)
    circuit.check()
    assert told == [30]


def test_a_source_that_limits_again_and_again_is_left_alone() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    asked_at = time.monotonic()
    for _ in range(5):
        # Under way together, they are told together.
        circuit.limited(asked_at)
    circuit.check()
    circuit.limited(time.monotonic())
    with pytest.raises(SourceCircuitOpen):
        circuit.check()


def test_an_answer_starts_the_count_of_limits_again() -> None:
    circuit = Circuit("Source", failures_to_open=2, open_seconds=60)
    circuit.limited(time.monotonic())
    circuit.succeeded()
    circuit.limited(time.monotonic())
    circuit.check()
