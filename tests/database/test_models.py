"""What the tables promise, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import joinedload

from klyx.database import Database
from klyx.database.models import (
    AnalysisRow,
    Base,
    ChatMessage,
    ChatThread,
    DebtScenario,
    FundamentalsCache,
    Job,
    JobEvent,
    JobState,
    PortfolioEntry,
    RefreshToken,
    Stock,
    StockFieldProvenance,
    StockMetadata,
    SymbolCorrection,
    Upload,
    User,
    UserScreener,
    Workspace,
    WorkspaceSession,
)

SOON = datetime(2027, 1, 1, tzinfo=UTC)


def add(database: Database, *rows: Base) -> None:
    with database.begin() as session:
        for row in rows:
            session.add(row)
            session.flush()


@pytest.fixture
def owner(database: Database) -> User:
    user = User(email="asha@example.org", name="Asha", password_hash="x")
    add(database, user)
    return user


@pytest.fixture
def workspace(database: Database) -> Workspace:
    workspace = Workspace()
    add(database, workspace)
    return workspace


def test_a_second_unfinished_job_of_a_kind_is_refused(database: Database, workspace: Workspace) -> None:
    first = Job(workspace_id=workspace.id, kind="process")
    add(database, first)
    with pytest.raises(IntegrityError):
        add(database, Job(workspace_id=workspace.id, kind="process", state=JobState.RUNNING))
    add(database, Job(workspace_id=workspace.id, kind="other"), Job(kind="process"), Job(kind="process"))
    with database.begin() as session:
        finished = {"state": JobState.FAILED, "finished_at": SOON}
        session.execute(update(Job).where(Job.id == first.id).values(finished))
    add(database, Job(workspace_id=workspace.id, kind="process"))


@pytest.mark.parametrize(
    "values",
    [
        {"state": "lost"},
        {"state": JobState.SUCCEEDED},
        {"state": JobState.RUNNING, "finished_at": SOON},
        {"attempts": -1},
        {"progress_current": -1},
    ],
)
def test_impossible_jobs_are_refused(database: Database, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        add(database, Job(kind="process", **values))


def test_one_current_debt_scenario_per_user(database: Database, owner: User) -> None:
    def scenario(name: str, is_current: bool) -> DebtScenario:
        return DebtScenario(user_id=owner.id, name=name, debts="[]", monthly_budget=1, is_current=is_current)

    add(database, scenario("Current", True), scenario("a", False), scenario("b", False))
    with pytest.raises(IntegrityError):
        add(database, scenario("c", True))
    with pytest.raises(IntegrityError):
        add(database, scenario("a", False))


def test_debts_come_back_exactly_as_stored(database: Database, owner: User) -> None:
    debts = '[ {"b":1.0, "a": 0.10, "emoji": "\\u20b9 ₹"} ]'
    add(database, DebtScenario(user_id=owner.id, name="x", debts=debts, monthly_budget=12_500.5))
    with database.read() as session:
        found = session.scalars(select(DebtScenario)).one()
        assert (found.debts, found.monthly_budget) == (debts, 12_500.5)


def test_messages_have_an_order_of_their_own(database: Database, owner: User) -> None:
    thread = ChatThread(user_id=owner.id)
    add(database, thread)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(5):
        message = ChatMessage(thread_id=thread.id, role="user", content=str(number), created_at=moment)
        add(database, message)
    with database.read() as session:
        ordered = select(ChatMessage).order_by(ChatMessage.sequence)
        messages = session.scalars(ordered).all()
        assert [message.content for message in messages] == ["0", "1", "2", "3", "4"]
        assert len({message.id for message in messages}) == 5
        assert (session.get_one(ChatThread, thread.id).title, thread.is_archived) == ("New Analysis", False)


@pytest.mark.parametrize("document", [{"zeta": 1.5, "alpha": None, "Day change %": True, "₹": "x\\y\""}])
def test_documents_that_clients_see_keep_the_order_of_their_keys(
    database: Database, workspace: Workspace, document: dict[str, Any]
) -> None:
    job = Job(workspace_id=workspace.id, kind="process")
    add(database, job)
    add(
        database,
        AnalysisRow(workspace_id=workspace.id, job_id=job.id, position=0, stock_name="A", data=document),
        FundamentalsCache(symbol="A", type="standalone", payload=document, fetched_at=SOON),
    )
    with database.read() as session:
        row = session.scalars(select(AnalysisRow)).one()
        payload = session.scalars(select(FundamentalsCache.payload)).one()
    assert list(row.data.items()) == list(document.items()) == list(payload.items())
    assert row.quality is None


def test_documents_without_an_order_come_back_whole(
    database: Database, workspace: Workspace, owner: User
) -> None:
    holdings: list[dict[str, str | None]] = [{"stock_name": "A", "nse_code": None, "symbol": "A"}]
    definition = {"filters": [{"field": "pe_ttm", "value": 1.5}]}
    add(
        database,
        Upload(
            workspace_id=workspace.id,
            original_name="a.csv",
            stored_name="1.csv",
            extension="csv",
            size_bytes=3_000_000_000,
            state="accepted",
            holdings=holdings,
        ),
        UserScreener(user_id=owner.id, name="x", filters=definition),
    )
    with database.read() as session:
        upload = session.scalars(select(Upload)).one()
        assert (upload.holdings, upload.size_bytes, upload.is_sample) == (holdings, 3_000_000_000, False)
        assert session.scalars(select(UserScreener.filters)).one() == definition


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_documents_refuse_what_json_has_no_word_for(database: Database, number: float) -> None:
    with pytest.raises(Exception, match="not JSON compliant"):
        add(database, FundamentalsCache(symbol="A", type="standalone", payload={"x": number}, fetched_at=SOON))


@pytest.mark.parametrize(
    "values",
    [
        {"state": "accepted"},
        {"state": "refused"},
        {"state": "lost", "stored_name": "1.csv", "refusal_reason": "x"},
    ],
)
def test_an_upload_is_stored_or_has_a_reason(
    database: Database, workspace: Workspace, values: dict[str, str]
) -> None:
    with pytest.raises(IntegrityError):
        add(
            database,
            Upload(workspace_id=workspace.id, original_name="a", extension="csv", size_bytes=1, **values),
        )


def test_a_deleted_user_takes_everything_along(database: Database, owner: User) -> None:
    workspace = Workspace(user_id=owner.id)
    thread = ChatThread(user_id=owner.id)
    job = Job(user_id=owner.id, kind="process")
    add(database, workspace, thread, job)
    add(
        database,
        PortfolioEntry(user_id=owner.id, stock_name="A"),
        ChatMessage(thread_id=thread.id, role="user", content="?"),
        JobEvent(job_id=job.id, sequence=1, state=JobState.QUEUED),
        RefreshToken(jti="j", family_id="f", user_id=owner.id, expires_at=SOON),
        WorkspaceSession(token_hash="0" * 64, workspace_id=workspace.id, expires_at=SOON),
        SymbolCorrection(workspace_id=workspace.id, original="A", replacement="B"),
        AnalysisRow(workspace_id=workspace.id, job_id=job.id, position=0, stock_name="A", data={}),
    )
    with database.begin() as session:
        session.execute(delete(User))
    with database.read() as session:
        left = {
            table.name for table in Base.metadata.sorted_tables if session.execute(select(table)).first()
        }
    assert left == set()


@pytest.mark.parametrize("code", ["M&M", "J&KBANK", "BAJAJ-AUTO", "20MICRONS", "A_B", "X" * 30])
def test_symbols_of_the_exchange_are_accepted(database: Database, code: str) -> None:
    add(database, Stock(stock_name="A", nse_code=code))
    with pytest.raises(IntegrityError):
        add(database, Stock(stock_name="B", nse_code=code))


@pytest.mark.parametrize("code", ["", "m&m", "A B", "A^", "A.NS", "X" * 31, "É"])
def test_other_symbols_are_refused(database: Database, code: str) -> None:
    with pytest.raises(IntegrityError):
        add(database, Stock(stock_name="A", nse_code=code))


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("momentum_score", 0, 100),
        ("durability_score", 0, 100),
        ("valuation_score", 0, 100),
        ("rel_strength_score", 0, 99),
        ("piotroski_score", 0, 9),
        ("data_quality_score", 0, 100),
    ],
)
def test_scores_stay_in_their_range(database: Database, column: str, low: int, high: int) -> None:
    add(database, *(Stock(stock_name="A", **{column: score}) for score in (low, high, None)))
    for score in (low - 1, high + 1):
        with pytest.raises(IntegrityError):
            add(database, Stock(stock_name="A", **{column: score}))


def test_facts_of_a_stock_are_loaded_when_asked_for_and_stamped_by_the_database(database: Database) -> None:
    add(database, Stock(id=1, stock_name="A"))
    old = datetime(2020, 1, 1, tzinfo=UTC)
    add(database, StockMetadata(stock_id=1, week_52_high=10, updated_at=old))
    with database.begin() as session:
        session.execute(text("UPDATE stock_metadata SET week_52_low = 5"))
    with database.read() as session:
        facts = session.scalars(select(Stock).options(joinedload(Stock.stock_metadata))).one().stock_metadata
        assert facts is not None
        assert (facts.week_52_high, facts.week_52_low) == (10.0, 5.0)
        assert abs(datetime.now(UTC) - facts.updated_at) < timedelta(minutes=5)
    with database.read() as session, pytest.raises(InvalidRequestError, match="raise_on_sql"):
        assert session.scalars(select(Stock)).one().stock_metadata


def test_each_field_of_a_stock_has_one_origin(database: Database) -> None:
    add(database, Stock(id=1, stock_name="A"))
    add(database, StockFieldProvenance(stock_id=1, field="pe_ttm", source="Yahoo", obtained_at=SOON))
    with pytest.raises(IntegrityError):
        add(database, StockFieldProvenance(stock_id=1, field="pe_ttm", source="NSE", obtained_at=SOON))


def test_the_screener_view_lists_well_known_stocks_by_size(database: Database) -> None:
    with database.begin() as session:
        session.execute(
            insert(Stock),
            [
                {"stock_name": name, "market_cap": cap, "data_quality_score": quality}
                for name, cap, quality in [("a", None, 50), ("b", 1, 90), ("c", 2, 80), ("d", 9, 49), ("e", 9, None)]
            ],
        )
    with database.read() as session:
        assert session.scalars(text("SELECT name FROM screener_view")).all() == ["c", "b", "a"]


def test_email_addresses_are_lower_case_and_unique(database: Database, owner: User) -> None:
    for email in (owner.email, owner.email.upper()):
        with pytest.raises(IntegrityError):
            add(database, User(email=email, name="B", password_hash="x"))
