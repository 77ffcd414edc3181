"""Settings of the market-data sources."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import fields, validate

from klyx.config_fields import Boolean, CommaSeparated, RateLimit, setting

SOURCES = ("nse", "yahoo", "moneycontrol", "alpha_vantage", "google_news")
NO_SOURCE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Which sources are asked, where, how often and how patiently. Part of `klyx.config.Settings`."""

    sources_enabled: tuple[str, ...] = setting(
        "SOURCES_ENABLED",
        CommaSeparated(fields.String(validate=validate.OneOf([*SOURCES, NO_SOURCE]))),
        default=SOURCES,
        doc="Market-data sources that are asked; `none` asks nobody",
    )
    yahoo_enabled: bool = setting(
        "YAHOO_ENABLED", Boolean(), default=True, doc="`false` takes Yahoo Finance out of SOURCES_ENABLED"
    )
    source_limit_nse: str = setting(
        "SOURCE_LIMIT_NSE",
        RateLimit(),
        default="3 per second",
        doc="Requests to the exchange, of all processes together; several limits (`3 per second; 90 per minute`) all "
        "hold, and a longer one (`15 per 5 second`) allows a burst",
    )
    source_limit_yahoo: str = setting(
        "SOURCE_LIMIT_YAHOO", RateLimit(), default="2 per second", doc="Requests to Yahoo Finance, likewise"
    )
    source_limit_moneycontrol: str = setting(
        "SOURCE_LIMIT_MONEYCONTROL", RateLimit(), default="2 per second", doc="Requests to MoneyControl, likewise"
    )
    source_limit_alpha_vantage: str = setting(
        "SOURCE_LIMIT_ALPHA_VANTAGE",
        RateLimit(),
        default="5 per minute; 25 per day",
        doc="Requests to Alpha Vantage, likewise; a free key allows so many",
    )
    source_limit_google_news: str = setting(
        "SOURCE_LIMIT_GOOGLE_NEWS", RateLimit(), default="1 per second", doc="Requests to Google News, likewise"
    )
    source_connect_timeout_seconds: float = setting(
        "SOURCE_CONNECT_TIMEOUT_SECONDS",
        fields.Float(validate=validate.Range(0.1, 60)),
        default=3.0,
        doc="Longest wait for a connection to a source",
    )
    source_read_timeout_seconds: float = setting(
        "SOURCE_READ_TIMEOUT_SECONDS",
        fields.Float(validate=validate.Range(0.1, 120)),
        default=6.0,
        doc="Longest silence of a source in the middle of an answer",
    )
    source_request_timeout_seconds: float = setting(
        "SOURCE_REQUEST_TIMEOUT_SECONDS",
        fields.Float(validate=validate.Range(0.1, 300)),
        default=12.0,
        doc="Longest time one answer of a source may take in all",
    )
    source_rate_limit_pause_seconds: float = setting(
        "SOURCE_RATE_LIMIT_PAUSE_SECONDS",
        fields.Float(validate=validate.Range(1, 3600)),
        default=60.0,
        doc="How long a source that says 429 is left alone when it does not say how long",
    )
    source_max_response_bytes: int = setting(
        "SOURCE_MAX_RESPONSE_BYTES",
        fields.Integer(validate=validate.Range(64 * 1024, 100 * 1024 * 1024)),
        default=5 * 1024 * 1024,
        doc="Largest answer of a source that is read, unpacked",
    )
    source_proxy_url: str = setting(
        "SOURCE_PROXY_URL",
        fields.String(validate=validate.Regexp(r"^https?://\S+$", error="must start with http:// or https://")),
        default="",
        secret=True,
        doc="Proxy for requests to sources; the surroundings' own proxy settings are not used",
    )
    source_rewrites: tuple[str, ...] = setting(
        "SOURCE_REWRITES",
        CommaSeparated(fields.String(validate=validate.Regexp(r"^[^=\s]+=https?://\S+$", error="must be host=URL"))),
        default=(),
        doc="`host=URL` pairs that send a source's requests to a mirror; refused in production unless the URL is https",
    )
    sector_list_url: str = setting(
        "SECTOR_LIST_URL",
        fields.String(validate=validate.Regexp(r"^https://[^/\s:@]+/\S*$", error="must be an https:// URL")),
        default="",
        doc="CSV with the columns `symbol`, `sector`, `industry` and `website`, believed before the exchange's own "
        "index lists, which know 750 companies",
    )
    alpha_vantage_api_key: str = setting(
        "ALPHA_VANTAGE_API_KEY",
        fields.String(validate=validate.Regexp(r"^\w{4,64}$", error="must be letters and digits")),
        default="",
        secret=True,
        doc="Key of Alpha Vantage; without one it is not asked",
    )

    @property
    def sources_asked(self) -> frozenset[str]:
        """Slugs of the sources that are switched on."""
        off = {NO_SOURCE} if self.yahoo_enabled else {NO_SOURCE, "yahoo"}
        return frozenset(self.sources_enabled) - off
