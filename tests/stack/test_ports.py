from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator

import pytest

from klyx.stack.errors import StackError
from klyx.stack.ports import free_port, holder_of, is_free, require_free, split_bind


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("bind", "parts"),
    [("127.0.0.1:5001", ("127.0.0.1", 5001)), ("[::1]:5001", ("::1", 5001)), ("localhost:80", ("localhost", 80))],
)
def test_a_bind_is_a_host_and_a_port(bind: str, parts: tuple[str, int]) -> None:
    assert split_bind(bind) == parts


def test_a_port_is_free_until_somebody_listens(taken: int) -> None:
    assert not is_free("127.0.0.1", taken)
    assert is_free("127.0.0.1", free_port())


def test_the_preferred_port_is_given_when_it_is_free(taken: int) -> None:
    free = free_port()
    assert free_port(free) == free
    assert free_port(taken) != taken


def test_the_holder_of_a_port_is_named(taken: int) -> None:
    assert holder_of(taken).endswith(f"(process {os.getpid()})")
    assert holder_of(free_port()) == ""


def test_a_taken_port_is_refused_with_a_way_out(taken: int) -> None:
    binds = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{taken}")

    with pytest.raises(StackError) as caught:
        require_free(binds[:1], binds[1:])

    message = str(caught.value)
    assert message.startswith(f"{binds[1]} is already in use by ")
    assert f"(process {os.getpid()})" in message
    http, chat = re.findall(r"(?:HTTP|CHAT)_BINDS=(\S+)", message)
    require_free([http], [chat])
