"""What a network address is counted by."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

# What a provider gives one subscriber, who may call from any address in it.
_SUBSCRIBER_BITS = 64
_HOST_BITS = 128 - _SUBSCRIBER_BITS


@lru_cache(maxsize=4096)
def key_of_address(address: str | None) -> str:
    """The caller at an address: an IPv4 address by itself, however it is written, an IPv6 one by its /64."""
    try:
        parsed = IPv6Address(address or "")
    except AddressValueError:
        return f"address:{address or 'unknown'}"
    if parsed.ipv4_mapped is not None:
        return f"address:{parsed.ipv4_mapped}"
    network = IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS)
    return f"address:{network}/{_SUBSCRIBER_BITS}"
