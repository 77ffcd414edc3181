"""How large the measurements are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.market import Market


@dataclass(frozen=True, slots=True)
class Plan:
    """`stocks`: of the long runs. `data`: a folder with the exchange's EQUITY_L.csv and nse_sectors.csv."""

    stocks: int
    is_quick: bool = False
    data: Path | None = None

    def market(self, count: int | None = None) -> Market:
        """So many companies, of the folder when there is one."""
        wanted = count or self.stocks
        return Market.from_folder(self.data, count=wanted) if self.data else Market.generated(wanted)
