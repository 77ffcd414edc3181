from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import delete

from klyx.database.models import Stock
from klyx.services.screen_runs import MAX_RUNS_KEPT
from tests.api import Api
from tests.saved_screens import (
    CHEAP,
    MOMENT,
    PREFIX,
    add,
    call,
    changes,
    codes,
    codes_of_rows,
    price,
    run,
    run_count,
    save,
)


def test_a_run_has_the_shape_of_a_preset(api: Api) -> None:
    user = api.register()
    for number in range(1, 6):
        add(api, f"S{number}", 10, market_cap=number * 1e9)
    add(api, "DEAR", 50)
    path = f"/{save(user, description='Low')['id']}"
    for method in ("GET", "POST"):
        body = call(user, method, f"{path}/run").json()
        metadata = body["data"]["metadata"]
        assert list(body) == ["status", "data", "source"]
        assert codes_of_rows(body["data"]) == ["S5", "S4", "S3", "S2", "S1"]
        assert (metadata["preset_name"], metadata["description"]) == ("Cheap", "Low")
        assert (metadata["total_matches"], metadata["total_stocks"]) == (5, 6)
        assert (metadata["match_rate"], metadata["filters_applied"]) == ("83.3%", 1)
        assert re.fullmatch(MOMENT, metadata["ran_at"])
    page = call(user, "GET", f"{path}/run?limit=2&offset=1&columns=pe_ttm").json()["data"]
    assert codes_of_rows(page) == ["S4", "S3"]
    assert set(page["results"][0]) == {"id", "Stock Name", "NSE Code", "PE TTM Price to Earnings"}
    assert page["metadata"]["total_matches"] == 5
    file = user.client.get(f"{PREFIX}{path}/run?format=csv&columns=pe_ttm&limit=1", headers=user.headers)
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.decode("utf-8-sig").splitlines() == [
        "Stock Name,NSE Code,PE TTM Price to Earnings",
        "S5 & Co.,S5,10.0",
    ]
    for odd in ("columns=nonsense", "format=xml", "limit=x"):
        assert call(user, "GET", f"{path}/run?{odd}").status_code == 400


def test_changes_tell_what_entered_and_left_since_a_run(api: Api) -> None:
    user = api.register()
    for code, pe_ttm in (("A", 10), ("B", 15), ("M&M", 30)):
        add(api, code, pe_ttm)
    path = f"/{save(user)['id']}"
    assert call(user, "GET", f"{path}/changes").status_code == 404
    assert "run" in call(user, "GET", f"{path}/changes").json()["message"]
    first = run(user, path)["metadata"]
    assert first["previous_run_at"] is None

    price(api, {"B": 25, "M&M": 12})
    found = changes(user, path)
    assert found["entered"] == [{"nse_code": "M&M", "stock_name": "M&M & Co."}]
    assert found["left"] == [{"nse_code": "B", "stock_name": "B & Co."}]
    assert (found["unchanged_count"], found["since"], found["compared_with"]) == (1, None, first["ran_at"])
    assert first["ran_at"] < found["now"]

    second = run(user, path)["metadata"]
    assert second["previous_run_at"] == first["ran_at"]
    price(api, {"A": None})
    assert (codes(changes(user, path)["entered"]), codes(changes(user, path)["left"])) == ([], ["A"])
    since_first = changes(user, path, first["ran_at"])
    assert (codes(since_first["entered"]), codes(since_first["left"])) == (["M&M"], ["A", "B"])
    assert (since_first["since"], since_first["compared_with"]) == (first["ran_at"], first["ran_at"])
    assert changes(user, path, "9999-12-31")["compared_with"] == second["ran_at"]
    # Nothing is known before the first run, so the first is told.
    assert changes(user, path, "2020-01-01")["compared_with"] == first["ran_at"]
    # Looking at changes is no run.
    assert call(user, "GET", path).json()["data"]["last_run_at"] == second["ran_at"]


def test_since_may_have_any_offset_or_none(api: Api) -> None:
    user = api.register()
    path = f"/{save(user)['id']}"
    ran_at = run(user, path)["metadata"]["ran_at"]
    india = (datetime.fromisoformat(ran_at) + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat()
    for since in (ran_at, ran_at.removesuffix("Z"), f"{india}+05:30", f"{india} 05:30"):
        assert changes(user, path, since)["since"] == ran_at


def test_a_run_of_the_same_stocks_is_stored_once_and_known_as_a_moment(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    moments = [run(user, path)["metadata"]["ran_at"] for _ in range(4)]
    assert run_count(api) == 1
    price(api, {"A": 30})
    assert run(user, path)["metadata"]["previous_run_at"] == moments[-1]
    assert run_count(api) == 2
    assert changes(user, path, moments[-1])["compared_with"] == moments[-1]
    between = changes(user, path, moments[1])
    assert (between["compared_with"], codes(between["left"])) == (moments[0], ["A"])


def test_runs_of_other_filters_are_never_compared_with(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    ran_at = run(user, path)["metadata"]["ran_at"]
    assert call(user, "PUT", path, {"sort_by": "pe_ttm", "name": "Sorted"}).ok
    assert changes(user, path)["unchanged_count"] == 1
    assert call(user, "PUT", path, {"filters": [{"field": "pe_ttm", "operator": "gt", "value": 20}]}).ok
    for since in ("", f"?since={ran_at}"):
        answer = call(user, "GET", f"{path}/changes{since}")
        assert answer.status_code == 404
        assert "changed" in answer.json()["message"]
    assert run(user, path)["metadata"]["previous_run_at"] is None
    assert changes(user, path, ran_at)["entered"] == []
    assert call(user, "PUT", path, CHEAP).ok
    assert changes(user, path)["compared_with"] == ran_at


def test_a_deleted_stock_left_under_its_old_symbol(api: Api) -> None:
    user = api.register()
    gone, unlisted = add(api, "GONE", 10), add(api, None, 10)
    add(api, "STAYS", 10)
    path = f"/{save(user)['id']}"
    run(user, path)
    with api.runtime.database.begin() as session:
        session.execute(delete(Stock).where(Stock.id.in_((gone, unlisted))))
    found = changes(user, path)
    assert found["left"] == [
        {"nse_code": None, "stock_name": None},
        {"nse_code": "GONE", "stock_name": None},
    ]
    assert (found["entered"], found["unchanged_count"]) == ([], 1)


def test_only_the_latest_runs_are_kept(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    other = f"/{save(user, 'Other')['id']}"
    run(user, other)
    moments = []
    for number in range(MAX_RUNS_KEPT + 3):
        price(api, {"A": 10 if number % 2 else 30})
        moments.append(run(user, path)["metadata"]["ran_at"])
    assert run_count(api) == MAX_RUNS_KEPT + 1
    assert changes(user, path, "2020-01-01")["compared_with"] == moments[3]
    assert changes(user, other)["unchanged_count"] == 0


def test_running_editing_and_deleting_at_once_is_no_error(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"

    def act(number: int) -> int:
        client = api.new_client()
        if number == 25:
            return client.delete(PREFIX + path, headers=user.headers).status_code
        if number % 3 == 0:
            value = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": number + 1}]}
            return client.put(PREFIX + path, json=value, headers=user.headers).status_code
        return client.post(f"{PREFIX}{path}/run", headers=user.headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(act, range(30)))
    assert statuses <= {200, 404}
    assert 200 in statuses
    assert run_count(api) == 0
