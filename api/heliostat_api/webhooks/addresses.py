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

from heliostat_api.base.texts import Text, bilingual
from heliostat_api.base.views import View
from heliostat_core.addresses import is_public, unwrapped
from heliostat_core.egress import IpAddress, Network

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
PRIVATE: Final = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)
"""Networks of one's own: this machine and those around it."""
SETTING: Final = "HELIOSTAT_API_WEBHOOK_NETWORKS"
_LONGEST: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}


class AddressError(ValueError):
    """Nothing is sent there; the text says why and what would be."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text


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
        raise AddressError(
            bilingual(
                en=f"must be at most {_LONGEST} ASCII characters without spaces",
                ko=f"공백 없는 ASCII 문자 {_LONGEST}자까지입니다",
            )
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(
            bilingual(en=f"is no address: {error}", ko=f"주소가 아닙니다: {error}")
        ) from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressError(
            bilingual(
                en="must begin with https:// and a name",
                ko="https://와 이름으로 시작해야 합니다",
            )
        )
    if "@" in parts.netloc:
        raise AddressError(
            bilingual(
                en="must have no user name: who receives checks the signature",
                ko="사용자 이름은 넣을 수 없습니다. 받는 쪽은 서명을 확인합니다",
            )
        )
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
            raise AddressError(
                bilingual(
                    en=f"has a name that nobody knows: {place.host}",
                    ko=f"찾을 수 없는 이름입니다: {place.host}",
                )
            ) from error
        addresses = [unwrapped(ip_address(each.partition("%")[0])) for each in found]
        for each in addresses:
            self._check(place, each)
        if not addresses:
            raise AddressError(
                bilingual(
                    en=f"has a name without an address: {place.host}",
                    ko=f"주소가 없는 이름입니다: {place.host}",
                )
            )
        return str(addresses[0])

    def _check(self, place: Place, address: IpAddress) -> None:
        """Every address of a name must be allowed: which one it is may change with each call."""
        if any(address in each for each in self.networks):
            return
        if not is_public(address):
            raise AddressError(
                bilingual(
                    en=f"leads to {address}, which is no address of the internet: only networks "
                    f"of {SETTING} may be called besides",
                    ko=f"{address}(으)로 연결되는데 인터넷 주소가 아닙니다. 그 밖에는 {SETTING}의 "
                    "네트워크만 호출할 수 있습니다",
                )
            )
        if place.scheme != "https":
            raise AddressError(
                bilingual(
                    en="must begin with https://: what goes over the internet is encrypted",
                    ko="https://로 시작해야 합니다. 인터넷으로는 암호화해서 보냅니다",
                )
            )


def build_addresses(networks: Sequence[str]) -> Addresses:
    """Of a setting's networks."""
    return Addresses(tuple(ip_network(each) for each in networks))
