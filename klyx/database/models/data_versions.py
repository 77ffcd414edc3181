"""The version of each kind of data, which ready answers are kept under."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base


class DataVersion(Base):
    """`version` grows with every transaction that changes the data of this namespace (klyx.database.versions)."""

    __tablename__ = "data_versions"

    namespace: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
