"""Which holdings are stocks we know, what an unknown one may mean, and a person's corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import Stock, SymbolCorrection
from klyx.errors import Invalid
from klyx.services import portfolio, stocks
from klyx.services.analysis.text import comparison_key
from klyx.services.holdings import COLUMNS, Holding, corrections_of, holdings_to_analyse, uploads_to_analyse
from klyx.services.stocks import StockReference, loose_key
from klyx.services.workspace_lock import lock_workspace
from klyx.sources.base import Deadline

MOST_CANDIDATES = 5
LEAST_SIMILARITY = 60.0
# Ranking takes some milliseconds a symbol; nobody picks from hundreds of lists, and the answer must not wait.
MOST_RANKED = 200
RANKING_SECONDS = 3.0
MOST_CORRECTIONS = 5_000
CODES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stock that an unknown symbol may mean. `sc_id` is its code at the data vendor, when known."""

    stock_name: str
    sc_id: str | None
    nse_code: str | None


@dataclass(frozen=True, slots=True)
class UnknownSymbol:
    """A symbol or name as written, and the stocks most like it, the most similar first."""

    symbol: str
    candidates: list[Candidate]


@dataclass(frozen=True, slots=True)
class Verification:
    """Distinct symbols as written, in the order of the workbooks."""

    valid: list[str]
    invalid: list[UnknownSymbol]


def match(session: Session, holdings: Sequence[Holding]) -> list[StockReference | None]:
    """The stock of each holding: by its NSE code, else its name, else its symbol; None when none of them is known."""
    written = {text for holding in holdings for key in COLUMNS if (text := holding.get(key))}
    found = stocks.resolve_names(session, sorted(written))
    return [next((found[text] for text in _terms(holding) if text in found), None) for holding in holdings]


def _terms(holding: Holding) -> list[str]:
    return [text for key in COLUMNS if (text := holding.get(key))]


def listed_codes(session: Session, codes: Sequence[str]) -> list[str]:
    """Those of the NSE codes that belong to stocks we know, each once: only these are worth asking a source about."""
    wanted = list(dict.fromkeys(code for code in codes if code))
    known: set[str | None] = set()
    for start in range(0, len(wanted), CODES_AT_ONCE):
        part = wanted[start : start + CODES_AT_ONCE]
        known.update(session.scalars(select(Stock.nse_code).where(Stock.nse_code.in_(part))))
    return [code for code in wanted if code in known]


def add_to_portfolio(session: Session, user_id: str | None, holdings: Sequence[Holding]) -> int:
    """Puts the holdings that are known stocks into the user's portfolio, under the stocks' own names.

    Returns how many were new; does nothing without a user. The caller holds the workspace's lock.
    """
    if user_id is None or not holdings:
        return 0
    names = [reference.stock_name for reference in match(session, holdings) if reference is not None]
    return portfolio.add_many(session, user_id, list(dict.fromkeys(names)))


def verify(database: Database, workspace_id: str) -> Verification | None:
    """Which symbols of the uploaded workbooks are known, after corrections. None when nothing is uploaded.

    Candidates are ranked for the first MOST_RANKED unknown symbols and within RANKING_SECONDS; the
    others have none, and a person types the symbol in.
    """
    with database.read() as session:
        if not uploads_to_analyse(session, workspace_id):
            return None
        terms = _symbols(holdings_to_analyse(session, workspace_id))
        found = stocks.resolve_names(session, terms)
        unknown = [term for term in terms if term not in found]
        known = stocks.known_names(session) if unknown else []
        codes = _vendor_codes(session) if unknown else {}
    ranked = rank(unknown, known)
    candidates = {
        term: [Candidate(stock.stock_name, codes.get(stock.id), stock.nse_code) for stock in similar]
        for term, similar in ranked.items()
    }
    return Verification(
        [term for term in terms if term in found], [UnknownSymbol(term, candidates.get(term, [])) for term in unknown]
    )


def _symbols(holdings: Iterable[Holding]) -> list[str]:
    """What stands for each holding: its NSE code, else its name, else its symbol; spellings count once."""
    firsts = (terms[0] for holding in holdings if (terms := _terms(holding)))
    distinct: dict[str, str] = {}
    for term in firsts:
        distinct.setdefault(comparison_key(term), term)
    return list(distinct.values())


def _vendor_codes(session: Session) -> dict[int, str]:
    rows = session.execute(select(Stock.id, Stock.stock_code).where(Stock.stock_code.is_not(None)))
    return {stock_id: code for stock_id, code in rows if code}


def rank(unknown: Sequence[str], known: Sequence[StockReference]) -> dict[str, list[StockReference]]:
    """For each unknown text the known stocks whose name or symbol is most like it, best first."""
    # Here, as web processes that rank nothing need not hold it.
    from rapidfuzz import fuzz, process

    names = [loose_key(stock.stock_name) for stock in known]
    codes = [stock.nse_code.casefold() if stock.nse_code else None for stock in known]
    deadline = Deadline(RANKING_SECONDS)
    ranked: dict[str, list[StockReference]] = {}
    for term in unknown[:MOST_RANKED]:
        if deadline.expired:
            break
        key = loose_key(term)
        scores: dict[int, float] = {}
        for choices, scorer in ((names, fuzz.WRatio), (codes, fuzz.ratio)):
            # An empty key is not like anything, but scorers call two empty texts equal.
            hits = process.extract(
                key or None, choices, scorer=scorer, limit=MOST_CANDIDATES, score_cutoff=LEAST_SIMILARITY
            )
            for _, score, index in hits:
                scores[index] = max(score, scores.get(index, 0.0))
        # Of equals the larger company comes first: that is the order of `known`.
        best = sorted(scores, key=lambda index: (-scores[index], index))
        ranked[term] = [known[index] for index in best[:MOST_CANDIDATES]]
    return ranked


def combine(earlier: Mapping[str, str], later: Mapping[str, str]) -> dict[str, str]:
    """Earlier and later corrections as one; a later one also changes what an earlier one put in place.

    Letter case and spacing of what is written do not count.
    """
    chosen = {comparison_key(original): replacement for original, replacement in later.items()}
    combined = {
        comparison_key(original): (original, chosen.get(comparison_key(replacement), replacement))
        for original, replacement in earlier.items()
    }
    for original, replacement in later.items():
        key = comparison_key(original)
        combined[key] = (combined[key][0] if key in combined else original, replacement)
    return dict(combined.values())


def submit_corrections(session: Session, workspace_id: str, corrections: Mapping[str, str]) -> int:
    """Remembers what this workspace reads instead of what is written; corrected stocks go into the portfolio.

    Returns how many did. Raises Invalid for too many.
    """
    workspace = lock_workspace(session, workspace_id)
    remembered = combine(corrections_of(session, workspace_id), corrections)
    if len(remembered) > MOST_CORRECTIONS:
        raise Invalid(f"At most {MOST_CORRECTIONS} corrections are kept. Clear the uploaded files and start again.")
    session.execute(delete(SymbolCorrection).where(SymbolCorrection.workspace_id == workspace_id))
    session.add_all(
        SymbolCorrection(workspace_id=workspace_id, original=original, replacement=replacement)
        for original, replacement in remembered.items()
    )
    session.flush()
    if not any(not upload.is_sample for upload in uploads_to_analyse(session, workspace_id)):
        return 0
    return add_to_portfolio(session, workspace.user_id, holdings_to_analyse(session, workspace_id))
