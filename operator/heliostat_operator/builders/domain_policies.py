"""Domains of an Agent where the network itself knows names: on GKE and with Cilium."""

from collections.abc import Callable, Mapping

from heliostat_core.agents import Agent
from heliostat_core.egress import Domain, Egress
from heliostat_core.worlds import CILIUM_POLICY, FQDN_POLICY, JsonObject, JsonValue, Kind
from heliostat_operator.builders.network_policies import domains_of, hosts_head, pods_of


def build_fqdn_policy(agent: Agent) -> JsonObject | None:
    """GKE's, with Dataplane V2; None for an Agent without domains."""
    rules: list[JsonValue] = [
        {"matches": [_match(domain)], "ports": _ports(egress)}
        for egress, domain in domains_of(agent.spec.workspace.egress)
    ]
    if not rules:
        return None
    return {
        **hosts_head(FQDN_POLICY, agent),
        "spec": {"podSelector": {"matchLabels": pods_of(agent)}, "egress": rules},
    }


def _match(domain: Domain) -> JsonObject:
    return {"pattern" if domain.is_wildcard else "name": str(domain)}


def _ports(egress: Egress) -> list[JsonValue]:
    return [{"protocol": "TCP", "port": port} for port in sorted(set(egress.ports))]


def build_cilium_policy(agent: Agent) -> JsonObject | None:
    """Cilium's; it learns addresses from the answers of the cluster's DNS, so it must see those."""
    rules: list[JsonValue] = [
        {
            "toFQDNs": [{"matchPattern" if domain.is_wildcard else "matchName": str(domain)}],
            "toPorts": [{"ports": _named_ports(egress)}],
        }
        for egress, domain in domains_of(agent.spec.workspace.egress)
    ]
    if not rules:
        return None
    return {
        **hosts_head(CILIUM_POLICY, agent),
        "spec": {
            "endpointSelector": {"matchLabels": pods_of(agent)},
            "egress": [_SEEN_NAMES, *rules],
        },
    }


def _named_ports(egress: Egress) -> list[JsonValue]:
    return [{"protocol": "TCP", "port": str(port)} for port in sorted(set(egress.ports))]


_SEEN_NAMES: JsonObject = {
    "toEndpoints": [
        {
            "matchLabels": {
                "k8s:io.kubernetes.pod.namespace": "kube-system",
                "k8s:k8s-app": "kube-dns",
            }
        }
    ],
    "toPorts": [
        {
            "ports": [{"port": "53", "protocol": "ANY"}],
            "rules": {"dns": [{"matchPattern": "*"}]},
        }
    ],
}

DOMAIN_POLICIES: Mapping[Kind, Callable[[Agent], JsonObject | None]] = {
    FQDN_POLICY: build_fqdn_policy,
    CILIUM_POLICY: build_cilium_policy,
}
"""In the order in which a cluster is asked for them."""
