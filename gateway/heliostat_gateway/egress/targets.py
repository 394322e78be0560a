"""Where a CONNECT wants to go, and whether its caller may: pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from heliostat_core.addresses import unwrapped
from heliostat_core.egress import Domain, Egress, IpAddress, is_within, plain_name

_AUTHORITY = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^:\[\]@/\s]+)):(?P<port>[0-9]{1,5})")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME: Final = 253
_HIGHEST_PORT: Final = 65535


class TargetError(Exception):
    """The target can't be read; the text says what it must be."""


@dataclass(frozen=True)
class Target:
    """A name in lower case or an address, and a port."""

    host: str | IpAddress
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return f"{host}:{self.port}"


def read_target(authority: str) -> Target:
    """Of `host:port`. Raises TargetError.

    An address in a spelling that some libraries take for one (0x7f.1, 127.1, 010.0.0.1) is refused:
    whoever resolves it would go elsewhere than was decided.
    """
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not 0 < int(found["port"]) <= _HIGHEST_PORT:
        raise TargetError("must be HOST:PORT, for example api.example.com:443")
    port = int(found["port"])
    if found["v6"] is not None:
        return Target(_read_v6(found["v6"]), port)
    name = plain_name(found["host"])
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return Target(_read_v4(found["host"]), port)
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise TargetError("must name a host as DNS has it, for example api.example.com:443")
    return Target(name, port)


def _read_v4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError as error:
        raise TargetError("must write an address as four numbers, as in 203.0.113.7") from error


def _read_v6(text: str) -> IpAddress:
    if "%" in text:
        raise TargetError("must name no zone of an address")
    try:
        return real_address(ip_address(text))
    except ValueError as error:
        raise TargetError("must write an address in brackets as IPv6 has it") from error


def real_address(address: IpAddress) -> IpAddress:
    """The IPv4 address in an IPv6 one, in whichever of the forms it holds one."""
    real = unwrapped(address)
    if isinstance(real, IPv4Address):
        return real
    if real.teredo is not None:
        return real.teredo[1]
    return _translated(real) or real


_NAT64: Final = ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ip_network("::/96")


def _translated(address: IPv6Address) -> IPv4Address | None:
    """Of NAT64's prefix, and of the old compatible form; ::1 and :: are themselves."""
    is_old = address in _COMPATIBLE and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 or is_old else None


def is_named(target: Target, egress: Sequence[Egress]) -> bool:
    """Whether one of the entries covers host and port."""
    return any(target.port in each.ports and _covers(each, target.host) for each in egress)


def _covers(entry: Egress, host: str | IpAddress) -> bool:
    named = entry.target
    if isinstance(host, str):
        return isinstance(named, Domain) and named.covers(host)
    return is_within(ip_network(host), named)
