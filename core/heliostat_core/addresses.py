"""Which addresses are somebody's on the internet: pure."""

from ipaddress import IPv4Network, IPv6Address
from typing import Final

from heliostat_core.egress import IpAddress

_SERVICES_OF_GKE: Final = IPv4Network("34.118.224.0/20")
"""Where GKE puts a cluster's Services unless it is told otherwise: public by its number alone.

Source: GKE's documentation of IP addresses, "GKE-managed default Service range".
"""


def unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for: ::ffff:10.0.0.1 is 10.0.0.1."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_public(address: IpAddress) -> bool:
    """Whether it is somebody's: not private, of this machine, link or cluster, nor many's.

    Reserved are, among others, the prefixes of NAT64 (64:ff9b::/96, 64:ff9b:1::/48): an IPv4
    address in disguise, which a gateway on the way would unwrap behind our back.
    """
    if address in _SERVICES_OF_GKE:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
