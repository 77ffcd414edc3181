"""Every table of the application as a typed SQLAlchemy class."""

from klyx.database.models.base import Base
from klyx.database.models.chat import ChatMessage, ChatThread, ChatToolCall, ChatUsage
from klyx.database.models.data_versions import DataVersion
from klyx.database.models.debts import DebtScenario
from klyx.database.models.jobs import AnalysisRow, Job, JobEvent, JobState
from klyx.database.models.market_data import DataRefreshLog, ItemState, PriceBar, RefreshItem
from klyx.database.models.portfolio import PortfolioEntry, UserAnalysis
from klyx.database.models.screeners import ScreenRun, UserScreener
from klyx.database.models.stock_facts import (
    FundamentalsCache,
    StockFieldProvenance,
    StockMetadata,
)
from klyx.database.models.stocks import Stock
from klyx.database.models.users import RefreshToken, RevokedToken, User
from klyx.database.models.workspaces import (
    SymbolCorrection,
    Upload,
    UploadState,
    Workspace,
    WorkspaceSession,
)

__all__ = [
    "AnalysisRow",
    "Base",
    "ChatMessage",
    "ChatThread",
    "ChatToolCall",
    "ChatUsage",
    "DataRefreshLog",
    "DataVersion",
    "DebtScenario",
    "FundamentalsCache",
    "ItemState",
    "Job",
    "JobEvent",
    "JobState",
    "PortfolioEntry",
    "PriceBar",
    "RefreshItem",
    "RefreshToken",
    "RevokedToken",
    "ScreenRun",
    "Stock",
    "StockFieldProvenance",
    "StockMetadata",
    "SymbolCorrection",
    "Upload",
    "UploadState",
    "User",
    "UserAnalysis",
    "UserScreener",
    "Workspace",
    "WorkspaceSession",
]
