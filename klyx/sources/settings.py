"""What the sources are told: which are on, how often, how long and how much each may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Sources refuse the libraries' own names; this one says what we read like, and an operator can replace it.
DEFAULT_USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """How the outside is asked.

    `enabled` holds slugs, None means every source. `limits` maps a slug to limits such as `2 per second;
    60 per minute`, all of which hold; a source without one is not paced. `base_url_rewrites` maps a host to
    the base URL that answers in its place.
    """

    enabled: frozenset[str] | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    alpha_vantage_api_key: str = field(default="", repr=False)
    sector_list_url: str = ""
    parallelism: int = 4
    connect_timeout_seconds: float = 3.0
    read_timeout_seconds: float = 6.0
    request_timeout_seconds: float = 12.0
    max_attempts: int = 2
    backoff_seconds: float = 0.3
    max_response_bytes: int = 5 * 1024 * 1024
    circuit_failures: int = 3
    circuit_open_seconds: float = 60.0
    rate_limit_pause_seconds: float = 60.0
    proxy_url: str = field(default="", repr=False)
    user_agent: str = DEFAULT_USER_AGENT
    base_url_rewrites: Mapping[str, str] = field(default_factory=dict)
    cache_folder: Path | None = None
