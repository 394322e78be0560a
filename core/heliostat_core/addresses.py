"""Which addresses are somebody's on the internet: pure."""

from ipaddress import IPv6Address

from heliostat_core.egress import IpAddress


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
    return address.is_global and not address.is_multicast and not address.is_reserved
