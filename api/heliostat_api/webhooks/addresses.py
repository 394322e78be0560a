"""Where webhooks may go: to addresses of the internet, and to networks that a setting names.

A name is looked up once and the connection goes to the address that was judged. Looked up twice,
it could lead to another one the second time.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from heliostat_api.base.views import View
from heliostat_core.addresses import is_public, unwrapped
from heliostat_core.egress import IpAddress, Network

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
SETTING: Final = "HELIOSTAT_API_WEBHOOK_NETWORKS"
_LONGEST: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}


class AddressError(ValueError):
    """Nothing is sent there; the text says why and what would be."""


class Place(View):
    """A URL in parts. `host` is as it was written, `authority` with a port that is not usual."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str


def place_of(url: str) -> Place:
    """Raises AddressError for what is no address of a receiver."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressError(f"must be at most {_LONGEST} ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(f"is no address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressError("must begin with https:// and a name")
    if "@" in parts.netloc:
        raise AddressError("must have no user name: who receives checks the signature")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        authority=parts.netloc,
        target=target,
    )


async def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


@dataclass(frozen=True)
class Addresses:
    """`networks` are allowed beside the internet."""

    networks: Sequence[Network]
    look_up: Lookup = look_up

    async def choose(self, place: Place) -> str:
        """The address to connect to. Raises AddressError."""
        try:
            found = await self.look_up(place.host, place.port)
        except (OSError, UnicodeError) as error:
            raise AddressError(f"has a name that nobody knows: {place.host}") from error
        addresses = [unwrapped(ip_address(each.partition("%")[0])) for each in found]
        for each in addresses:
            self._check(place, each)
        if not addresses:
            raise AddressError(f"has a name without an address: {place.host}")
        return str(addresses[0])

    def _check(self, place: Place, address: IpAddress) -> None:
        """Every address of a name must be allowed: which one it is may change with each call."""
        if any(address in each for each in self.networks):
            return
        if not is_public(address):
            raise AddressError(
                f"leads to {address}, which is no address of the internet: only networks of "
                f"{SETTING} may be called besides"
            )
        if place.scheme != "https":
            raise AddressError("must begin with https://: what goes over the internet is encrypted")


def build_addresses(networks: Sequence[str]) -> Addresses:
    """Of a setting's networks."""
    return Addresses(tuple(ip_network(each) for each in networks))
