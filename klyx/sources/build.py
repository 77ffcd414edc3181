"""Which sources there are, in the order in which they are believed, and which of them are switched on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from redis import Redis

from klyx.config import Settings
from klyx.sources.base import MarketDataSource, Source
from klyx.sources.context import SourceContext
from klyx.sources.memo import Memo
from klyx.sources.settings import SourceSettings
from klyx.sources.yahoo import YahooSource

Capability = TypeVar("Capability")


def _yahoo(context: SourceContext) -> Source:
    return YahooSource(context.settings)


def _moneycontrol(context: SourceContext) -> Source:
    from klyx.sources.moneycontrol import MoneyControlSource

    return MoneyControlSource(context)


# One line a source, in priority order. Each is called once per process with what the sources share; it
# connects to nothing, and answers None when the source cannot be used as it is configured.
FACTORIES: tuple[Callable[[SourceContext], Source | None], ...] = (_yahoo, _moneycontrol)


class Sources:
    """The sources that are switched on, in priority order."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self.all = sources
        self.quotes = self.giving(MarketDataSource)  # type: ignore[type-abstract]

    def giving(self, protocol: type[Capability]) -> tuple[Capability, ...]:
        """Those that implement a protocol of `klyx.sources.base`."""
        return tuple(source for source in self.all if isinstance(source, protocol))

    def named(self, slug: str) -> Source | None:
        return next((source for source in self.all if source.slug == slug), None)


def build_sources(settings: SourceSettings, redis: Redis | None = None, memo: Memo | None = None) -> Sources:
    """Every source that is switched on. A process builds them once: they share limits, circuits and cookies."""
    context = SourceContext(settings, redis, memo)
    made = [factory(context) for factory in FACTORIES]
    enabled = settings.enabled
    return Sources(
        tuple(source for source in made if source is not None and (enabled is None or source.slug in enabled))
    )


def source_settings(settings: Settings) -> SourceSettings:
    return SourceSettings(
        parallelism=settings.enrichment_parallelism,
        base_url_rewrites=dict(rewrite.split("=", 1) for rewrite in settings.source_rewrites),
        cache_folder=settings.instance_folder / "yahoo",
    )


def build_source(settings: SourceSettings) -> MarketDataSource | None:
    """The market-data source, or None when it is switched off. A process builds one and keeps it."""
    return YahooSource(settings) if settings.yahoo_enabled else None
