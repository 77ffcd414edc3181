"""The route table: every blueprint, once. `/api/v1/...` is the same table (klyx.versioning)."""

from __future__ import annotations

from flask import Flask

from klyx.openapi import Api


def register_blueprints(app: Flask, api: Api) -> None:
    from klyx.blueprints import (
        ai,
        auth,
        chat,
        debt_optimizer,
        fundamentals,
        health,
        home,
        jobs,
        maintenance,
        market_data,
        portfolio,
        price_history,
        process,
        results,
        saved_screens,
        screener,
        stocks,
        symbols,
        upload,
        worker,
    )

    app.register_blueprint(home.blueprint)
    for module in (
        health,
        auth,
        portfolio,
        stocks,
        fundamentals,
        market_data,
        price_history,
        screener,
        saved_screens,
        debt_optimizer,
        upload,
        symbols,
        process,
        results,
        jobs,
        chat,
        ai,
        maintenance,
        worker,
    ):
        api.register_blueprint(module.blueprint)
