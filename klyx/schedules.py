"""When something is due: `Mon-Fri 13:00`, `daily 02:30`, `Sat,Sun 04:00` (UTC), `after refresh`, or `off`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AT = re.compile(r"(?P<days>[a-z,-]+) (?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)")
_AFTER = re.compile(r"after (?P<kind>[a-z][a-z_-]*)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`weekdays` (0 is Monday) at a time of day, UTC; or `after`: once for each scheduled run of that kind."""

    weekdays: frozenset[int] = frozenset()
    at: time = time()
    after: str | None = None

    def latest(self, now: datetime) -> datetime | None:
        """The last moment up to `now` at which it was due; None when it never is."""
        today = now.astimezone(UTC).date()
        for days in range(8):
            moment = datetime.combine(today - timedelta(days=days), self.at, UTC)
            if moment <= now and moment.weekday() in self.weekdays:
                return moment
        return None


def parse_schedule(text: str) -> Schedule:
    """Raises ValueError, with a message for people, for anything else than the forms above."""
    words = " ".join(text.lower().split())
    if words == "off":
        return Schedule()
    if found := _AFTER.fullmatch(words):
        return Schedule(after=found["kind"])
    if found := _AT.fullmatch(words):
        at = time(int(found["hour"]), int(found["minute"]))
        return Schedule(frozenset(day for part in found["days"].split(",") for day in _days(part)), at)
    raise ValueError("must look like `Mon-Fri 13:00` (UTC), `daily 02:30`, `after refresh` or `off`")


def _days(part: str) -> range:
    if part == "daily":
        return range(7)
    first, _, last = part.partition("-")
    if first not in _DAYS or (last or first) not in _DAYS or _DAYS.index(last or first) < _DAYS.index(first):
        raise ValueError(f"`{part}` is no day of the week, nor a span of them from Mon to Sun")
    return range(_DAYS.index(first), _DAYS.index(last or first) + 1)
