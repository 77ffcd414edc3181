from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import requests
from flask import Flask

from klyx.addresses import key_of_address
from klyx.config import Settings
from klyx.flood_guard import FloodGuard
from tests.api import serve


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "address:192.0.2.1"),
        ("::ffff:192.0.2.1", "address:192.0.2.1"),
        ("2001:db8:1:2::1", "address:2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "address:2001:db8:1:3::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("::1", "address:::/64"),
        ("not an address", "address:not an address"),
        ("", "address:unknown"),
        (None, "address:unknown"),
    ],
)
def test_a_subscriber_has_one_key(address: str | None, key: str) -> None:
    assert key_of_address(address) == key


def test_floods_from_one_network_are_counted_together() -> None:
    guard = FloodGuard("2 per day")
    passed = [guard.lets_pass_early({"REMOTE_ADDR": f"2001:db8::{number}"}) for number in range(4)]
    assert passed == [True, True, False, False]
    assert guard.lets_pass_early({"REMOTE_ADDR": "2001:db8:0:1::1"})


def test_another_address_of_the_same_network_does_not_widen_a_limit(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_register="2 per hour", trusted_proxy_count=1)
    with serve(fresh_app(settings)) as url:
        codes = [
            requests.post(f"{url}/api/auth/register", headers={"X-Forwarded-For": address}).status_code
            for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
        ]
    assert codes == [400, 400, 429, 400]
