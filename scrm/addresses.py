"""Where a request comes from, and whether a browser sent it from our own page."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

from scrm.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """``trusted_proxies`` are addresses or networks whose ``X-Forwarded-*`` headers are believed; nobody else's are."""

    def __init__(self, trusted_proxies: Sequence[str], public_url: str = "") -> None:
        self._trusted: list[Network] = []
        self._public_host = urlsplit(public_url).netloc.lower()
        for one in trusted_proxies:
            try:
                self._trusted.append(ipaddress.ip_network(one, strict=False))
            except ValueError as error:
                raise ConfigError(f"server.trusted_proxies: {one} is neither an address nor a network.") from error

    def client(self, request: web.Request) -> str:
        """The address of the client: the rightmost one in ``X-Forwarded-For`` that no trusted proxy wrote about itself."""
        address = request.remote or ""
        if not self._trusts(address):
            return address
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        for hop in reversed([one.strip() for one in forwarded if one.strip()]):
            parsed = _parse(hop)
            if parsed is None:
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        return address

    def same_origin(self, request: web.Request) -> bool:
        """A browser says in ``Origin`` which page made it ask. Programs that send none have no cookie to misuse."""
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        ours = {request.headers.get("Host", "").lower(), self._public_host}
        if self._trusts(request.remote or ""):
            ours.add(request.headers.get("X-Forwarded-Host", "").lower())
        return bool(host) and host in ours

    def _trusts(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Understands ports (``1.2.3.4:5678``, ``[::1]:5678``) and IPv4 written as IPv6."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
