"""Hosts outside that an Agent names: how they are written, and what each of them covers."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints

from heliostat_core.resources import Part, rules

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HTTPS_PORT: Final = 443
LINK_LOCAL: Final[tuple[Network, ...]] = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fe80::/10"),
)
ANY: Final = "*"

_LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
# The last label begins with a letter: 127.1 and 0x7f.1 are addresses, though not as we write them.
_DOMAIN = rf"({_LABEL}\.)+[a-zA-Z]([a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?"
_NAME = re.compile(rf"(?P<wild>\*\.)?(?P<domain>{_DOMAIN})")
_FORM = (
    "must be a domain (api.example.com), *.domain for all names below it, an IP address or a CIDR"
)
_NOT_LINK_LOCAL = "must not be a link-local address: a cloud's metadata lives there"


@dataclass(frozen=True)
class Domain:
    """A name in lower case, or all names below it."""

    name: str
    is_wildcard: bool = False

    def covers(self, name: str) -> bool:
        """Whether a name (as `plain_name` has it) is this one, or below it."""
        return name.endswith(f".{self.name}") if self.is_wildcard else name == self.name

    def __str__(self) -> str:
        return f"*.{self.name}" if self.is_wildcard else self.name


Host: TypeAlias = Domain | Network


def read_host(text: str) -> Host:
    """What the text names. Raises ValueError that says what it must be."""
    network = read_network(text)
    if network is not None:
        if any(is_part_of(network, each) for each in LINK_LOCAL):
            raise ValueError(_NOT_LINK_LOCAL)
        return network
    found = _NAME.fullmatch(text)
    if found is None:
        raise ValueError(_FORM + _punycode(text))
    return Domain(found["domain"].lower(), found["wild"] is not None)


def read_network(text: str) -> Network | None:
    """An address is a network of one. None for names and for spellings that Kubernetes refuses."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    address, _, length = text.partition("/")
    is_plain = not length or (length.isdecimal() and str(int(length)) == length)
    return network if is_plain and not _is_mapped(network) and "%" not in address else None


def _is_mapped(network: Network) -> bool:
    """::ffff:10.0.0.1 is 10.0.0.1, and Kubernetes takes only the latter."""
    first = network.network_address
    return isinstance(first, ipaddress.IPv6Address) and first.ipv4_mapped is not None


def _punycode(text: str) -> str:
    """The remedy for a name in other letters."""
    if text.isascii():
        return ""
    try:
        return f"; write it as {text.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""


def plain_name(text: str) -> str:
    """A name as names are compared: lower case, ASCII, without the root's dot."""
    name = text if text.isascii() else _encoded(text)
    return name.removesuffix(".").lower()


def _encoded(text: str) -> str:
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        return text


def is_within(inner: Host, outer: Host) -> bool:
    """Whether whoever may reach the outer may reach all of the inner."""
    if isinstance(inner, Domain):
        if not isinstance(outer, Domain):
            return False
        if inner.is_wildcard and outer.name == inner.name:
            return outer.is_wildcard
        return outer.covers(inner.name) and (outer.is_wildcard or not inner.is_wildcard)
    return not isinstance(outer, Domain) and is_part_of(inner, outer)


def is_part_of(inner: Network, outer: Network) -> bool:
    """Whether every address of the inner is one of the outer."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def is_allowed(host: Host, allowed: Sequence[str]) -> bool:
    """Whether an admin's list covers a host; `*` covers all."""
    return any(each == ANY or is_within(host, read_host(each)) for each in allowed)


def check_host(text: str) -> str:
    """The same text. Raises ValueError that says what it must be."""
    read_host(text)
    return text


def check_allowed(text: str) -> str:
    """One entry of an admin's list. Raises ValueError."""
    return text if text == ANY else check_host(text)


HostText = Annotated[
    str,
    StringConstraints(min_length=3, max_length=253),
    AfterValidator(check_host),
    Field(
        json_schema_extra=rules(
            (rf"isIP(self) || isCIDR(self) || self.matches(r'^(\*\.)?{_DOMAIN}$')", _FORM),
            (
                "!self.startsWith('169.254.') && !self.matches('^[fF][eE][89abAB][0-9a-fA-F]:')",
                _NOT_LINK_LOCAL,
            ),
        )
    ),
]
Port = Annotated[int, Field(ge=1, le=65535, description="A TCP port.")]


class Egress(Part):
    """A host outside that runs may reach."""

    host: Annotated[
        HostText,
        Field(
            description="A domain (api.example.com), *.domain for all names below it, however "
            "deep, an IP address or a CIDR. A name in other letters stands in its xn-- form."
        ),
    ]
    ports: Annotated[
        tuple[Port, ...],
        Field(
            min_length=1,
            max_length=16,
            description="TCP ports there; 443, HTTPS, when not given.",
        ),
    ] = (HTTPS_PORT,)

    @property
    def target(self) -> Host:
        """The host as it is compared."""
        return read_host(self.host)
