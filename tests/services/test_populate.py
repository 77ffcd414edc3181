from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import func, insert, select

from klyx.bundled import read_starter_list
from klyx.database import Database
from klyx.database.models import PortfolioEntry, Stock, StockFieldProvenance, StockMetadata, User
from klyx.database.starter import load_starter_list
from klyx.database.versions import STOCKS, read_version
from klyx.services import portfolio
from klyx.services.populate import Plan, apply, plan
from klyx.services.stock_list import Given, ListedStock, Value

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


def listed(symbol: str, name: str, isin: str | None = None, **others: Value) -> ListedStock:
    values: dict[str, Value | None] = {"stock_name": name, "isin": isin, **others}
    return ListedStock(symbol, {key: Given(value, "NSE") for key, value in values.items() if value})


def take_up(database: Database, *stocks: ListedStock) -> Plan:
    with database.begin(STOCKS) as session:
        found = plan(session, stocks, NOW)
        apply(session, found, NOW)
    return found


def read(database: Database, symbol: str) -> Stock:
    with database.read() as session:
        return session.scalars(select(Stock).where(Stock.nse_code == symbol)).one()


def source_of(database: Database, stock: Stock, field: str) -> str | None:
    with database.read() as session:
        return session.scalar(
            select(StockFieldProvenance.source).where(
                StockFieldProvenance.stock_id == stock.id, StockFieldProvenance.field == field
            )
        )


def add_user(database: Database, *holdings: str) -> str:
    with database.begin() as session:
        number = session.scalar(select(func.count()).select_from(User)) or 0
        user = User(email=f"user-{number}@example.org", name="Asha", password_hash="-")
        session.add(user)
        session.flush()
        for name in holdings:
            portfolio.add(session, user.id, name)
        return user.id


def holdings(database: Database, user_id: str) -> list[str]:
    with database.read() as session:
        return portfolio.stock_names(session, user_id)


INFY = listed(
    "INFY",
    "Infosys Limited",
    "INE009A01021",
    sector_name="Information Technology",
    industry_name="IT Services",
    listing_date=date(1995, 2, 8),
    website="https://www.infosys.com",
)


def test_what_is_missing_is_inserted_with_its_origin(database: Database) -> None:
    found = take_up(database, INFY, listed("M&M", "Mahindra & Mahindra Limited"))
    assert (len(found.new), found.changed) == (2, 0)
    stock = read(database, "INFY")
    assert (stock.stock_name, stock.isin) == ("Infosys Limited", "INE009A01021")
    assert (stock.sector_name, stock.industry_name) == ("Information Technology", "IT Services")
    assert (stock.data_quality_score, stock.last_updated, stock.current_price) == (0, None, None)
    assert source_of(database, stock, "sector_name") == "NSE"
    with database.read() as session:
        facts = session.scalars(select(StockMetadata)).one()
    assert (facts.stock_id, facts.listing_date, facts.website) == (stock.id, date(1995, 2, 8), "https://www.infosys.com")
    assert read(database, "M&M").sector_name is None


def test_a_second_time_nothing_changes(database: Database) -> None:
    take_up(database, INFY)
    with database.read() as session:
        version = read_version(session, STOCKS)
    found = take_up(database, INFY)
    assert (found.new, found.changed) == ([], 0)
    with database.read() as session:
        assert read_version(session, STOCKS) == version
        assert session.scalar(select(func.count()).select_from(Stock)) == 1


def test_known_names_and_sectors_never_give_way_to_nothing(database: Database) -> None:
    take_up(database, INFY)
    found = take_up(database, listed("INFY", "Infosys Limited"))
    assert found.changed == 0
    stock = read(database, "INFY")
    assert (stock.sector_name, stock.isin) == ("Information Technology", "INE009A01021")


def test_a_name_that_people_hold_stays_and_one_that_is_a_symbol_goes(database: Database) -> None:
    with database.begin() as session:
        session.execute(
            insert(Stock),
            [{"stock_name": "Infosys", "nse_code": "INFY"}, {"stock_name": "TCS", "nse_code": "TCS"}],
        )
    take_up(database, INFY, listed("TCS", "Tata Consultancy Services Limited"))
    assert read(database, "INFY").stock_name == "Infosys"
    assert read(database, "INFY").isin == "INE009A01021"
    assert read(database, "TCS").stock_name == "Tata Consultancy Services Limited"


def test_a_new_name_of_the_exchange_reaches_portfolios(database: Database) -> None:
    take_up(database, listed("LTIM", "LTIMindtree Limited"))
    user = add_user(database, "Infosys", "LTIMindtree Limited", "ITC")
    take_up(database, listed("LTIM", "LTM Limited"))
    assert read(database, "LTIM").stock_name == "LTM Limited"
    assert holdings(database, user) == ["Infosys", "LTM Limited", "ITC"]


def test_a_renamed_symbol_keeps_its_row_and_its_holders(database: Database) -> None:
    with database.begin() as session:
        values = {"stock_name": "Zomato Ltd.", "nse_code": "ZOMATO", "isin": "INE758T01015", "current_price": 250.0}
        session.execute(insert(Stock).values(values))
    before = read(database, "ZOMATO")
    by_name, by_symbol = add_user(database, "Zomato Ltd."), add_user(database, "ZOMATO")
    by_both = add_user(database, "Eternal Limited", "Zomato Ltd.")
    found = take_up(database, listed("ETERNAL", "Eternal Limited", "INE758T01015"))
    assert (found.new, found.changed) == ([], 1)
    after = read(database, "ETERNAL")
    assert (after.id, after.stock_name, after.current_price) == (before.id, "Eternal Limited", 250.0)
    assert holdings(database, by_name) == ["Eternal Limited"]
    assert holdings(database, by_symbol) == ["ETERNAL"]
    assert holdings(database, by_both) == ["Eternal Limited"]
    again = take_up(database, listed("ETERNAL", "Eternal Limited", "INE758T01015"))
    assert again.changed == 0


def test_a_stock_whose_symbol_is_still_listed_was_not_renamed(database: Database) -> None:
    take_up(database, listed("OLD", "Old Limited", "INE000A01011"))
    found = take_up(database, listed("OLD", "Old Limited"), listed("NEW", "New Limited", "INE000A01011"))
    assert [stock.symbol for stock in found.new] == ["NEW"]
    assert read(database, "OLD").stock_name == "Old Limited"


def test_the_starter_list_keeps_its_names_and_figures(database: Database) -> None:
    with database.begin() as session:
        load_starter_list(session, read_starter_list())
    starter = read(database, "ADANIENT")
    official = listed("ADANIENT", "Adani Enterprises Limited", "INE423A01024", sector_name="Metals & Mining")
    take_up(database, official)
    stock = read(database, "ADANIENT")
    assert (stock.stock_name, stock.current_price) == (starter.stock_name, starter.current_price)
    assert stock.sector_name == "Metals & Mining"


def test_a_whole_exchange_is_taken_up(database: Database) -> None:
    count, others = 2500, {"sector_name": "Steel", "website": "https://example.org"}
    stocks = [listed(f"S{n}", f"Company {n} Limited", **others) for n in range(count)]
    assert len(take_up(database, *stocks).new) == count
    assert take_up(database, *stocks).changed == 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StockMetadata)) == count
        assert session.scalar(select(func.count()).select_from(PortfolioEntry)) == 0
