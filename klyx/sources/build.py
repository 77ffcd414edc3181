"""Which sources there are, in the order in which they are believed, and which of them are switched on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import TypeVar, cast

from redis import Redis

from klyx.config import Settings
from klyx.sources.base import MarketDataSource, Source
from klyx.sources.context import SourceContext
from klyx.sources.memo import Memo
from klyx.sources.settings import SourceSettings

Capability = TypeVar("Capability")


Factory = Callable[[SourceContext], Source | None]

# One line a source, in priority order: its slug, and what makes it. That is imported when the source is switched on,
# called once per process with what the sources share, connects to nothing, and answers None when the source cannot be
# used as it is configured.
FACTORIES: Mapping[str, str] = {
    "nse": "klyx.sources.nse:NseSource",
    "yahoo": "klyx.sources.yahoo:YahooSource",
    "moneycontrol": "klyx.sources.moneycontrol:MoneyControlSource",
    "alpha_vantage": "klyx.sources.alpha_vantage:alpha_vantage",
    "google_news": "klyx.sources.google_news:GoogleNewsSource",
}


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
    made = [factory(context) for factory in factories(settings.enabled)]
    return Sources(tuple(source for source in made if source is not None))


def factories(enabled: Collection[str] | None = None) -> list[Factory]:
    """What makes the sources with these slugs, or all, in priority order. Imports their modules."""
    return [_imported(place) for slug, place in FACTORIES.items() if enabled is None or slug in enabled]


def _imported(place: str) -> Factory:
    module, _, name = place.partition(":")
    return cast("Factory", getattr(import_module(module), name))


def source_settings(settings: Settings) -> SourceSettings:
    return SourceSettings(
        enabled=settings.sources_asked,
        limits={
            "nse": settings.source_limit_nse,
            "yahoo": settings.source_limit_yahoo,
            "moneycontrol": settings.source_limit_moneycontrol,
            "alpha_vantage": settings.source_limit_alpha_vantage,
            "google_news": settings.source_limit_google_news,
        },
        alpha_vantage_api_key=settings.alpha_vantage_api_key,
        sector_list_url=settings.sector_list_url,
        parallelism=settings.enrichment_parallelism,
        connect_timeout_seconds=settings.source_connect_timeout_seconds,
        read_timeout_seconds=settings.source_read_timeout_seconds,
        request_timeout_seconds=settings.source_request_timeout_seconds,
        rate_limit_pause_seconds=settings.source_rate_limit_pause_seconds,
        max_response_bytes=settings.source_max_response_bytes,
        proxy_url=settings.source_proxy_url,
        base_url_rewrites=dict(rewrite.split("=", 1) for rewrite in settings.source_rewrites),
        cache_folder=settings.instance_folder / "yahoo",
    )
