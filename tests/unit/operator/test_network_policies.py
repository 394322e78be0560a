"""The policies of runs, whole, as files: HELIOSTAT_GOLDEN=write writes what comes out now."""

import os
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from heliostat_core.agents import Agent
from heliostat_core.worlds import JsonObject
from heliostat_operator.builders.cron_jobs import build_cron_cilium_policy
from heliostat_operator.builders.domain_policies import build_cilium_policy, build_fqdn_policy
from heliostat_operator.builders.network_policies import (
    METADATA,
    Neighbours,
    build_guard,
    build_hosts,
)
from heliostat_operator.model.api_addresses import addresses_of
from heliostat_operator.model.peers import Peer, read_peer, read_peers
from support.builders.resources import make_agent, make_settings

GOLDEN = Path(__file__).parent / "golden"
DEFAULTS = make_settings()
AROUND = Neighbours(
    services=read_peers(DEFAULTS.network_services),
    dns=read_peers(DEFAULTS.network_dns),
    proxy=read_peers(DEFAULTS.egress_proxy),
    never=(*METADATA, ip_network("10.88.0.1/32"), ip_network("10.96.0.1/32")),
)
HOSTS: Sequence[JsonObject] = (
    {"host": "api.example.com"},
    {"host": "*.Example.org", "ports": [8443, 443, 443]},
    {"host": "203.0.113.7"},
    {"host": "10.0.0.0/8", "ports": [5432]},
    {"host": "2001:db8::/32"},
)


def agent_with(*egress: JsonObject) -> Agent:
    return make_agent(uid="0-0", workspace={"egress": egress})


def check_golden(name: str, built: JsonObject | None) -> None:
    path = GOLDEN / f"{name}.yaml"
    text = yaml.safe_dump(built, sort_keys=False)
    if os.environ.get("HELIOSTAT_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def test_a_namespace_is_closed_but_for_names_gateway_and_api() -> None:
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": "heliostat-system", "uid": "1-1"}
    check_golden("guard", build_guard("team", owner, AROUND))


def test_pods_of_cron_jobs_reach_the_kubernetes_api_with_cilium_too() -> None:
    server = addresses_of([("10.96.0.1", 443), ("10.88.0.1", 6443)])
    check_golden("cron-cilium", build_cron_cilium_policy("default", server))


def test_hosts_of_an_agent_are_opened_without_metadata_and_without_the_kubernetes_api() -> None:
    check_golden("hosts", build_hosts(agent_with(*HOSTS), AROUND))


def test_domains_are_opened_by_gke_where_it_can() -> None:
    check_golden("fqdn", build_fqdn_policy(agent_with(*HOSTS)))


def test_domains_are_opened_by_cilium_where_it_can() -> None:
    check_golden("cilium", build_cilium_policy(agent_with(*HOSTS)))


@pytest.mark.parametrize("host", ["10.88.0.1", "fd00:ec2::254"])
def test_what_nobody_may_reach_is_not_opened(host: str) -> None:
    assert build_hosts(agent_with({"host": host}), AROUND) is None


def test_everything_is_everything_but_that() -> None:
    built = build_hosts(agent_with({"host": "0.0.0.0/0"}), AROUND)
    kept_out = ["169.254.0.0/16", "10.88.0.1/32", "10.96.0.1/32"]
    assert str({"cidr": "0.0.0.0/0", "except": kept_out}) in str(built)


def test_an_agent_without_hosts_and_one_with_domains_alone_need_little() -> None:
    nobody = Neighbours(AROUND.services, AROUND.dns, (), AROUND.never)
    assert build_hosts(agent_with(), AROUND) is None
    assert build_hosts(agent_with({"host": "a.example"}), nobody) is None
    assert build_fqdn_policy(agent_with({"host": "10.0.0.1"})) is None
    assert build_cilium_policy(agent_with({"host": "10.0.0.1"})) is None


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("kube-system:53", Peer(53, "kube-system")),
        ("a/app.kubernetes.io/name=b:8081", Peer(8081, "a", ("app.kubernetes.io/name", "b"))),
        ("10.1.2.3/8:443", Peer(443, cidr="10.0.0.0/8")),
        ("2001:db8::/32:443", Peer(443, cidr="2001:db8::/32")),
    ],
)
def test_neighbours_are_pods_or_addresses(text: str, peer: Peer) -> None:
    assert read_peer(text) == peer


@pytest.mark.parametrize(
    "text", ["kube-system", "a/b:53", "10.0.0.1:53", "a:0", "a:65536", "A:1", "10.0.0.0/33:1"]
)
def test_a_neighbour_that_is_none_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be NAMESPACE:PORT|does not appear"):
        read_peer(text)
    with pytest.raises(ValidationError, match="network_dns"):
        type(DEFAULTS)(network_dns=(text,))
