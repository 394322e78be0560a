"""Which addresses a tunnel may end at: those of the internet, and what an admin allows: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network

from heliostat_core.addresses import is_public
from heliostat_core.egress import IpAddress, Network
from heliostat_gateway.egress.targets import real_address


@dataclass(frozen=True)
class Reach:
    """`allowed` are private networks that are reached all the same, `refused` those that are not,
    whoever allows them: the Kubernetes API, or public addresses that a cluster has for its own."""

    allowed: tuple[Network, ...] = ()
    refused: tuple[Network, ...] = ()

    def without(self, refused: tuple[Network, ...]) -> "Reach":
        """The same, but for these."""
        return replace(self, refused=(*self.refused, *refused))

    def covers(self, address: IpAddress) -> bool:
        """Whether a tunnel may end there; never at nobody's address, never at many."""
        real = real_address(address)
        if real.is_unspecified or real.is_multicast or any(real in each for each in self.refused):
            return False
        return is_public(real) or any(real in each for each in self.allowed)


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is no address and no CIDR."""
    return tuple(ip_network(each, strict=False) for each in texts)
