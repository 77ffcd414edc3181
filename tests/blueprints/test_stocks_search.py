from __future__ import annotations

from typing import Any

from tests.api import Api
from tests.stock_api import BATCH, LISTED, add, found
from tests.stock_rows import add_stock


def test_quality_floor_is_30_unless_asked_or_searched(api: Api) -> None:
    for quality in (None, 0, 29, 30, 80):
        add(api, f"Quality {quality} Ltd.", f"Q{quality}".upper(), data_quality_score=quality)
    assert set(found(api)) == {"Q30", "Q80"}
    assert set(found(api, min_quality=0)) == {"QNONE", "Q0", "Q29", "Q30", "Q80"}
    assert set(found(api, min_quality=1)) == {"Q29", "Q30", "Q80"}
    assert set(found(api, min_quality=50)) == {"Q80"}
    assert set(found(api, search="quality")) == {"QNONE", "Q0", "Q29", "Q30", "Q80"}
    assert set(found(api, search="quality", min_quality=50)) == {"Q80"}


def test_search_ranks_name_symbol_prefix_substring(api: Api) -> None:
    add(api, "The ITC Fans Ltd.", "FANS", market_cap=9e12)
    add(api, "ITC Hotels Ltd.", "ITCHOTELS", market_cap=1e9)
    add(api, "ITC Infra Ltd.", "INFRA", market_cap=2e9)
    add(api, "I.T.C. Ltd.", "ITC", market_cap=1e8)
    add(api, "itc", "LOWER", market_cap=2e8)
    add(api, "ITC", "EXACT", market_cap=1e7)
    assert found(api, search="ITC") == ["EXACT", "LOWER", "ITC", "INFRA", "ITCHOTELS", "FANS"]
    assert found(api, search="itc", limit=1) == ["LOWER"]
    assert found(api, search="ITC.NS") == ["ITC"]


def test_search_for_a_holding_gives_that_holding(api: Api) -> None:
    add(api, "Tata Motors Ltd. DVR", "TATAMTRDVR", market_cap=9e12)
    add(api, "Tata Motors Ltd.", "TATAMOTORS", market_cap=1e9, data_quality_score=None)
    assert found(api, search="Tata Motors Ltd.", limit=1) == ["TATAMOTORS"]
    assert found(api, search="tata motors ltd.", limit=1) == ["TATAMOTORS"]


def test_letter_case_beyond_ascii_does_not_count(api: Api) -> None:
    add(api, "École Ltd.", "ECOLE", market_cap=1e9)
    add(api, "Grande ÉCOLE Ltd.", "GRANDE", market_cap=9e9)
    add(api, "Ecole Ltd.", "PLAIN", market_cap=9e12)
    for text in ("école", "ÉCOLE", "École"):
        assert found(api, search=text) == ["ECOLE", "GRANDE"]
    assert found(api, search="ÉCOLE LTD.") == ["ECOLE", "GRANDE"]
    body = api.post(BATCH, json={"stock_names": ["GRANDE école LTD.", "école ltd."]}).json()
    assert [row["NSE Code"] for row in body["data"]] == ["GRANDE", "ECOLE"]


def test_pages_of_a_search_join_without_gap_or_overlap(api: Api) -> None:
    with api.runtime.database.begin() as session:
        for number in range(90):
            begins = number % 3 == 0
            add_stock(
                session,
                f"{'Sun' if begins else 'The Sun'} Works {number}",
                f"{'SUN' if number % 5 == 0 else 'X'}{number}",
                market_cap=None if number % 7 == 0 else float(number % 4) * 1e9,
                sector_name="Energy" if number % 2 else "Autos",
            )
        add_stock(session, "sun", "LOW", market_cap=1.0, sector_name="Autos")
        add_stock(session, "Solar Ltd.", "SUN", market_cap=None, sector_name="Energy")
    narrowed: dict[str, Any]
    for narrowed, total in (({}, 92), ({"sector": "Energy"}, 46), ({"min_quality": 90}, 92), ({"min_quality": 91}, 0)):
        search: dict[str, Any] = {"search": "Sun", **narrowed}
        whole = api.get(LISTED, params={**search, "limit": 500}).json()
        assert (whole["total"], len(whole["data"])) == (total, total), narrowed
        for size in (1, 7, 50):
            pages = [
                api.get(LISTED, params={**search, "limit": size, "offset": offset}).json()
                for offset in range(0, min(total, size * 8), size)
            ]
            assert all(page["total"] == total for page in pages)
            joined = [row["id"] for page in pages for row in page["data"]]
            assert joined == [row["id"] for row in whole["data"]][: len(joined)]
    codes = found(api, search="Sun", limit=4)
    assert codes[:2] == ["LOW", "SUN"]


def test_search_takes_wildcards_and_quotes_literally(api: Api) -> None:
    add(api, "Plain Ltd.", "PLAIN")
    add(api, "100% Cotton_Mills Ltd.", "COTTON")
    add(api, r"Back\slash Ltd.", "BACK")
    add(api, "Divi's Laboratories Ltd.", "DIVISLAB")
    add(api, "Larsen & Toubro Ltd.", "LT")
    add(api, "Mahindra & Mahindra Ltd.", "M&M")
    add(api, "Rocket 🚀 Ltd.", "ROCKET")
    assert found(api, search="%") == ["COTTON"]
    assert found(api, search="_") == ["COTTON"]
    assert found(api, search="\\") == ["BACK"]
    assert found(api, search="Divi's") == ["DIVISLAB"]
    assert found(api, search="'") == ["DIVISLAB"]
    assert found(api, search="m&m") == ["M&M"]
    assert found(api, search="Larsen & T") == ["LT"]
    assert found(api, search="🚀") == ["ROCKET"]
    assert found(api, search="' OR '1'='1") == []
    assert found(api, search="x'); DROP TABLE stocks;--") == []
    assert len(found(api, search="ltd.")) == 7


def test_long_search_is_cut(api: Api) -> None:
    name = "N" * 255
    add(api, name, "LONG")
    assert found(api, search=name) == ["LONG"]
    assert found(api, search="x" * 1000) == []
    assert found(api, search=f"  {'N' * 1000}  ") == ["LONG"]
