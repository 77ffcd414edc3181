"""The secret that signs tokens: what is good enough, and the one that development makes for itself."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from klyx.config_errors import ConfigurationError

MINIMUM_SECRET_BYTES = 32
KNOWN_DEFAULT_SECRETS = re.compile(r"change.?me|your.?secret|default|example|insecure|^(.)\1*$", re.IGNORECASE)
HOW = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def usable_secret(given: str, instance_folder: Path, *, is_production: bool) -> str:
    """The given secret, or outside production the kept one when none is given. Raises ConfigurationError."""
    if not given and not is_production:
        return _development_secret(instance_folder)
    if not given:
        raise ConfigurationError(f"JWT_SECRET_KEY is missing; {HOW}")
    if len(given.encode()) < MINIMUM_SECRET_BYTES:
        raise ConfigurationError(f"JWT_SECRET_KEY is shorter than {MINIMUM_SECRET_BYTES} bytes; {HOW}")
    if KNOWN_DEFAULT_SECRETS.search(given):
        raise ConfigurationError(f"JWT_SECRET_KEY is a known default; {HOW}")
    return given


def _development_secret(instance_folder: Path) -> str:
    """The secret kept in the instance folder, made on first use, so that tokens survive a restart."""
    path = instance_folder / "jwt_secret"
    instance_folder.mkdir(parents=True, exist_ok=True)
    # Linked into place whole, so that of two processes starting at once both read the same complete secret.
    if not path.exists():
        draft = instance_folder / f".jwt_secret.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
