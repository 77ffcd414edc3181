"""Starting the analysis of a workspace: what it will be about, and the job that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from klyx.errors import Invalid
from klyx.services import jobs, portfolio, refusals, symbols
from klyx.services.analysis.text import comparison_key
from klyx.services.holdings import count_stocks, holdings_to_analyse, uploads_to_analyse
from klyx.services.refusals import Refusal
from klyx.services.workspace_lock import lock_workspace

KIND = "process"
NOTHING_TO_ANALYSE = (
    "There is nothing to analyse yet. Upload a workbook (.xlsx, .xls or .csv) with a Stock Name column, "
    "or sign in and add stocks to your portfolio."
)
NO_WORKSPACE = (
    "We cannot tell which files are yours: this request came without a sign-in and without our cookie. "
    "Upload a workbook first, from the same browser and with cookies allowed, or sign in."
)


@dataclass(frozen=True, slots=True)
class Started:
    """The analysis that runs now, in one of the public states, and how many stocks it is about.

    `is_new` is False when it had been started before.
    """

    job_id: str
    state: str
    stocks: int
    is_new: bool
    refused: Sequence[Refusal]

    @property
    def message(self) -> str:
        """For people, with the reasons of refused files."""
        stocks = "1 stock" if self.stocks == 1 else f"{self.stocks} stocks"
        begun = f"Analysis started for {stocks}" if self.is_new else f"An analysis of {stocks} is running already"
        refused = refusals.describe(self.refused)
        return f"{begun}. {refused}" if refused else begun


def start(session: Session, workspace_id: str, *, use_multi_source: bool, max_attempts: int) -> Started:
    """The workspace's analysis, made unless one is queued or running; enqueue a new one after the commit.

    It is about the uploaded workbooks, else the user's portfolio. The portfolio gets the known stocks of
    the workbooks here already, so that it shows them at once. Raises Invalid when there is nothing to analyse.
    """
    workspace = lock_workspace(session, workspace_id)
    refused = refusals.of_workspace(session, workspace_id)
    uploads = uploads_to_analyse(session, workspace_id)
    holdings = holdings_to_analyse(session, workspace_id) if uploads else []
    stocks = count_stocks(holdings) if uploads else _count_portfolio(session, workspace.user_id)
    if not stocks:
        raise Invalid(" ".join(filter(None, [refusals.describe(refused), NOTHING_TO_ANALYSE])))
    job, is_new = jobs.create(
        session,
        kind=KIND,
        workspace_id=workspace_id,
        user_id=workspace.user_id,
        arguments={"stocks": stocks, "use_multi_source": use_multi_source},
        max_attempts=max_attempts,
    )
    if is_new and uploads and not uploads[0].is_sample:
        symbols.add_to_portfolio(session, workspace.user_id, holdings)
    return Started(job.id, jobs.public_state(job.state), int(job.arguments["stocks"]), is_new, refused)


def _count_portfolio(session: Session, user_id: str | None) -> int:
    names = portfolio.stock_names(session, user_id) if user_id else []
    return len({comparison_key(name) for name in names})
