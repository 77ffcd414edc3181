from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from klyx.database import Database, DatabaseSettings
from klyx.database.models import FundamentalsCache
from klyx.database.versions import FUNDAMENTALS, read_version
from klyx.errors import NotFound
from klyx.services.fundamentals import Kept, NotFetched, find, search, store, sync_one
from klyx.services.fundamentals_run import select_stocks
from klyx.services.market_runs.kinds import Selection
from klyx.sources.base import (
    Deadline,
    SourceError,
    SourceUnavailable,
    StatementKind,
    StatementRow,
    Statements,
    SymbolUnknown,
)
from tests.sources.moneycontrol import GROUP, SINGLE, moneycontrol, source_of
from tests.stock_rows import add_stock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Source:
    """A source of statements that answers with what it was told."""

    def __init__(
        self, slug: str, answer: SourceError | list[int], asked: list[str] | None = None, at: datetime = NOW
    ) -> None:
        self.slug = slug
        self.name = slug.title()
        self._answer = answer
        self._asked = [] if asked is None else asked
        self._at = at

    def statements(self, symbol: str, kind: StatementKind, deadline: Deadline) -> Statements:
        self._asked.append(f"{self.slug} {deadline.remaining():.0f}")
        if isinstance(self._answer, SourceError):
            raise self._answer
        values = {f"Mar {year}": float(year) for year in self._answer}
        rows: list[StatementRow] = [{"headers": label, **values} for label in ("Total Revenue", self.name)]
        return Statements(symbol, kind, self.name, self._at, {"profit_loss": rows})


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseSettings(url=database_url))
    with database.begin() as session:
        add_stock(session, "Infosys", "INFY", market_cap=2e12)
        add_stock(session, "Mahindra", "M&M", market_cap=3e12)
    yield database
    database.dispose()


def keep(database: Database, *sources: Source, at: datetime = NOW) -> bool:
    found = search(sources, "INFY", "standalone", Deadline(10))
    with database.begin(FUNDAMENTALS) as session:
        return store(session, found, at)


def kept(database: Database, symbol: str = "INFY", at: datetime = NOW) -> Kept:
    with database.read() as session:
        return find(session, symbol, "standalone", at)


def source_kept(database: Database) -> str:
    return str(kept(database).data["meta"]["source"])


def test_statements_in_the_form_of_the_contract(database: Database) -> None:
    assert keep(database, Source("moneycontrol", [2025, 2024]))
    found = kept(database, "infy.NS")
    assert list(found.data) == ["balance_sheet", "profit_loss", "cash_flow", "ratios", "meta"]
    assert list(found.data["profit_loss"][0].items()) == [
        ("headers", "Total Revenue"),
        ("Mar 2025", 2025.0),
        ("Mar 2024", 2024.0),
    ]
    assert found.data["balance_sheet"] == []
    assert found.data["meta"]["type"] == "standalone"
    assert not found.is_due


def test_they_are_looked_for_again_after_a_day(database: Database) -> None:
    keep(database, Source("moneycontrol", [2025]))
    assert not kept(database, at=NOW + timedelta(hours=23)).is_due
    assert kept(database, at=NOW + timedelta(hours=25)).is_due


@pytest.mark.parametrize("symbol", ["undefined", "null", "NULL", "NOSUCHCO", "../etc", "", "DROP TABLE"])
def test_other_symbols_are_not_found(database: Database, symbol: str) -> None:
    with pytest.raises(NotFound):
        kept(database, symbol)


def test_nobody_has_looked_yet(database: Database) -> None:
    with pytest.raises(NotFetched) as missing:
        kept(database, "M&M")
    assert missing.value.lookup["unique_key"] == "fundamentals:M&M:standalone"


def test_the_preferred_source_is_asked_first_and_leaves_time_for_the_other() -> None:
    asked: list[str] = []
    sources = [Source("yahoo", [2025], asked), Source("moneycontrol", SourceUnavailable("down"), asked)]
    found = search(sources, "INFY", "standalone", Deadline(100))
    assert found.statements is not None
    assert found.statements.source == "Yahoo"
    assert found.outcomes == {"moneycontrol": "SourceUnavailable", "yahoo": "ok"}
    assert asked == ["moneycontrol 65", "yahoo 100"]


def test_statements_that_stand_in_for_those_of_a_source_that_failed_are_served_and_due_at_once(
    database: Database,
) -> None:
    down, yahoo = Source("moneycontrol", SourceUnavailable("down")), Source("yahoo", [2025], at=datetime.now(UTC))

    def is_selected() -> bool:
        with database.read() as session:
            return "INFY" in [stock.nse_code for stock in select_stocks(session, Selection())]

    now = datetime.now(UTC)
    with database.begin() as session:
        session.add(FundamentalsCache(symbol="INFY", type="consolidated", payload={}, fetched_at=now))
    assert keep(database, down, yahoo, at=now)
    assert (source_kept(database), kept(database, at=now).is_due, is_selected()) == ("Yahoo", True, True)

    gone = Source("moneycontrol", SymbolUnknown("unknown"))
    assert not keep(database, gone, yahoo, at=now)
    assert (source_kept(database), kept(database, at=now).is_due, is_selected()) == ("Yahoo", False, False)


def test_what_stands_in_for_a_failed_source_does_not_make_better_statements_fresh(database: Database) -> None:
    assert keep(database, Source("moneycontrol", [2025, 2024]))
    later = NOW + timedelta(days=2)
    assert not keep(database, Source("moneycontrol", SourceUnavailable("down")), Source("yahoo", [2025]), at=later)
    assert source_kept(database) == "Moneycontrol"
    assert kept(database, at=later).is_due


def test_that_there_are_none_is_remembered_for_a_day(database: Database) -> None:
    unknown = SymbolUnknown("unknown")
    assert not keep(database, Source("moneycontrol", unknown), Source("yahoo", unknown))
    with pytest.raises(NotFound, match="standalone"):
        kept(database)
    with pytest.raises(NotFetched):
        kept(database, at=NOW + timedelta(days=2))


@pytest.mark.parametrize("other", [SymbolUnknown("unknown"), SourceUnavailable("down")])
def test_a_source_that_fails_says_nothing(database: Database, other: SourceError) -> None:
    assert not keep(database, Source("moneycontrol", SourceUnavailable("down")), Source("yahoo", other))
    with pytest.raises(NotFetched):
        kept(database)


def test_nothing_good_is_replaced_by_nothing(database: Database) -> None:
    keep(database, Source("moneycontrol", [2025]))
    later = NOW + timedelta(days=3)
    assert not keep(database, Source("moneycontrol", SymbolUnknown("gone")), at=later)
    assert kept(database, at=later).data["profit_loss"]
    assert not kept(database, at=later).is_due


def test_what_is_kept_is_replaced_by_what_is_better_only(database: Database) -> None:
    assert keep(database, Source("yahoo", [2025, 2024]))
    assert keep(database, Source("moneycontrol", [2025, 2024, 2023]))
    assert source_kept(database) == "Moneycontrol"
    assert not keep(database, Source("yahoo", [2025, 2024]))
    assert not keep(database, Source("moneycontrol", [2024, 2023, 2022]))
    assert not keep(database, Source("moneycontrol", [2025]))
    assert source_kept(database) == "Moneycontrol"
    assert keep(database, Source("yahoo", [2026, 2025]))
    assert source_kept(database) == "Yahoo"
    assert not keep(database, Source("moneycontrol", [2025, 2024, 2023]))


def test_what_is_kept_has_a_version(database: Database) -> None:
    with database.read() as session:
        before = read_version(session, FUNDAMENTALS)
    keep(database, Source("moneycontrol", [2025]))
    with database.read() as session:
        assert read_version(session, FUNDAMENTALS) > before


def test_real_documents_are_fetched_and_kept(database: Database) -> None:
    with database.begin() as session:
        for company in (GROUP, SINGLE):
            add_stock(session, company.name, company.symbol)
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        for symbol in (GROUP.symbol, SINGLE.symbol):
            sync_one(database, [source], symbol, "consolidated", Deadline(20))
    with database.read() as session:
        rows = find(session, GROUP.symbol, "consolidated").data["profit_loss"]
        assert "Revenue" in rows[0]["headers"]
        assert len(rows[0]) == 11
        with pytest.raises(NotFound):
            find(session, SINGLE.symbol, "consolidated")


def test_a_run_is_about_stocks_that_lack_one_kind(database: Database) -> None:
    def chosen(selection: Selection = Selection()) -> list[str]:  # noqa: B008 - a constant
        with database.read() as session:
            return [stock.nse_code for stock in select_stocks(session, selection)]

    assert chosen() == ["M&M", "INFY"]
    assert chosen(Selection(offset=1, limit=1)) == ["INFY"]
    with database.begin() as session:
        for kind in ("standalone", "consolidated"):
            session.add(FundamentalsCache(symbol="M&M", type=kind, payload={}, fetched_at=datetime.now(UTC)))
        old = datetime.now(UTC) - timedelta(days=8)
        session.add(FundamentalsCache(symbol="INFY", type="standalone", payload={}, fetched_at=old))
    assert chosen() == ["INFY"]
    assert chosen(Selection(everything=True)) == ["M&M", "INFY"]
    with database.read() as session:
        assert len(session.scalars(select(FundamentalsCache)).all()) == 3
