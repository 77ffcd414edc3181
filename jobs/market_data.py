"""The market-data source of a worker process."""

from __future__ import annotations

import functools

from klyx.config import Settings
from klyx.sources.base import MarketDataSource
from klyx.sources.build import build_source
from klyx.sources.http import SourceSettings


@functools.lru_cache(maxsize=1)
def source_of(settings: Settings) -> MarketDataSource | None:
    """The source that the settings switch on, or None. One for the process: it remembers when not to ask."""
    return build_source(
        SourceSettings(
            yahoo_enabled=settings.yahoo_enabled,
            parallelism=settings.enrichment_parallelism,
            base_url_rewrites=dict(rewrite.split("=", 1) for rewrite in settings.source_rewrites),
            cache_folder=settings.instance_folder / "yahoo",
        )
    )
