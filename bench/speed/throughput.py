"""Ready answers under load, against bare views that return the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.speed import paths
from bench.speed.client import Answer, Connection, Request
from bench.speed.figures import Effort, Measurement, Spread, at_least
from bench.speed.stand import Stand, Web
from bench.speed.wrk import Load, load, require_wrk

GOAL_CACHED, GOAL_NOT_MODIFIED = 0.70, 0.85
WARM_UP_SECONDS = 1.0
ROUTES = {"list": paths.LIST, "details": paths.details("M&M"), "preset": paths.preset("value")}


@dataclass(slots=True)
class Rounds:
    """Requests per second of each round, and how many answers were errors."""

    ceiling: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    not_modified: list[float] = field(default_factory=list)
    failures: int = 0

    def add(self, to: list[float], measured: Load) -> None:
        to.append(measured.per_second)
        self.failures += measured.failures


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    require_wrk()
    with stand.application() as ours:
        with ours.connect() as connection:
            answers = {name: connection.send(Request(path), expected_status=None) for name, path in ROUTES.items()}
        usable = {name: answer for name, answer in answers.items() if answer.status == 200}
        bodies = {name: (answer.body, answer.headers["Content-Type"]) for name, answer in usable.items()}
        with stand.ceiling(bodies) as ceiling:
            for name, answer in usable.items():
                yield from _route(name, answer, ours, ceiling, effort)
        for name in answers.keys() - usable.keys():
            yield Measurement(f"cached {name}", f"not measured: GET {ROUTES[name]} answers {answers[name].status}")


def _route(name: str, answer: Answer, ours: Web, ceiling: Web, effort: Effort) -> Iterator[Measurement]:
    path = ROUTES[name]
    condition = {"If-None-Match": answer.headers["ETag"]} if answer.headers["ETag"] else {}
    with ours.connect() as connection:
        is_conditional = bool(condition) and _is_not_modified(connection, path, condition)
    rounds = Rounds()
    load(ours.url, [path], WARM_UP_SECONDS)
    load(ceiling.url, [f"/{name}"], WARM_UP_SECONDS)
    for _ in range(effort.rounds):
        rounds.add(rounds.ceiling, load(ceiling.url, [f"/{name}"], effort.load_seconds))
        rounds.add(rounds.ours, load(ours.url, [path], effort.load_seconds))
        if is_conditional:
            rounds.add(rounds.not_modified, load(ours.url, [path], effort.load_seconds, condition))
    yield _against(f"cached {name}: throughput against the ceiling", rounds, rounds.ours, GOAL_CACHED,
                   f"body of {len(answer.body):,} bytes")  # fmt: skip
    what = f"304 on {name}: throughput against the same ceiling"
    if is_conditional:
        yield _against(what, rounds, rounds.not_modified, GOAL_NOT_MODIFIED)
    else:
        yield Measurement(what, "not measured: no 304 is answered", f">= {GOAL_NOT_MODIFIED:g}", False)


def _is_not_modified(connection: Connection, path: str, condition: dict[str, str]) -> bool:
    return connection.send(Request(path, headers=condition), expected_status=None).status == 304


def _against(what: str, rounds: Rounds, ours: list[float], goal: float, *details: str) -> Measurement:
    ratios = [one / best for one, best in zip(ours, rounds.ceiling, strict=True)]
    speeds = f"{Spread.of(ours).text(0)} requests/s; ceiling {Spread.of(rounds.ceiling).text(0)}"
    failures = f"{rounds.failures} answers were errors" if rounds.failures else ""
    return at_least(what, ratios, goal, speeds, *details, *([failures] if failures else []))
