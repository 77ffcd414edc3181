"""What `make run` prints once everything answers: where to look and what to try first."""

from __future__ import annotations

from urllib.parse import urlsplit

from klyx.config import Settings
from klyx.stack.ports import split_bind

REGISTRATION = '{"email": "asha@example.com", "password": "choose your own", "name": "Asha"}'


def url_of(bind: str) -> str:
    """The URL for a browser on this machine of an application that listens on `bind`."""
    host, port = split_bind(bind)
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def banner(settings: Settings) -> str:
    """`settings` as the programs have them."""
    first, *others = (url_of(bind) for bind in settings.http_binds)
    lines = [
        "",
        "Klyx runs. Ctrl-C ends it.",
        "",
        f"  Start here   {first}/",
        f"  API docs     {first}/api/docs",
        f"  Health       {first}/api/health",
        *(f"  The same on  {other}" for other in others),
        *(f"  Chat         {url_of(bind)}/api/ai/health" for bind in settings.chat_binds),
        f"  Database     {_place(settings.database_url)}",
        f"  Redis        {_place(settings.redis_url)}",
        "",
        "Make an account; the answer holds your access token:",
        "",
        f"  curl -s {first}/api/auth/register -H 'Content-Type: application/json' \\",
        f"    -d '{REGISTRATION}'",
        "",
    ]
    return "\n".join(lines)


def _place(url: str) -> str:
    """A database's URL without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return f"SQLite, {parts.path.removeprefix('/')}"
    host = parts.hostname or ""
    return f"{parts.scheme.partition('+')[0]}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
