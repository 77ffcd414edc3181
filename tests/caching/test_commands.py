from __future__ import annotations

from sqlalchemy import update

from klyx.database.models import Stock
from tests.api import Api
from tests.stock_rows import add_stock


def test_a_change_by_hand_shows_after_forget(api: Api) -> None:
    with api.runtime.database.begin() as session:
        add_stock(session, "Infosys Ltd.", "INFY", current_price=1.0)

    def price() -> float:
        return float(api.get("/api/stock/INFY").json()["data"]["current_price"])

    assert price() == 1.0
    with api.runtime.database.engine.begin() as connection:
        connection.execute(update(Stock).values(current_price=2.0))
    assert price() == 1.0
    result = api.app.test_cli_runner().invoke(args=["cache", "forget"])
    assert result.exit_code == 0, result.output
    assert price() == 2.0
