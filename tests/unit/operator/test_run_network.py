"""Policies of the network of runs: made before the first pod, mended, removed with the last."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable

import pytest

from heliostat_core.egress import Egress
from heliostat_core.executions import Execution
from heliostat_core.keys import (
    new_private_key,
    public_key_id,
    public_pem,
    verify_execution_key,
)
from heliostat_core.names import EXECUTION_KEY_KEY, FINISHED_LABEL
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    AGENT,
    CILIUM_POLICY,
    ENDPOINT_SLICE,
    EVERYTHING,
    EXECUTION,
    FQDN_POLICY,
    JOB,
    NETWORK_POLICY,
    SECRET,
    SERVICE,
    Change,
    InvalidError,
    JsonObject,
    JsonValue,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    UnavailableError,
)
from heliostat_operator.agents.readiness import AgentObservation, compute_ready
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.network.egress_enforcement import EgressEnforcement
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.settings import OperatorSettings
from support.builders.resources import NOW, make_agent, make_execution, make_settings
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import MemoryWorld, meta_of
from support.objects import mapping_at

from .test_engine import make_engine, work_until

PROXY = "http://heliostat-egress.heliostat-system:3128"
SETTINGS = make_settings().model_copy(update={"network_policies": True, "egress_proxy_url": PROXY})
GUARD = Ref(NETWORK_POLICY, "default", "heliostat-runs")
HOSTS = Ref(NETWORK_POLICY, "default", "sales-hosts")
DOMAIN: JsonObject = {"host": "api.example.com"}


class Cluster(MemoryWorld):
    """Knows only some of the kinds that guard runs."""

    def __init__(self, *kinds: Kind) -> None:
        super().__init__()
        self.lacks = {FQDN_POLICY, CILIUM_POLICY} - set(kinds)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind in self.lacks:
            raise NotFoundError("the server could not find the requested resource")
        async for each in super().list(kind, selection):
            yield each


def put_agent(world: MemoryWorld, *egress: JsonObject, name: str = "sales") -> None:
    document: dict[str, JsonValue] = {**make_agent(name, workspace={"egress": egress}).to_json()}
    document.pop("status")
    world.put(document)


def put_execution(world: MemoryWorld, execution: Execution) -> None:
    document: dict[str, JsonValue] = {**execution.to_json()}
    document.pop("status")
    world.put(document)


def policies(world: MemoryWorld) -> set[Ref]:
    kinds = (NETWORK_POLICY, FQDN_POLICY, CILIUM_POLICY)
    return {ref for ref in world.objects if ref.kind in kinds}


def guards(world: MemoryWorld, settings: OperatorSettings = SETTINGS) -> NetworkPolicies:
    return NetworkPolicies(world, settings)


async def proxy_of(guard: NetworkPolicies, *egress: JsonObject) -> str:
    """What a run of an Agent with these hosts is told before its pod."""
    named = tuple(map(Egress.model_validate, egress))
    return (await guard.before_pod("default", "sales", named)).proxy_url


async def test_a_namespace_is_closed_before_its_first_pod_and_the_run_told_of_its_proxy() -> None:
    world = Cluster()
    put_agent(world, DOMAIN)
    put_execution(world, make_execution())
    assert await proxy_of(guards(world), DOMAIN) == PROXY
    assert policies(world) == {GUARD, HOSTS}
    owners = ObjectHead.model_validate(world.objects[HOSTS]).metadata.owner_references
    assert [each.kind for each in owners] == ["Agent"]


async def test_a_run_without_domains_has_no_proxy() -> None:
    world = Cluster()
    put_agent(world, {"host": "203.0.113.7"})
    guard = guards(world)
    assert await proxy_of(guard, {"host": "203.0.113.7"}) == ""
    assert await proxy_of(guard) == ""
    assert "ipBlock" in str(world.objects[HOSTS])


@pytest.mark.parametrize("kind", [FQDN_POLICY, CILIUM_POLICY])
async def test_a_cluster_that_knows_names_needs_no_proxy(kind: Kind) -> None:
    world = Cluster(kind)
    put_agent(world, DOMAIN)
    assert await proxy_of(guards(world), DOMAIN) == ""
    assert policies(world) == {GUARD, Ref(kind, "default", "sales-hosts")}


async def test_the_proxy_can_be_preferred_to_what_the_cluster_knows() -> None:
    world = Cluster(FQDN_POLICY)
    put_agent(world, DOMAIN)
    settings = SETTINGS.model_copy(update={"network_domains": "Proxy"})
    assert await proxy_of(guards(world, settings), DOMAIN) == PROXY
    assert policies(world) == {GUARD, HOSTS}


async def test_nothing_is_made_where_policies_are_off() -> None:
    world = Cluster()
    put_agent(world, DOMAIN)
    off = guards(world, make_settings())
    assert await proxy_of(off, DOMAIN) == ""
    assert policies(world) == set()


async def test_an_edit_before_the_next_run_opens_what_is_named_now() -> None:
    world = Cluster()
    put_agent(world)
    guard = guards(world)
    assert await proxy_of(guard) == ""
    assert policies(world) == {GUARD}
    put_agent(world, DOMAIN)
    assert await proxy_of(guard, DOMAIN) == PROXY
    assert policies(world) == {GUARD, HOSTS}


async def test_hosts_that_an_agent_names_no_more_are_closed() -> None:
    world = Cluster()
    put_agent(world, DOMAIN)
    guard = guards(world)
    await guard.reconcile("default")
    put_agent(world)
    assert guard.is_news(make_agent())
    await guard.reconcile("default")
    assert policies(world) == {GUARD}
    assert not guard.is_news(make_agent())


async def test_the_guard_goes_with_the_last_agent_and_the_last_run() -> None:
    world = Cluster()
    put_agent(world, DOMAIN)
    put_execution(world, make_execution())
    guard = guards(world)
    assert await guard.reconcile("default") is None
    world.remove(Ref(AGENT, "default", "sales"))
    assert await guard.reconcile("default") == 60, "a run goes on: its network stays closed"
    assert policies(world) == {GUARD}
    run_ref = Ref(EXECUTION, "default", "sales-1")
    meta_of(world.objects[run_ref])["labels"] = {FINISHED_LABEL: "true"}
    assert await guard.reconcile("default") is None
    assert policies(world) == set()


async def test_of_many_starts_at_once_one_closes_the_namespace() -> None:
    world = Cluster()
    put_agent(world)
    guard = guards(world)
    await asyncio.gather(*(guard.before_pod("default", "sales", ()) for _ in range(20)))
    assert [kind for kind, _ in world.changes].count(NETWORK_POLICY) == 1


async def test_hosts_that_a_cluster_refuses_keep_no_other_run_from_starting() -> None:
    class Strict(Cluster):
        async def apply(self, obj: JsonObject) -> JsonObject:
            if "refused-hosts" in str(obj["metadata"]):
                raise InvalidError("spec.egress: Invalid value")
            return await super().apply(obj)

    world = Strict()
    put_agent(world, DOMAIN)
    put_agent(world, DOMAIN, name="refused")
    await guards(world).reconcile("default")
    assert policies(world) == {GUARD, HOSTS}


async def test_policies_of_others_are_left_alone() -> None:
    world = Cluster()
    theirs = Ref(NETWORK_POLICY, "default", "theirs")
    world.put(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "theirs", "namespace": "default"},
        }
    )
    await guards(world).reconcile("default")
    assert policies(world) == {theirs}


def put_api_server(world: MemoryWorld) -> None:
    meta = {"name": "kubernetes", "namespace": "default"}
    world.put(
        {
            "apiVersion": SERVICE.api_version,
            "kind": "Service",
            "metadata": meta,
            "spec": {"clusterIPs": ["10.96.0.1"], "ports": [{"port": 443}]},
        }
    )
    world.put(
        {
            "apiVersion": ENDPOINT_SLICE.api_version,
            "kind": "EndpointSlice",
            "metadata": meta,
            "endpoints": [{"addresses": ["10.88.0.1", "10.88.0.2"]}],
            "ports": [{"port": 6443}],
        }
    )


async def test_the_kubernetes_api_is_kept_out_at_every_address() -> None:
    world = Cluster()
    put_api_server(world)
    put_agent(world, {"host": "10.0.0.0/8"})
    await guards(world).reconcile("default")
    shown = str(world.objects[HOSTS])
    assert "['10.88.0.1/32', '10.88.0.2/32', '10.96.0.1/32']" in shown


def test_the_key_opens_domains_at_the_proxy_but_nothing_that_no_run_reaches() -> None:
    """Addresses are the network's: it knows what of them is kept out."""

    async def scene() -> None:
        world = Cluster()
        put_api_server(world)
        put_agent(world, DOMAIN, {"host": "0.0.0.0/0"})
        put_execution(world, make_execution())
        settings = SETTINGS.model_copy(update={"network_never": ("198.51.100.0/24",)})
        private, secret = new_private_key(), Ref(SECRET, "default", "sales-1-1")
        engine = Engine(world, FakeGateway(), Signer(private, utc_now), settings)
        await work_until(engine, lambda: secret in world.objects)
        key = base64.b64decode(str(mapping_at(world.objects[secret], "data")[EXECUTION_KEY_KEY]))
        public = public_pem(private)
        now = int(utc_now().timestamp())
        claims = verify_execution_key(key.decode(), {public_key_id(public): public}, now)
        assert claims.egress == (("api.example.com", (443,)),)
        outside = {"10.96.0.1/32", "10.88.0.1/32", "10.88.0.2/32", "198.51.100.0/24"}
        assert outside < set(claims.refused)
        assert "169.254.0.0/16" in claims.refused

    run(scene())


def deliver(engine: Engine, world: MemoryWorld, kinds: Iterable[Kind] = (NETWORK_POLICY,)) -> None:
    for kind, change in world.changes:
        if kind in kinds:
            engine.see(kind, change)
    world.changes.clear()


def test_what_somebody_deletes_or_changes_is_mended() -> None:
    async def scene() -> None:
        world = Cluster()
        put_agent(world, DOMAIN)
        engine = make_engine(world, SETTINGS)
        await work_until(engine, lambda: policies(world) == {GUARD, HOSTS})
        deliver(engine, world)
        world.remove(GUARD)
        deliver(engine, world)
        await work_until(engine, lambda: GUARD in world.objects)
        changed = dict(world.objects[GUARD])
        changed["spec"] = {"podSelector": {}, "egress": [{}]}
        world.put(changed)
        deliver(engine, world)
        await work_until(engine, lambda: "heliostat-gateway" in str(world.objects[GUARD]))

    run(scene())


def test_what_is_left_of_a_time_when_policies_were_on_goes_once_the_world_answers() -> None:
    class Away(Cluster):
        is_away = False

        async def list(
            self, kind: Kind, selection: Selection = EVERYTHING
        ) -> AsyncIterator[JsonObject]:
            if self.is_away and kind == NETWORK_POLICY:
                self.is_away = False
                raise UnavailableError("the API server does not answer")
            async for each in super().list(kind, selection):
                yield each

    async def scene() -> None:
        world = Away()
        put_agent(world, DOMAIN)
        await work_until(make_engine(world, SETTINGS), lambda: policies(world) == {GUARD, HOSTS})
        world.is_away = True
        off = make_engine(world, make_settings())
        await work_until(off, lambda: policies(world) == set())
        assert not world.is_away

    run(scene())


def test_our_own_writes_wake_nobody() -> None:
    async def scene() -> None:
        world = Cluster()
        put_agent(world, DOMAIN)
        engine = make_engine(world, SETTINGS)
        await work_until(engine, lambda: policies(world) == {GUARD, HOSTS})
        deliver(engine, world)
        assert len(engine.queue("network")) == 0

    run(scene())


def test_a_job_is_made_only_behind_its_guard() -> None:
    async def scene() -> None:
        world = Cluster()
        put_agent(world, DOMAIN)
        put_execution(world, make_execution())
        engine = make_engine(world, SETTINGS)
        await work_until(engine, lambda: any(ref.kind == JOB for ref in world.objects))
        kinds = [kind for kind, _ in world.changes]
        assert kinds.index(NETWORK_POLICY) < kinds.index(JOB)
        last = Change("DELETED", world.objects[Ref(AGENT, "default", "sales")])
        engine.see(AGENT, last)
        assert len(engine.queue("network")) == 1

    run(scene())


def test_an_agent_says_of_its_hosts_what_they_are_worth_here() -> None:
    def said(*egress: JsonObject, hold: EgressEnforcement) -> str:
        agent = make_agent(workspace={"egress": egress}, runtime={"command": ["true"]})
        seen = AgentObservation({}, None, None, 0, None, (), hold=hold)
        return compute_ready(agent, seen, NOW)[2]

    plain = said(hold=EgressEnforcement.NOTHING)
    assert "nothing enforces it here" in said(DOMAIN, hold=EgressEnforcement.NOTHING)
    assert "no egress proxy (HELIOSTAT_OPERATOR_EGRESS_PROXY_URL)" in said(
        DOMAIN, hold=EgressEnforcement.ADDRESSES
    )
    assert said(DOMAIN, hold=EgressEnforcement.NAMES) == plain
    assert said({"host": "203.0.113.7"}, hold=EgressEnforcement.ADDRESSES) == plain


@pytest.mark.parametrize(
    ("kinds", "proxy", "policies_on", "hold"),
    [
        ((), PROXY, True, EgressEnforcement.NAMES),
        ((CILIUM_POLICY,), "", True, EgressEnforcement.NAMES),
        ((), "", True, EgressEnforcement.ADDRESSES),
        ((CILIUM_POLICY,), PROXY, False, EgressEnforcement.NOTHING),
    ],
)
async def test_an_agent_is_told_what_its_cluster_can_open(
    kinds: tuple[Kind, ...], proxy: str, policies_on: bool, hold: EgressEnforcement
) -> None:
    world = Cluster(*kinds)
    put_agent(world, DOMAIN)
    settings = SETTINGS.model_copy(
        update={"egress_proxy_url": proxy, "network_policies": policies_on}
    )
    assert await guards(world, settings).hold() == hold


def test_an_agent_whose_domains_nobody_opens_says_so() -> None:
    async def scene() -> None:
        world = Cluster()
        put_agent(world, DOMAIN)
        engine = make_engine(world, SETTINGS.model_copy(update={"egress_proxy_url": ""}))
        agent = Ref(AGENT, "default", "sales")
        await work_until(engine, lambda: "domains are closed here" in str(world.objects[agent]))

    run(scene())
