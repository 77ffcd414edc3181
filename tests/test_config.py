from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from klyx.config import ConfigurationError, load_settings, setting_fields

STRONG_SECRET = "k3yf0r-t3sts-0nly-0123456789abcdefgh"
REPOSITORY = Path(__file__).parent.parent


def test_embedded_defaults(tmp_path: Path) -> None:
    settings = load_settings({"INSTANCE_FOLDER": str(tmp_path)})
    assert settings.environment == "development"
    assert settings.database_url == f"sqlite:///{tmp_path / 'klyx.sqlite3'}"
    assert (settings.http_binds, settings.chat_binds) == (("127.0.0.1:5001",), ("127.0.0.1:8000",))
    assert settings.trusted_proxy_count == 0


def test_development_secret_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    first = load_settings({"INSTANCE_FOLDER": str(tmp_path)})
    second = load_settings({"INSTANCE_FOLDER": str(tmp_path)})
    assert first.jwt_secret_key == second.jwt_secret_key
    assert len(first.jwt_secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jwt_secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    code = "from klyx.config import load_settings; import sys; sys.stdout.write(load_settings().jwt_secret_key)"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={"INSTANCE_FOLDER": str(tmp_path / "new"), "PATH": ""},
        )
        for _ in range(4)
    ]
    secrets = {process.communicate()[0] for process in started}
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        (None, "JWT_SECRET_KEY is missing"),
        ("tiny-one", "JWT_SECRET_KEY is shorter than 32 bytes"),
        ("change-me-in-production-please-change-me", "JWT_SECRET_KEY is a known default"),
        ("x" * 40, "JWT_SECRET_KEY is a known default"),
    ],
)
def test_production_refuses_weak_secrets(secret: str | None, complaint: str) -> None:
    environ = {"FLASK_ENV": "production", **({"JWT_SECRET_KEY": secret} if secret else {})}
    with pytest.raises(ConfigurationError, match=complaint) as raised:
        load_settings(environ)
    assert "\n" not in str(raised.value)
    assert secret is None or secret not in str(raised.value)


def test_production_starts_with_a_strong_secret() -> None:
    settings = load_settings({"FLASK_ENV": "production", "JWT_SECRET_KEY": STRONG_SECRET})
    assert settings.is_production
    assert STRONG_SECRET not in repr(settings)


def test_every_unusable_variable_is_named_in_one_line(tmp_path: Path) -> None:
    environ = {
        "WEB_THREADS": "many",
        "RATE_LIMIT_LOGIN": "often",
        "REDIS_URL": "http://redis",
        "POSTGRES_URL": "mysql://x",
        "CORS_ORIGIN": "https://*.example.org",
        "RATE_LIMITS_ENABLED": "perhaps",
    }
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**environ, "INSTANCE_FOLDER": str(tmp_path)})
    assert all(name in str(raised.value) for name in environ)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"CORS_PREVIEW_ORIGIN_PATTERN": "("}, "CORS_PREVIEW_ORIGIN_PATTERN"),
        ({"DATABASE_POOL_MIN": "9", "DATABASE_POOL_MAX": "3"}, "DATABASE_POOL_MIN"),
        ({"WEB_THREADS": "8", "MAX_EVENT_STREAMS": "8"}, "WEB_THREADS"),
        ({"CHAT_THREADS": "80", "MAX_CHAT_STREAMS": "64", "MAX_EVENT_STREAMS": "16"}, "CHAT_THREADS"),
    ],
)
def test_settings_that_contradict_each_other(environ: dict[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings({**environ, "INSTANCE_FOLDER": str(tmp_path)})


def test_rewrites_in_production_must_be_https() -> None:
    environ = {
        "FLASK_ENV": "production",
        "JWT_SECRET_KEY": STRONG_SECRET,
        "SOURCE_REWRITES": "a.example=http://b.example",
    }
    with pytest.raises(ConfigurationError, match="SOURCE_REWRITES"):
        load_settings(environ)


def test_aliases_and_lists(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "INSTANCE_FOLDER": str(tmp_path),
            "KV_URL": "rediss://somewhere/1",
            "PORT": "7001",
            "CORS_ORIGIN": " https://a.example , https://b.example,",
            "POSTGRES_URL": "postgres://u@h/d",
            "USE_SQLITE": "true",
        }
    )
    assert settings.redis_url == "rediss://somewhere/1"
    assert settings.http_binds == ("127.0.0.1:7001",)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.database_url.startswith("sqlite:///")


def test_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=DEBUG\nWEB_WORKERS=3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEB_WORKERS", "4")
    monkeypatch.setenv("INSTANCE_FOLDER", str(tmp_path))
    settings = load_settings()
    assert (settings.log_level, settings.web_workers) == ("DEBUG", 4)


def test_readme_table_names_every_setting_with_its_default() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line for line in readme.splitlines() if line.startswith("| `")}
    for env, field in setting_fields().items():
        assert env in rows, f"{env} is missing from the configuration table of README.md"
        default = field.default if not isinstance(field.default, tuple) else ",".join(field.default)
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"`{shown}`" in rows[env] or (shown == "" and "| - |" in rows[env]), f"{env}: the default is {shown}"
