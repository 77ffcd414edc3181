"""What all sources know of one stock, as one set of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from klyx.services.analysis.quality import SOURCE_REQUIRED_FIELDS, missing_fields, score_fields
from klyx.services.market_data.plausible import Rejections, plausible
from klyx.services.market_data.trust import SPECIAL_ORDERS, rank
from klyx.services.market_data.vocabulary import NUMBERS, Kind
from klyx.sources.base import SourceRecord, StatementKind


@dataclass(frozen=True, slots=True)
class MergedField:
    """A raw field's value and who gave it. `statement_kind` only for what stands in statements."""

    value: float | str
    source: str
    fetched_at: datetime
    statement_kind: StatementKind | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The fields of one stock under their raw names and units.

    `records` are the plausible fields of each source, in the order of trust: what is worked out of several figures
    takes them from one of these.
    """

    fields: Mapping[str, MergedField]
    records: Sequence[SourceRecord] = field(default=())
    quality_score: int = 0
    missing: Sequence[str] = SOURCE_REQUIRED_FIELDS

    @property
    def values(self) -> dict[str, float | str]:
        return {name: merged.value for name, merged in self.fields.items()}

    @property
    def sources(self) -> list[str]:
        """The sources that gave a field, in the order of trust."""
        gave = {merged.source for merged in self.fields.values()}
        return list(dict.fromkeys([record.source for record in self.records if record.source in gave] + sorted(gave)))

    @property
    def fetched_at(self) -> datetime | None:
        """When the youngest field was obtained."""
        return max((merged.fetched_at for merged in self.fields.values()), default=None)


def merge(records: Iterable[SourceRecord], rejections: Rejections | None = None) -> Merged:
    """Each field from the first of `records`, given in priority order, that has a plausible value for it.

    A zero that more often means "unknown" gives way to a later source's figure; for a few fields the order of
    trust is another one (klyx.services.market_data.trust). Which source answered first makes no difference.
    """
    noted = rejections if rejections is not None else Rejections()
    cleaned = [plausible(record, noted) for record in records]
    names = dict.fromkeys(name for record in cleaned for name in record.fields)
    fields = {name: _choose(name, cleaned) for name in names}
    values = {name: merged.value for name, merged in fields.items()}
    return Merged(fields, tuple(cleaned), score_fields(values), missing_fields(values))


def _choose(name: str, records: Sequence[SourceRecord]) -> MergedField:
    number = NUMBERS.get(name)
    knowing = [record for record in records if name in record.fields]
    if name in SPECIAL_ORDERS:
        knowing.sort(key=lambda record: rank(record.source, name))
    if number is not None and number.zero_is_a_gap:
        knowing.sort(key=lambda record: record.fields[name] == 0)
    chosen = knowing[0]
    is_stated = number is not None and number.kind is Kind.STATEMENT
    return MergedField(
        chosen.fields[name], chosen.source, chosen.fetched_at, chosen.statement_kind if is_stated else None
    )
