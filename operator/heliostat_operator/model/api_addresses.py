"""Where the Kubernetes API server is, as its own Service and what is behind it tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from heliostat_core.resources import Part
from heliostat_core.worlds import JsonObject


@dataclass(frozen=True)
class Addresses:
    """Where the API server is: CIDRs, and the ports there."""

    cidrs: tuple[str, ...]
    ports: tuple[int, ...]


class _Port(Part):
    port: int


class _ServiceSpec(Part):
    cluster_ips: Annotated[tuple[str, ...], Field(alias="clusterIPs")] = ()
    ports: tuple[_Port, ...] = ()


class _Service(Part):
    spec: _ServiceSpec


class _Endpoint(Part):
    addresses: tuple[str, ...]


class _Slice(Part):
    endpoints: tuple[_Endpoint, ...] = ()
    ports: tuple[_Port, ...] = ()


def read_addresses(service: JsonObject | None, endpoints: JsonObject | None) -> Addresses:
    """Every address and port by which pods may reach the API server."""
    pairs: list[tuple[str, int]] = []
    if service is not None:
        spec = _Service.model_validate(service).spec
        pairs += [(ip, each.port) for ip in spec.cluster_ips for each in spec.ports]
    if endpoints is not None:
        found = _Slice.model_validate(endpoints)
        ips = [ip for each in found.endpoints for ip in each.addresses]
        pairs += [(ip, each.port) for ip in ips for each in found.ports]
    return addresses_of(pairs)


def addresses_of(found: Iterable[tuple[str, int]]) -> Addresses:
    """Each address and each port once, in order."""
    pairs = sorted(set(found))
    cidrs = (f"{address}/{128 if ':' in address else 32}" for address, _ in pairs)
    return Addresses(tuple(dict.fromkeys(cidrs)), tuple(sorted({port for _, port in pairs})))
