"""What must never be read in a log."""

from __future__ import annotations

import logging
from contextlib import suppress

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from klyx.database import Database, DatabaseSettings
from klyx.database.models import User
from klyx.logs import configure_logging
from tests.api import Api

PRIVATE = {"email": "asha-private@example.org", "name": "Asha Private", "password_hash": "private-hash"}
CODES = {"sqlite": "SQLITE_CONSTRAINT_UNIQUE", "postgresql": "23505"}


def insert_twice(database: Database) -> None:
    with database.begin() as session:
        for number in range(2):
            session.execute(insert(User).values(id=str(number), **PRIVATE))


def is_private(text: str) -> bool:
    return any(value in text for value in PRIVATE.values())


def test_an_insert_that_fails_is_logged_without_its_values(
    capfd: pytest.CaptureFixture[str], engine: str, database_url: str
) -> None:
    configure_logging("INFO")
    database = Database(DatabaseSettings(url=database_url))
    try:
        with pytest.raises(IntegrityError) as raised:
            insert_twice(database)
    finally:
        database.dispose()
    assert "hide_parameters=True" in str(raised.value)
    wrapped = RuntimeError("it went on")
    wrapped.__cause__ = raised.value
    logging.getLogger("klyx.test").error("insert failed", exc_info=wrapped)

    logged = capfd.readouterr().err
    assert not is_private(logged)
    assert CODES[engine] in logged
    assert "insert_twice" in logged
    assert "RuntimeError: it went on" in logged


def test_a_session_used_after_a_failure_repeats_no_values(capfd: pytest.CaptureFixture[str], database_url: str) -> None:
    configure_logging("INFO")
    database = Database(DatabaseSettings(url=database_url))
    try:
        with database.begin() as session:
            session.add_all(User(id=str(number), **PRIVATE) for number in range(2))
            with suppress(IntegrityError):
                session.flush()
            try:
                session.get(User, "1")
            except InvalidRequestError:
                logging.getLogger("klyx.test").exception("session used on")
    finally:
        database.dispose()
    logged = capfd.readouterr().err
    assert "InvalidRequestError" in logged
    assert not is_private(logged)


def test_other_errors_are_logged_with_what_they_say(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        int("five")
    except ValueError:
        logging.getLogger("klyx.test").exception("no number")
    assert "invalid literal for int() with base 10: 'five'" in capfd.readouterr().err


def test_a_request_that_fails_in_the_database_logs_no_values(
    capfd: pytest.CaptureFixture[str], api: Api, engine: str
) -> None:
    def fail() -> str:
        insert_twice(api.runtime.database)
        return "no failure"

    api.app.add_url_rule("/api/fail", "fail", fail)
    answer = api.get("/api/fail")
    assert answer.status_code == 500
    logged = capfd.readouterr().err
    assert CODES[engine] in logged
    assert not is_private(logged + answer.text)
