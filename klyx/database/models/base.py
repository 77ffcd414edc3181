"""The declarative base, the names of constraints, and column types shared by the models."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from sqlalchemy import Identity, MetaData, String, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

from klyx.database.types import Figure, UTCDateTime, utc_now


class Base(DeclarativeBase):
    """Every table of the application; `Base.metadata` agrees with schema.sql, and a test compares them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


def new_uuid() -> str:
    """A random UUID as text, the form of every public identifier."""
    return str(uuid4())


IntegerKey = Annotated[int, mapped_column(Identity(), primary_key=True)]
UuidKey = Annotated[str, mapped_column(String(36), primary_key=True, default=new_uuid)]
CreatedAt = Annotated[datetime, mapped_column(UTCDateTime(), default=utc_now, server_default=func.now())]
UpdatedAt = Annotated[
    datetime,
    mapped_column(UTCDateTime(), default=utc_now, onupdate=utc_now, server_default=func.now()),
]
Moment = Annotated[datetime, mapped_column(UTCDateTime())]
OptionalMoment = Annotated[datetime | None, mapped_column(UTCDateTime())]

# Units: rupees (never crores), percent points (12.3 means 12.3 %), plain ratios (0.5 means 50 %).
PriceRupees = Annotated[float | None, mapped_column(Figure(15, 2))]
TotalRupees = Annotated[float | None, mapped_column(Figure(20, 2))]
Percent = Annotated[float | None, mapped_column(Figure(10, 4))]
Ratio = Annotated[float | None, mapped_column(Figure(10, 4))]
