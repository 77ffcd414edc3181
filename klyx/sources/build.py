"""Which source is switched on."""

from klyx.sources.base import MarketDataSource
from klyx.sources.http import SourceSettings
from klyx.sources.yahoo import YahooSource


def build_source(settings: SourceSettings) -> MarketDataSource | None:
    """The market-data source, or None when it is switched off. A process builds one and keeps it."""
    return YahooSource(settings) if settings.yahoo_enabled else None
