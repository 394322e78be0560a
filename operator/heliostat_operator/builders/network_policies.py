"""NetworkPolicies of runs: closed but for our own services, open to the hosts of their Agent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from heliostat_core.agents import Agent
from heliostat_core.egress import LINK_LOCAL, Domain, Egress, Network, is_part_of
from heliostat_core.names import (
    AGENT_LABEL,
    EXECUTION_LABEL,
    GUARD_NAME,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NETWORK_LABEL,
    NETWORK_OF_RUNS,
    hosts_name,
    label_value,
)
from heliostat_core.worlds import AGENT, NETWORK_POLICY, JsonObject, Kind
from heliostat_operator.model.peers import Peer

METADATA: Sequence[Network] = (*LINK_LOCAL, ip_network("fd00:ec2::254/128"))
"""Where clouds answer with credentials: no run reaches it, whatever its Agent names."""


@dataclass(frozen=True)
class Neighbours:
    """What every run may reach, the proxy for those with domains, and what none ever reaches."""

    services: tuple[Peer, ...]
    dns: tuple[Peer, ...]
    proxy: tuple[Peer, ...]
    never: tuple[Network, ...]


def build_guard(namespace: str, owner: JsonObject | None, around: Neighbours) -> JsonObject:
    """Closes the pods of all runs of a namespace, in and out, but for names and our services."""
    named = [_rule([each], ("UDP", "TCP")) for each in around.dns]
    served = [_rule([each], ("TCP",)) for each in around.services]
    return {
        **head(NETWORK_POLICY, namespace, GUARD_NAME, owner),
        "spec": {
            "podSelector": {"matchExpressions": [{"key": EXECUTION_LABEL, "operator": "Exists"}]},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [*named, *served],
        },
    }


def build_hosts(agent: Agent, around: Neighbours) -> JsonObject | None:
    """Opens an Agent's addresses, and the proxy where it names domains; None: nothing to open."""
    egress = agent.spec.workspace.egress
    proxies = around.proxy if any(domains_of(egress)) else ()
    rules = [
        *(_rule([each], ("TCP",)) for each in proxies),
        *(_block(each, network, around.never) for each, network in _networks(egress, around.never)),
    ]
    if not rules:
        return None
    return {
        **hosts_head(NETWORK_POLICY, agent),
        "spec": {
            "podSelector": {"matchLabels": pods_of(agent)},
            "policyTypes": ["Egress"],
            "egress": rules,
        },
    }


def hosts_head(kind: Kind, agent: Agent) -> JsonObject:
    """Kind and metadata of what opens an Agent's hosts; it goes with the Agent."""
    meta = agent.metadata
    owner: JsonObject = {
        "apiVersion": AGENT.api_version,
        "kind": AGENT.name,
        "name": meta.name,
        "uid": meta.uid,
    }
    return head(kind, meta.namespace, hosts_name(meta.name), owner)


def head(kind: Kind, namespace: str, name: str, owner: JsonObject | None) -> JsonObject:
    """Kind and metadata of one of ours."""
    labels = {MANAGED_BY_LABEL: MANAGED_BY, NETWORK_LABEL: NETWORK_OF_RUNS}
    owned: JsonObject = {"ownerReferences": [owner]} if owner else {}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, "namespace": namespace, "labels": labels, **owned},
    }


def pods_of(agent: Agent) -> JsonObject:
    """Labels of the pods of an Agent's runs."""
    return {MANAGED_BY_LABEL: MANAGED_BY, AGENT_LABEL: label_value(agent.metadata.name)}


def domains_of(egress: Iterable[Egress]) -> Iterator[tuple[Egress, Domain]]:
    """The entries that name domains."""
    for each in egress:
        if isinstance(target := each.target, Domain):
            yield each, target


def _networks(
    egress: Iterable[Egress], never: Sequence[Network]
) -> Iterator[tuple[Egress, Network]]:
    for each in egress:
        target = each.target
        if not isinstance(target, Domain) and not any(is_part_of(target, one) for one in never):
            yield each, target


def _rule(to: Sequence[Peer], protocols: Sequence[str]) -> JsonObject:
    return {
        "to": [each.to_json() for each in to],
        "ports": [
            {"protocol": protocol, "port": port}
            for port in sorted({each.port for each in to})
            for protocol in protocols
        ],
    }


def _block(egress: Egress, network: Network, never: Sequence[Network]) -> JsonObject:
    kept_out = [str(each) for each in never if is_part_of(each, network)]
    excepted: JsonObject = {"except": kept_out} if kept_out else {}
    return {
        "to": [{"ipBlock": {"cidr": str(network), **excepted}}],
        "ports": [{"protocol": "TCP", "port": port} for port in sorted(set(egress.ports))],
    }
