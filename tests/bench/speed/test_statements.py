from __future__ import annotations

import psycopg2

from bench.speed.statements import StatementLog, reads_of_stocks
from tests.servers import ThrowAwayPostgres


def test_the_servers_log_tells_every_statement_as_it_was_sent(postgres: ThrowAwayPostgres) -> None:
    log = StatementLog(postgres.port, postgres.folder / "server.log")
    url = postgres.create_database()
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'before' AS current_price")
            with log.recording() as sent:
                cursor.execute("SELECT %s\n  AS current_price", ("a\n'quoted'",))
                cursor.execute("WITH one AS (SELECT 1 AS current_price) SELECT * FROM one")
                cursor.execute("CREATE TEMPORARY TABLE kept (current_price integer)")
            cursor.execute("SELECT 'after' AS current_price")
    finally:
        connection.close()
        postgres.drop_database(url)

    own = [statement for statement in sent if "pg_reload_conf" not in statement]
    assert own == [
        "SELECT 'a\n''quoted'''\n  AS current_price",
        "WITH one AS (SELECT 1 AS current_price) SELECT * FROM one",
        "CREATE TEMPORARY TABLE kept (current_price integer)",
    ]
    assert reads_of_stocks(sent) == own[:2]
