"""Which machines may be asked: a host name goes in, addresses that may be connected to come out.

Feeds, redirects and DNS answers come from strangers, so none of them may lead into this machine's own network
(server-side request forgery: cloud metadata at 169.254.169.254, routers, databases without a password). A name is
resolved once, all its addresses must be public, and the caller connects to just these, so that a second DNS answer
cannot differ from the one that was checked. Numbers in other dress (`2130706433`, `0x7f.1`) are resolved like any
other name and so judged by the address they mean.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    import ssl

#: IPv6 prefix that carries an IPv4 address in its last four bytes: NAT64 (RFC 6052 §2.1)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: where public IPv6 addresses are (RFC 4291 §2.4); elsewhere are `::10.0.0.1`, fec0::/10 and other old ways inside
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


class ForbiddenAddressError(ValueError):
    """A host that leads to an address which is not public."""


async def resolve(host: str, port: int, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses of a host, best first, all of them permitted.

    Args:
        host: name or literal address, ASCII, without brackets.
        port: for the resolver only.
        allowed: hosts and networks that may be private, see `is_permitted`.

    Raises:
        ForbiddenAddressError: if any of the addresses is not permitted.
        OSError: if the name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or longer than 63 characters
        raise OSError(f"{host} is not a host name") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_permitted(host, address, allowed):
            place = host if host == address else f"{host} leads to {address}, which"
            raise ForbiddenAddressError(f"{place} is not a public address")
    return addresses


def is_permitted(host: str, address: str, allowed: tuple[str, ...]) -> bool:
    """May `address`, one of the addresses of `host`, be connected to?

    Public unicast addresses may; others only if the operator named the host itself or a network holding the address.

    >>> is_permitted("feed.example", "8.8.8.8", ())
    True
    >>> is_permitted("feed.example", "::ffff:127.0.0.1", ())
    False
    >>> is_permitted("feed.lab", "10.1.2.3", ("10.0.0.0/8",)), is_permitted("feed.lab", "10.1.2.3", ("feed.lab",))
    (True, True)
    """
    ip = _plain(ipaddress.ip_address(address))
    return _is_public(ip) or any(_names(entry, host, ip) for entry in allowed)


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or ip


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast and (isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST)


def _names(entry: str, host: str, ip: IPv4Address | IPv6Address) -> bool:
    """Does an entry of `allow_private_hosts` mean this host or a network with this address?"""
    if entry.strip("[]").lower() == host.lower():
        return True
    try:
        return ip in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


class PinnedTransport(httpx2.AsyncHTTPTransport):
    """Connects only to permitted addresses; Host header and TLS name stay those of the URL.

    Args:
        allowed: hosts and networks that may be private, see `is_permitted`.
        context: verifies certificates.
    """

    def __init__(self, allowed: tuple[str, ...], context: ssl.SSLContext) -> None:
        # no connection is kept: two names on one address must each show their own certificate
        super().__init__(verify=context, limits=httpx2.Limits(max_keepalive_connections=0))
        self._allowed = allowed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send to the first address of the host that accepts a connection."""
        host = request.url.raw_host.decode("ascii")
        addresses = await resolve(host, request.url.port or 443, self._allowed)
        for address in addresses[:-1]:
            try:
                return await super().handle_async_request(_pinned(request, host, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await super().handle_async_request(_pinned(request, host, addresses[-1]))


def _pinned(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    """The same request to one address, as a copy: cookies and redirects go by the original."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": host},
    )
