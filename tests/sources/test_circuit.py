"""The circuit breaker."""

from __future__ import annotations

import pytest

from klyx.sources.base import SourceCircuitOpen, SourceRateLimited, SourceUnavailable
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
    circuit.rest(30)
    with pytest.raises(SourceRateLimited):
        circuit.check()


def test_a_rest_is_kept_although_requests_succeed() -> None:
    circuit = Circuit("Source", failures_to_open=1, open_seconds=60)
    circuit.rest(30)
    circuit.succeeded()
    with pytest.raises(SourceRateLimited) as caught:
        circuit.check()
    assert 0 < caught.value.retry_after_seconds <= 30
