"""TCP ports: which are free, and who holds the others."""

from __future__ import annotations

import socket
from collections.abc import Collection
from pathlib import Path

from klyx.stack.errors import StackError

LISTENING = "0A"


def split_bind(bind: str) -> tuple[str, int]:
    """`127.0.0.1:5001` or `[::1]:5001` as host and port."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # As servers do: connections of an earlier run that still linger are no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """`preferred` when it is free on 127.0.0.1, else a port that the system gives."""
    if preferred is not None and is_free("127.0.0.1", preferred):
        return preferred
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def require_free(http_binds: Collection[str], chat_binds: Collection[str] = ()) -> None:
    """Raises StackError that names the first of these binds that is taken, who holds it, and what to do."""
    for bind in (*http_binds, *chat_binds):
        host, port = split_bind(bind)
        if not is_free(host, port):
            others = [
                f"{name}={','.join(f'127.0.0.1:{free_port()}' for _ in binds)}"
                for name, binds in (("HTTP_BINDS", http_binds), ("CHAT_BINDS", chat_binds))
                if binds
            ]
            raise StackError(
                f"{bind} is already in use by {holder_of(port) or 'another program'}. "
                f"Stop it, or choose other ports: {' '.join(others)} make run"
            )


def holder_of(port: int) -> str:
    """`name (process 123)` of what listens on `port`; empty where the system does not tell us."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        try:
            if wanted.intersection(str(link.readlink()) for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            # Gone in the meantime, or another user's.
            continue
    return ""


def _listening_inodes(port: int) -> list[str]:
    inodes: list[str] = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            for line in table.read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    inodes.append(columns[9])
    return inodes
