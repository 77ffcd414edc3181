"""Column types that behave the same on PostgreSQL and on SQLite."""

import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, REAL, BigInteger, DateTime, Dialect, Double, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


def utc_now() -> datetime:
    """The current moment as a timezone-aware UTC datetime."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: timezone-aware in Python, always UTC. A naive datetime is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp without a time zone cannot be stored; use a UTC datetime")
        moment = value.astimezone(UTC)
        # SQLite keeps text without an offset, which stays comparable only when all of it is UTC.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Figure(TypeDecorator[float]):
    """A decimal of fixed precision: NUMERIC on PostgreSQL, REAL on SQLite, a finite float in Python.

    It rounds to its scale before storing, so that both engines hold the same value, and raises
    ValueError for NaN, an infinity or a number with too many digits (also the same on both).
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale, asdecimal=False)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # NUMERIC affinity would hand 100.0 back as the integer 100.
        return dialect.type_descriptor(REAL() if dialect.name == "sqlite" else self.impl_instance)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        # A number that is compared with the column must not be rounded to the column's scale.
        return Double() if isinstance(value, int | float) else self

    def accepts(self, value: float) -> bool:
        """Whether the number is finite and small enough for this column."""
        return math.isfinite(value) and abs(round(value, self.scale)) < 10 ** (self.precision - self.scale)

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        if value is None:
            return None
        number = float(value)
        if not self.accepts(number):
            raise ValueError(f"{number} does not fit NUMERIC({self.precision}, {self.scale})")
        return round(number, self.scale)


# JSONB on PostgreSQL forgets the order of keys: use ORDERED_JSON where a client sees that order.
JSON_DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ORDERED_JSON = JSON(none_as_null=True)
# SQLite counts up only a column whose type is exactly INTEGER.
BIG_IDENTITY = BigInteger().with_variant(Integer(), "sqlite")
