"""The roles in manifests/ hold exactly the rights that the operator uses: no less, no more."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval, ApprovalState, ApprovalStatus
from heliostat_core.executions import Execution
from heliostat_core.kinds import watches
from heliostat_core.names import CLAIM_FINALIZER, CRON_NAME, child_name
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    CILIUM_POLICY,
    EXECUTION,
    JsonObject,
    Ref,
)
from heliostat_google.identity import Identity
from heliostat_google.scheduler import CloudScheduler
from heliostat_kubernetes.cluster import Call, KubernetesWorld
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.policy_check import PolicyCheck
from heliostat_operator.approvals.reconciler import ApprovalReconciler
from heliostat_operator.builders.approval_objects import build_approval_status
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import (
    PRIVATE_SECRET,
    PUBLIC_SECRET,
    Signer,
    ensure_signing_key,
)
from heliostat_operator.leases import LEASE_NAME, Leadership
from heliostat_operator.model.effects import (
    DeleteSecret,
    HoldExecution,
    ReleaseExecution,
    RevokeKey,
    SnapshotAgent,
    StartAttempt,
    StopAttempt,
    TellAgent,
)
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.network.network_policies import NetworkPolicies, our_policies
from heliostat_operator.release_rights import RELEASE_ROLE
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.effect_runner import EffectRunner
from heliostat_operator.runs.observe import Observer
from heliostat_operator.schedules.cloud_timers import CloudTimers
from heliostat_operator.schedules.cron_jobs import CronJobs, remove_all
from heliostat_operator.schedules.reconcile import RECORD_SECONDS, ScheduleReconciler
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_operator.uninstalls import finish_uninstall, prepare_uninstall
from support.builders.pods import make_pod
from support.builders.resources import (
    make_attempt,
    make_condition_status,
    make_settings,
    make_spec,
    seconds,
)
from support.control_plane import Address
from support.fake_gateway import FakeGateway
from support.google.accounts import ServiceAccount
from support.google.scheduler import FakeCloudScheduler
from support.manifests import INSTALLATION, read_objects
from support.objects import make_agent, make_execution, mapping_at, smallest_object
from support.operator_process import SYSTEM
from support.worlds import make_namespace
from tools.machine import ROOT

CRDS = Path(__file__).with_name("crds")
GOLDEN = ROOT / "tests" / "unit" / "operator" / "golden"
POLICIES = (
    *(GOLDEN / f"{name}.yaml" for name in ("fqdn", "cilium", "cron-cilium")),
    ROOT / "tests" / "integration" / "chart" / "golden" / "cilium.yaml",
)
VOLUME = {"storage": {"type": "Volume", "size": "1Gi"}}
GOOGLE_ACCOUNT = "operator@acme.iam.gserviceaccount.com"
SECRET_REF = {"name": "crm", "key": "token", "envName": "TOKEN"}


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


def granted_rights() -> set[Call]:
    """Every right of the manifests' roles, whether for the cluster or for one namespace."""
    roles = [
        each
        for each in read_objects(INSTALLATION / "operator" / "rbac.yaml")
        if each["kind"] in ("ClusterRole", "Role")
    ]
    return {
        Call(group, resource, verb)
        for role in roles
        for rule in json.loads(json.dumps(role["rules"]))
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def kopf_rights() -> set[Call]:
    """kopf lists and watches what the registry of kinds names, and asks for nothing else."""
    return {Call(kind.group, kind.plural, verb) for kind in watches() for verb in ("list", "watch")}


async def test_the_roles_hold_what_is_used_and_nothing_else(installed: Installed) -> None:
    async with await KubernetesWorld.connect(kubeconfig=installed.server.kubeconfig) as world:
        await use_everything(installed.server, world)
        used = world.calls | kopf_rights()
    # The admission policy lets the operator alone write asks, and no administrator.
    async with await KubernetesWorld.connect(kubeconfig=installed.kubeconfig) as world:
        await use_asks(installed.server, world)
        used |= world.calls
    granted = granted_rights()
    # Set against set, so that a failure names every line that is too much or too little.
    assert {"unused": sorted(granted - used), "missing": sorted(used - granted)} == {
        "unused": [],
        "missing": [],
    }


async def use_everything(server: Address, world: KubernetesWorld) -> None:
    """Every call that the operator can make, each effect twice: as done, and as done before."""
    for made_at_start in (
        ("secret", PRIVATE_SECRET, PUBLIC_SECRET),
        ("lease", LEASE_NAME),
        ("clusterrole", RELEASE_ROLE),
        ("clusterrolebinding", RELEASE_ROLE),
    ):
        server.kubectl("delete", *made_at_start, "-n", SYSTEM, "--ignore-not-found")
    namespace = make_namespace(server)
    async with await KubernetesWorld.connect(
        kubeconfig=server.kubeconfig, field_manager="others"
    ) as others:
        signer = Signer(await ensure_signing_key(world, SYSTEM), utc_now)
        assert await prepare_uninstall(world, SYSTEM)
        leadership = Leadership(world, SYSTEM, "a", 15, 60)
        await leadership.acquire()
        workspace = {**VOLUME, "secretRefs": [SECRET_REF]}
        agent = await others.apply(
            make_agent(namespace, workspace=workspace, history={"ttlSeconds": 0})
        )
        made = await others.create(make_execution(namespace))
        await use_actions(world, others, signer, Agent.model_validate(agent), made)
        await use_schedule(world, others, namespace)
        await use_triggers(world, others, namespace)
        await use_engine(world, signer, namespace)
        with definitions_of_others(server):
            await use_network(world, others, make_namespace(server))
            await use_cron_jobs_with_cilium(world, others, make_namespace(server))
        await finish_uninstall(world, FakeGateway(), SYSTEM)
        await leadership.release()


async def use_asks(server: Address, world: KubernetesWorld) -> None:
    """An ask that was granted, is held, and lets go of with its run."""
    namespace = make_namespace(server)
    server.kubectl("create", "-f", "-", stdin=json.dumps(make_execution(namespace)))
    found = await world.get(Ref(EXECUTION, namespace, "run"))
    uid = ObjectHead.model_validate(found).metadata.uid
    ask = smallest_object(APPROVAL, namespace, "ask")
    spec = {**mapping_at(ask, "spec"), "executionRef": {"name": "run", "uid": uid}}
    made = Approval.model_validate(await world.create({**ask, "spec": spec}))
    granted = ApprovalStatus(state=ApprovalState.GRANTED)
    await world.patch_status(build_approval_status(made, granted))
    check = PolicyCheck(world)
    assert await check.authority_of(namespace) is Authority.API_SERVER
    reconciler = ApprovalReconciler(world, check.authority_of, utc_now, 300)
    await reconciler.reconcile((namespace, "ask"))
    assert CLAIM_FINALIZER in await finalizers_of(world, namespace)
    cancel = ("--type=merge", "-p", '{"spec":{"cancel":true}}')
    server.kubectl("-n", namespace, "patch", "execution", "run", *cancel)
    await reconciler.reconcile((namespace, "ask"))
    assert await finalizers_of(world, namespace) == ()


async def finalizers_of(world: KubernetesWorld, namespace: str) -> tuple[str, ...]:
    found = await world.get(Ref(APPROVAL, namespace, "ask"))
    return ObjectHead.model_validate(found).metadata.finalizers


@contextmanager
def definitions_of_others(server: Address) -> Iterator[None]:
    """The real ones of GKE and Cilium, which take what the golden files say of theirs."""
    server.kubectl("apply", "--server-side", "-f", CRDS)
    server.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", CRDS)
    try:
        for policy in POLICIES:
            server.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", policy)
        yield
    finally:
        server.kubectl("delete", "-f", CRDS)


async def use_network(world: KubernetesWorld, others: KubernetesWorld, namespace: str) -> None:
    """NetworkPolicies of every kind, made for an Agent and removed with it."""
    host = {"host": "a.example"}
    await others.apply(make_agent(namespace, "outside", workspace={"egress": [host]}))
    for domains in ("FQDNNetworkPolicy", "CiliumNetworkPolicy"):
        settings = make_settings().model_copy(
            update={"network_policies": True, "network_domains": domains}
        )
        await NetworkPolicies(world, settings).reconcile(namespace)
        assert {each.kind.name async for each in our_policies(world, namespace)} == {
            "NetworkPolicy",
            domains,
        }
    await others.delete(Ref(AGENT, namespace, "outside"))
    await NetworkPolicies(world, settings).reconcile(namespace)
    assert [each async for each in our_policies(world, namespace)] == []


async def use_schedule(world: KubernetesWorld, others: KubernetesWorld, namespace: str) -> None:
    """Two times of a schedule: the second takes the place of the first."""
    schedule = {"cron": "* * * * *", "overlap": "Replace", "catchUp": "All"}
    await others.apply(make_agent(namespace, "scheduled", schedule=schedule))
    later = utc_now() + seconds(150)
    reconciler = ScheduleReconciler(world, KnownAgents(), ScheduledRuns(), lambda: later)
    key = (namespace, "scheduled")
    while (again := await reconciler.reconcile(key)) and again.seconds <= RECORD_SECONDS:
        pass
    found = Agent.model_validate(await others.get(Ref(AGENT, namespace, "scheduled")))
    assert found.status.schedule is not None
    assert {each.outcome for each in found.status.schedule.recent} == {"Ran", "Late"}


async def use_triggers(world: KubernetesWorld, others: KubernetesWorld, namespace: str) -> None:
    """A CronJob and a job of Cloud Scheduler that come and go; then both at an uninstall."""
    with FakeCloudScheduler({GOOGLE_ACCOUNT}) as google:
        account = google.know(ServiceAccount(GOOGLE_ACCOUNT))
        identity = Identity(account.credentials(), google.trust())
        jobs = CloudScheduler(google.endpoint, identity)
        settings = make_settings()
        timers = CloudTimers(world, jobs, settings, utc_now)
        triggers = TriggerReconciler(
            world,
            {"CronJob": CronJobs(world, settings, utc_now), "CloudScheduler": timers},
            utc_now,
        )
        for trigger in ("CronJob", "CloudScheduler", "Builtin", "CloudScheduler"):
            schedule = {"cron": "0 0 1 1 *", "trigger": trigger}
            await others.apply(make_agent(namespace, "yearly", schedule=schedule))
            await triggers.reconcile((namespace, "yearly"))
        assert len(google.jobs) == 1
        await timers.remove_all()
        assert google.jobs == {}
        await jobs.close()
    await remove_all(world)


async def use_cron_jobs_with_cilium(
    world: KubernetesWorld, others: KubernetesWorld, namespace: str
) -> None:
    """What opens the Kubernetes API to their pods there comes and goes with the last of them."""
    triggers = TriggerReconciler(
        world, {"CronJob": CronJobs(world, make_settings(), utc_now)}, utc_now
    )
    policy = Ref(CILIUM_POLICY, namespace, CRON_NAME)
    for trigger in ("CronJob", "Builtin"):
        schedule = {"cron": "0 0 1 1 *", "trigger": trigger}
        await others.apply(make_agent(namespace, "yearly", schedule=schedule))
        await triggers.reconcile((namespace, "yearly"))
        is_there = await others.get(policy) is not None
        assert is_there == (trigger == "CronJob")


async def use_actions(
    world: KubernetesWorld,
    others: KubernetesWorld,
    signer: Signer,
    agent: Agent,
    made: JsonObject,
) -> None:
    """A whole run by its effects; somebody plays its pod."""
    execution = Execution.model_validate(made)
    effect_runner = EffectRunner(
        world,
        FakeGateway(),
        signer,
        NetworkPolicies(world, make_settings()),
        make_settings(),
        utc_now,
    )
    attempt = make_attempt(execution=execution.metadata.name, created=utc_now() - seconds(60))
    name, pod_name = attempt.job_name, child_name(attempt.job_name, "pod")
    start = StartAttempt(attempt, agent.spec, 60, None)
    older = SnapshotAgent(make_spec(), agent.metadata.uid)
    freeze = SnapshotAgent(agent.spec, agent.metadata.uid)
    effects = await effect_runner.apply(execution, (HoldExecution(), older, freeze, start, start))
    job_uid = effects.job_uids[1]
    labels = {"heliostat.dev/execution": execution.metadata.name, "heliostat.dev/attempt": "1"}
    pod = make_pod(name=pod_name, job_name=name, job_uid=job_uid, labels=labels)
    container = {"name": "agent", "image": "x"}
    spec: JsonObject = {"containers": [container], "nodeName": "played"}
    metadata = {**json.loads(json.dumps(pod["metadata"])), "namespace": agent.metadata.namespace}
    metadata.pop("uid")
    made_pod = await others.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    )
    pod_uid = ObjectHead.model_validate(made_pod).metadata.uid
    attempt = attempt.model_copy(update={"job_uid": job_uid, "pod_name": pod_name})
    ref = Ref(EXECUTION, agent.metadata.namespace, execution.metadata.name)
    execution = Execution.model_validate(await world.get(ref))
    execution = execution.model_copy(update={"status": make_condition_status(attempt)})
    observer = Observer(world, FakeGateway(), ConcurrencyLimiter(1, 300), utc_now, 15)
    seen = await observer.observe(execution)
    assert seen.facts.pod is not None
    ended = attempt.model_copy(update={"end_time": utc_now()})
    status = make_condition_status(
        ended, succeeded="True", reason="Verified", settled="True", at=utc_now() - timedelta(1)
    )
    execution = execution.model_copy(update={"status": status})
    stop = StopAttempt(name, job_uid, pod_name, pod_uid, 3)
    told, release = TellAgent("ExecutionDeleted", "It was."), ReleaseExecution((attempt,))
    end = (RevokeKey(attempt), told, release, stop, DeleteSecret(attempt))
    effects = await effect_runner.apply(execution, end)
    await world.patch_status(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": "Execution",
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "status": status.to_json(),
        }
    )


async def use_engine(world: KubernetesWorld, signer: Signer, namespace: str) -> None:
    """Lists, an Agent's status, and a history that is cleaned."""
    engine = Engine(world, FakeGateway(), signer, make_settings())
    await engine.resync()
    agents = AgentReconciler(
        world, FakeGateway(), ConcurrencyLimiter(1, 300), utc_now, make_settings()
    )
    await agents.reconcile((namespace, "sales"))
    agent = Agent.model_validate(await world.get(Ref(AGENT, namespace, "sales")))
    assert agent.status.conditions[0].reason == "SecretMissing"
    assert await world.get(Ref(EXECUTION, namespace, "run")) is None
