"""The route table: every blueprint, once. `/api/v1/...` is the same table (klyx.versioning)."""

from __future__ import annotations

from flask import Flask

from klyx.openapi import Api


def register_blueprints(app: Flask, api: Api) -> None:
    from klyx.blueprints import auth, debt_optimizer, health, home, portfolio, stocks

    app.register_blueprint(home.blueprint)
    for module in (health, auth, portfolio, stocks, debt_optimizer):
        api.register_blueprint(module.blueprint)
