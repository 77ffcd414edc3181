"""Reading what a source answered: refusals as SourceErrors, JSON as documents, figures as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from http import HTTPStatus
from numbers import Real
from typing import Any

import requests

from klyx.sources.base import SourceError, SourceRateLimited, SourceUnavailable
from klyx.sources.circuit import Circuit
from klyx.sources.http import retry_after_seconds

CRORE = 10_000_000.0


def document(
    response: requests.Response,
    source_name: str,
    circuit: Circuit,
    is_refusal: Callable[[Any], bool] = lambda _: False,
) -> Any:
    """The JSON of an answer; NaN and Infinity in it count as null.

    `is_refusal` tells of a document whether it says no with a status that says yes; the circuit learns of it, the
    document is answered all the same. Raises what `require_success` raises, and SourceUnavailable when it is not JSON.
    """
    require_success(response, source_name, circuit)
    try:
        found = json.loads(response.content, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        circuit.misunderstood()
        raise SourceUnavailable(f"{source_name} sent an answer that cannot be read") from error
    if is_refusal(found):
        circuit.misunderstood()
    else:
        circuit.understood()
    return found


def require_success(response: requests.Response, source_name: str, circuit: Circuit) -> None:
    """Raises SourceRateLimited for a 429 and SourceUnavailable for every other status that is an error."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise SourceRateLimited(f"{source_name} limits how often it may be asked", retry_after_seconds(response, 60.0))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceUnavailable(f"{source_name} answered with an error")
    if status >= HTTPStatus.BAD_REQUEST:
        circuit.misunderstood()
        raise SourceUnavailable(f"{source_name} refused the request")


def as_source_error(error: requests.RequestException, source_name: str) -> SourceError:
    """What a caller learns of a connection that failed."""
    if isinstance(error, requests.Timeout):
        return SourceUnavailable(f"{source_name} did not answer in time")
    return SourceUnavailable(f"{source_name} could not be reached")


def number(value: object) -> float | None:
    """A finite number, also one written as text with thousands separators; else None ("NA", "-", "", NaN)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "")[:40])
        except ValueError:
            return None
    if not isinstance(value, Real):
        return None
    converted = float(value)
    return converted if math.isfinite(converted) else None


def positive(value: object) -> float | None:
    """A number above zero, else None: sources write 0 for a price or size that they do not know."""
    found = number(value)
    return found if found is not None and found > 0 else None
