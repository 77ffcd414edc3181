"""Which stocks a run takes: a page of all of them, or the largest of those that are due."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock
from klyx.services.market_runs.kinds import Chosen, Selection
from klyx.services.stocks.expressions import by_market_cap


def choose(session: Session, selection: Selection, is_due: ColumnElement[bool]) -> Sequence[Chosen]:
    """Stocks with a symbol that are due, the largest first; with `everything` also those that are not.

    Without an offset the limit counts stocks that are due, so that the same small run, started again and again,
    goes through the whole list. With one, offset and limit count all stocks, due or not: the pages of a caller
    who goes through the list stay the same while the earlier ones are fetched.
    """
    listed = select(Stock.id, Stock.nse_code).where(Stock.nse_code.is_not(None)).order_by(*by_market_cap(Stock))
    statement = listed.limit(selection.limit)
    if selection.offset:
        page = statement.offset(selection.offset).subquery()
        statement = listed.where(Stock.id.in_(select(page.c.id)))
    if not selection.everything:
        statement = statement.where(is_due)
    return [Chosen(stock_id, str(nse_code)) for stock_id, nse_code in session.execute(statement)]
