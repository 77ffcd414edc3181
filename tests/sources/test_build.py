"""Which sources there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from klyx.config import ConfigurationError, load_settings
from klyx.sources.base import HistorySource, ListingSource, NewsSource, SectorSource, StatementSource
from klyx.sources.build import build_sources, source_settings
from klyx.sources.settings import SourceSettings


def slugs(folder: Path, **environ: str) -> list[str]:
    settings = load_settings({"INSTANCE_FOLDER": str(folder), **environ})
    return [source.slug for source in build_sources(source_settings(settings)).all]


def test_every_source_in_the_order_in_which_they_are_believed(tmp_path: Path) -> None:
    everyone = ["nse", "yahoo", "moneycontrol", "alpha_vantage", "google_news"]
    assert slugs(tmp_path, ALPHA_VANTAGE_API_KEY="demo") == everyone
    assert slugs(tmp_path) == [slug for slug in everyone if slug != "alpha_vantage"]


def test_sources_are_switched_off(tmp_path: Path) -> None:
    assert slugs(tmp_path, SOURCES_ENABLED="google_news, nse") == ["nse", "google_news"]
    assert slugs(tmp_path, SOURCES_ENABLED="none") == []
    assert slugs(tmp_path, SOURCES_ENABLED="nse,yahoo", YAHOO_ENABLED="false") == ["nse"]


def test_a_source_is_found_by_what_it_can_and_by_its_slug(tmp_path: Path) -> None:
    sources = build_sources(SourceSettings(alpha_vantage_api_key="demo", cache_folder=tmp_path))
    assert [source.slug for source in sources.quotes] == ["nse", "yahoo", "moneycontrol", "alpha_vantage"]
    assert [source.slug for source in sources.giving(ListingSource)] == ["nse"]  # type: ignore[type-abstract]
    assert [source.slug for source in sources.giving(SectorSource)] == ["nse"]  # type: ignore[type-abstract]
    assert [source.slug for source in sources.giving(NewsSource)] == ["google_news"]  # type: ignore[type-abstract]
    assert "moneycontrol" in [source.slug for source in sources.giving(StatementSource)]  # type: ignore[type-abstract]
    assert all(source.slug == "yahoo" for source in sources.giving(HistorySource))  # type: ignore[type-abstract]
    assert sources.named("nse") is sources.all[0]
    assert sources.named("nobody") is None


def test_settings_reach_the_sources(tmp_path: Path) -> None:
    settings = source_settings(
        load_settings(
            {
                "INSTANCE_FOLDER": str(tmp_path),
                "SOURCE_LIMIT_NSE": "7 per second",
                "SOURCE_REWRITES": "www.nseindia.com=http://127.0.0.1:9/a=b",
                "SOURCE_READ_TIMEOUT_SECONDS": "4.5",
                "SECTOR_LIST_URL": "https://sectors.example/list.csv",
                "ALPHA_VANTAGE_API_KEY": "demo1234",
            }
        )
    )
    assert settings.limits["nse"] == "7 per second"
    assert settings.base_url_rewrites == {"www.nseindia.com": "http://127.0.0.1:9/a=b"}
    assert settings.read_timeout_seconds == 4.5
    assert settings.sector_list_url == "https://sectors.example/list.csv"
    assert "demo1234" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCES_ENABLED", "nse,elsewhere"),
        ("SOURCE_LIMIT_NSE", "often"),
        ("SECTOR_LIST_URL", "http://sectors.example/list.csv"),
        ("SECTOR_LIST_URL", "https://user:password@sectors.example/"),
        ("ALPHA_VANTAGE_API_KEY", "a&b"),
        ("SOURCE_PROXY_URL", "proxy:3128"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings({"INSTANCE_FOLDER": str(tmp_path), name: value})
