"""Server-sent events as the clients read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import requests


def events_of(answer: requests.Response) -> list[dict[str, Any] | str]:
    """The payloads of a stream to its end; checks that every event is one line and that `[DONE]` comes last."""
    body = answer.content
    assert body.isascii()
    assert b"\r" not in body
    payloads: list[dict[str, Any] | str] = []
    for block in body.decode("ascii").split("\n\n"):
        if not block or block.startswith(": "):
            continue
        assert block.startswith("data: "), block
        assert "\n" not in block
        text = block.removeprefix("data: ")
        payloads.append(text if text == "[DONE]" else json.loads(text))
    assert payloads[-1] == "[DONE]"
    return payloads[:-1]


def text_of(events: Iterable[dict[str, Any] | str]) -> str:
    return "".join(str(event["content"]) for event in events if isinstance(event, dict) and "content" in event)


def as_client_reads(chunks: Iterable[bytes]) -> list[str]:
    """What the clients' own parser makes of network chunks: split at newlines, nothing kept for the next chunk."""
    contents: list[str] = []
    for chunk in chunks:
        for line in chunk.decode("utf-8", errors="replace").split("\n"):
            if not line.startswith("data: "):
                continue
            payload = line[6:]
            if payload == "[DONE]":
                break
            try:
                event = json.loads(payload)
            except ValueError:
                continue
            if "content" in event:
                contents.append(event["content"])
    return contents
