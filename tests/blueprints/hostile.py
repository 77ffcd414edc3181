"""Five hundred texts that must never become part of a statement."""

from __future__ import annotations

from random import Random

COUNT = 500
_KNOWN = (
    "' OR '1'='1",
    "pe_ttm; DROP TABLE stocks; --",
    "pe_ttm) OR 1=1 --",
    "pe_ttm/**/UNION/**/SELECT/**/password_hash/**/FROM/**/users",
    '"pe_ttm"',
    "`pe_ttm`",
    "[pe_ttm]",
    "stocks.pe_ttm",
    "public.stocks.pe_ttm",
    "pe_ttm::text",
    "CAST(pe_ttm AS text)",
    "(SELECT 1)",
    "pg_sleep(10)",
    "$$;SELECT 1;$$",
    "E'\\x27'",
    "U&'\\0027'",
    "%s",
    "%(pe_ttm)s",
    "%n%n%n%n",
    ":pe_ttm",
    "?1",
    "{0.__class__.__mro__}",
    "{pe_ttm}",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "../../../etc/passwd",
    "__class__",
    "__init__",
    "expression",
    "metadata",
    "password_hash",
    "id",
    "stock_id",
    "created_at",
    "1",
    "NULL",
    "null",
    "true",
    "NaN",
    "Infinity",
    "",
    " ",
    "pe_ttm ",
    " pe_ttm",
    "PE_TTM",
    "pe\u00adttm",
    "pe\uff3fttm",
    "\u202epe_ttm",
    "pe_ttm\u200b",
    "pe_ttm\x00",
    "\x00",
    "pe_ttm\n",
    "pe_ttm\r\nSet-Cookie: a=b",
    "\x1b[31m",
    "\ud800",
    "\U0001f4c8",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "ROE Annual %25",
    "ROE%20Annual%20%25",
    "' || (SELECT version()) || '",
    "1e400",
    "-- comment",
    "/* comment */",
    "# comment",
    "\\",
    "\\'",
    "''''''",
    '"""',
    ";",
    "A" * 100_000,
    "'" * 5_000,
    "%" * 3_000,
    "(" * 2_000,
)
_PIECES = (
    *("'", '"', "`", ";", "--", "/*", "*/", "\\", "%", "%s", "%(x)s", "::", "$1", "?", ":x", "(", ")", "=", "||"),
    *("\x00", "\n", "\t", "\u2028", "\u0130", "\ufeff", "\U0001f600", "<", ">", "{", "}", "#", "&", "|", "@"),
    *("SELECT", "UNION", "DROP TABLE", "stocks", "users", "pe_ttm", "OR", "AND", "1=1", "NULL", "pg_sleep(9)", "x"),
)


def hostile_texts() -> list[str]:
    """The same distinct texts every time; none of them names a field, an operator or an order."""
    chance = Random(500)
    texts = list(_KNOWN)
    while len(texts) < COUNT:
        text = chance.choice(("", " ")).join(chance.choices(_PIECES, k=chance.randint(2, 9)))
        if text not in texts:
            texts.append(text)
    return texts
