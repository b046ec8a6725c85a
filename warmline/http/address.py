"""Where a request came from, when proxies stand before us."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def address_of(peer: str | None, forwarded: Iterable[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy; `forwarded` are the X-Forwarded-For headers.

    Anybody can write the header, so it is read from its end, and only as far as each proxy that
    passed it on is trusted.
    """
    nearest = peer or "unknown"
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while hops and _is_of(nearest, trusted):
        before = _plain(hops.pop())
        if before is None:
            break
        nearest = before
    return nearest


def is_loopback(host: str | None) -> bool:
    """Whether the address, or the name `localhost`, can be reached from this machine alone."""
    try:
        return host == "localhost" or (host is not None and ip_address(host).is_loopback)
    except ValueError:
        return False


def came_over_tls(
    request_is_secure: bool, peer: str | None, forwarded: str, trusted: Sequence[Network]
) -> bool:
    """Whether the asker's own connection was encrypted; `forwarded` is X-Forwarded-Proto.

    Only a trusted proxy is believed. Of several values the last is the nearest proxy's own.
    """
    if request_is_secure:
        return True
    said = forwarded.rpartition(",")[2].strip().lower()
    return said == "https" and peer is not None and _is_of(peer, trusted)


def _is_of(address: str, networks: Sequence[Network]) -> bool:
    plain = _plain(address)
    return plain is not None and any(ip_address(plain) in network for network in networks)


def _plain(address: str) -> str | None:
    """In one spelling, an IPv4 address as such; None for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
