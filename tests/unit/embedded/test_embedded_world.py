"""One object's life in the embedded world, as the API server would have it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.approvals import Approval, Requester, decide
from heliostat_core.reading import number, part, parts, text, values
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    CLUSTER_ROLE,
    EXECUTION,
    JOB,
    POD,
    SECRET,
    AlreadyExistsError,
    Change,
    ConflictError,
    InvalidError,
    JsonObject,
    JsonValue,
    Kind,
    Ref,
    Selection,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "world.sqlite")


@pytest.fixture
def world(store: Store) -> EmbeddedWorld:
    return EmbeddedWorld(store)


def make_agent(name: str = "sales", /, **spec: JsonValue) -> JsonObject:
    agent: JsonObject = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Agent",
        "metadata": {"name": name},
        "spec": {"prompt": "Add up.", **spec},
    }
    return agent


def make_execution(name: str = "run", **metadata: JsonValue) -> JsonObject:
    execution: JsonObject = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Execution",
        "metadata": {"name": name, **metadata},
        "spec": {"agentRef": {"name": "sales"}},
    }
    return execution


def make_object(
    kind: Kind, name: str, *, metadata: JsonObject | None = None, **fields: JsonValue
) -> JsonObject:
    obj: JsonObject = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, **(metadata or {})},
        **fields,
    }
    return obj


def version(obj: JsonObject) -> int:
    return int(text(obj, "metadata", "resourceVersion"))


async def take(changes: AsyncIterator[Change], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(5):
        found = [await anext(changes) for _ in range(count)]
    return [(each.type, text(each.object, "metadata", "name")) for each in found]


async def test_a_created_object_has_what_the_server_sets(world: EmbeddedWorld) -> None:
    created = await world.create(make_agent())

    assert text(created, "metadata", "uid")
    assert text(created, "metadata", "namespace") == "default"
    assert text(created, "metadata", "creationTimestamp").endswith("Z")
    assert number(created, "metadata", "generation") == 1
    assert number(created, "spec", "limits", "timeoutSeconds") == 3600
    assert await world.get(Ref(AGENT, "default", "sales")) == created
    with pytest.raises(AlreadyExistsError, match=r'agents.heliostat.dev "sales" already exists'):
        await world.create(make_agent())


async def test_kinds_of_the_whole_cluster_have_no_namespace(world: EmbeddedWorld) -> None:
    created = await world.create(make_object(CLUSTER_ROLE, "reader"))
    ref = Ref(CLUSTER_ROLE, "", "reader")

    assert "namespace" not in part(created, "metadata")
    assert await world.get(ref) == created
    assert await world.apply(make_object(CLUSTER_ROLE, "reader", rules=[])) == await world.get(ref)
    assert len([each async for each in world.list(CLUSTER_ROLE)]) == 1
    assert await world.delete(ref)


async def test_the_generation_counts_changes_of_the_spec_only(world: EmbeddedWorld) -> None:
    created = await world.create(make_agent())
    labelled = await world.apply(make_object(AGENT, "sales", metadata={"labels": {"a": "b"}}))
    assert number(labelled, "metadata", "generation") == 1
    reported = await world.patch_status({**labelled, "status": {"active": 2}})
    assert number(reported, "metadata", "generation") == 1
    changed = await world.apply(make_object(AGENT, "sales", spec={"suspend": True}))

    assert number(changed, "metadata", "generation") == 2
    assert number(changed, "status", "active") == 2
    assert text(changed, "spec", "prompt") == "Add up."
    assert version(created) < version(labelled) < version(reported) < version(changed)


async def test_what_was_applied_before_and_is_left_out_now_is_removed(
    world: EmbeddedWorld,
) -> None:
    people = world.as_manager("heliostat-cli")
    await people.create(make_agent(description="theirs"))
    await world.apply(
        make_object(
            AGENT, "sales", metadata={"labels": {"a": "1", "b": "2"}, "finalizers": ["x/y"]}
        )
    )
    after = await world.apply(make_object(AGENT, "sales", metadata={"labels": {"b": "2"}}))

    assert part(after, "metadata", "labels") == {"b": "2"}
    assert not values(after, "metadata", "finalizers")
    assert text(after, "spec", "description") == "theirs"


async def test_applying_the_same_again_changes_nothing(world: EmbeddedWorld) -> None:
    first = await world.apply(make_agent())
    assert await world.apply(make_agent()) == first
    status: JsonObject = {"active": 1, "conditions": []}
    reported = await world.patch_status({**make_agent(), "status": status})
    assert await world.patch_status({**make_agent(), "status": status}) == reported


async def test_managed_fields_tell_who_cancelled(world: EmbeddedWorld) -> None:
    await world.create(make_execution())
    await world.as_manager("heliostat-cli").apply(
        make_object(EXECUTION, "run", spec={"cancel": True})
    )
    found = await world.get(Ref(EXECUTION, "default", "run"))
    assert found is not None
    by = [
        text(entry, "manager")
        for entry in parts(found, "metadata", "managedFields")
        if "f:cancel" in part(entry, "fieldsV1", "f:spec")
    ]

    assert by == ["heliostat-cli"]


async def test_a_stale_version_or_another_uid_is_a_conflict(world: EmbeddedWorld) -> None:
    stale = await world.create(make_execution())
    await world.patch_status({**stale, "status": {"phase": "Running"}})
    with pytest.raises(ConflictError, match="the object has been modified"):
        await world.patch_status({**stale, "status": {"phase": "Failed"}})
    with pytest.raises(ConflictError, match="Precondition failed"):
        await world.apply(make_execution(uid="another"))
    with pytest.raises(ConflictError):
        await world.apply(make_execution("missing", uid="another"))


async def test_a_finalizer_holds_a_deleted_object(world: EmbeddedWorld) -> None:
    await world.apply(make_execution(finalizers=["heliostat.dev/run"]))
    ref = Ref(EXECUTION, "default", "run")
    assert await world.delete(ref)
    held = await world.get(ref)
    assert held is not None
    assert text(held, "metadata", "deletionTimestamp")

    await world.apply(make_execution())
    assert await world.get(ref) is None
    assert not await world.delete(ref)


async def test_dependents_follow_their_last_owner(world: EmbeddedWorld) -> None:
    owner = await world.create(make_execution())
    reference: JsonObject = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Execution",
        "name": "run",
        "uid": text(owner, "metadata", "uid"),
    }
    job = await world.create(make_object(JOB, "run-1", metadata={"ownerReferences": [reference]}))
    of_job: JsonObject = {"kind": "Job", "name": "run-1", "uid": text(job, "metadata", "uid")}
    await world.create(make_object(SECRET, "deep", metadata={"ownerReferences": [of_job]}))
    assert await world.delete(Ref(EXECUTION, "default", "run"))

    assert await world.get(Ref(JOB, "default", "run-1")) is None
    assert await world.get(Ref(SECRET, "default", "deep")) is None
    await world.create(make_object(SECRET, "late", metadata={"ownerReferences": [of_job]}))
    assert await world.get(Ref(SECRET, "default", "late")) is None


async def test_a_running_pod_gets_its_grace(world: EmbeddedWorld) -> None:
    ref = Ref(POD, "default", "p")
    await world.create(make_object(POD, "p", spec={"terminationGracePeriodSeconds": 20}))
    assert await world.delete(ref, grace_seconds=3)
    ending = await world.get(ref)
    assert ending is not None
    assert number(ending, "metadata", "deletionGracePeriodSeconds") == 3
    assert await world.delete(ref, grace_seconds=0)
    assert await world.get(ref) is None


async def test_a_watch_tells_what_is_there_and_then_every_change(
    world: EmbeddedWorld, tmp_path: Path
) -> None:
    elsewhere = EmbeddedWorld(Store(tmp_path / "world.sqlite"))  # as another process has it
    await world.create(make_execution("a", labels={"heliostat.dev/agent": "sales"}))
    await world.create(make_execution("b"))
    everything = elsewhere.watch(EXECUTION)
    ours = elsewhere.watch(EXECUTION, Selection(labels={"heliostat.dev/agent": "sales"}))
    assert await take(everything, 2) == [("ADDED", "a"), ("ADDED", "b")]
    assert await take(ours, 1) == [("ADDED", "a")]

    await world.apply(make_execution("b", labels={"heliostat.dev/agent": "sales"}))
    await world.apply(make_execution("b"))
    await world.delete(Ref(EXECUTION, "default", "a"))
    assert await take(everything, 3) == [("MODIFIED", "b"), ("MODIFIED", "b"), ("DELETED", "a")]
    assert await take(ours, 3) == [("ADDED", "b"), ("DELETED", "b"), ("DELETED", "a")]


async def test_lists_page_through_everything_selected(
    world: EmbeddedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliostat_cli.embedded.world.PAGE_SIZE", 2)
    for index in range(5):
        await world.create(make_agent(f"a{index}"))
    selected = Selection(namespace="default", label_terms=("!x",), fields={"metadata.name": "a3"})

    assert len([each async for each in world.list(AGENT)]) == 5
    assert [text(each, "metadata", "name") async for each in world.list(AGENT, selected)] == ["a3"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"prompt": ""},
            'spec.prompt: Invalid value: "": spec.prompt in body should be at least 1',
        ),
        ({"limits": {"timeoutSeconds": 0}}, "spec.limits.timeoutSeconds: Invalid value: 0: "),
        (
            {"priority": "high"},
            'spec.priority: Invalid value: "string": spec.priority in body',
        ),
        ({"verify": {}}, 'spec.verify: Invalid value: "object": must set exactly one of'),
        (
            {"workspace": {"storage": {"type": "Disk"}}},
            'spec.workspace.storage.type: Unsupported value: "Disk": supported values: "Ephemeral"',
        ),
        ({"workspace": {"env": [{"name": "HELIOSTAT_X"}]}}, "spec.workspace.env[0]"),
        ({"prompt": None}, "spec.prompt: Required value"),
    ],
)
async def test_faults_are_told_as_the_api_server_tells_them(
    world: EmbeddedWorld, spec: dict[str, JsonValue], message: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        await world.create(make_agent("sales", **spec))
    assert 'Agent.heliostat.dev "sales" is invalid: ' in str(caught.value)
    assert message in str(caught.value)


async def test_immutable_fields_stay(world: EmbeddedWorld) -> None:
    await world.create(make_execution())
    with pytest.raises(InvalidError, match="input must stay as it was at creation"):
        await world.apply(make_object(EXECUTION, "run", spec={"input": "other"}))


async def test_unknown_fields_are_pruned_and_can_be_told(world: EmbeddedWorld) -> None:
    agent = make_agent(promt="x", limits={"timeoutSecond": 1})
    assert world.schema_of(AGENT).unknown_fields(agent) == [
        "spec.promt",
        "spec.limits.timeoutSecond",
    ]
    created = await world.create(agent)
    assert "promt" not in part(created, "spec")


async def test_an_ask_knows_when_and_by_whom_each_decision_was_written(store: Store) -> None:
    """Whether a decision came in time is read from what a server notes, here as there."""
    early = datetime(2026, 11, 26, 8, tzinfo=UTC)
    digest = f"sha256:{'a' * 64}"
    action: JsonObject = {"tool": "Bash", "class": "Send", "digest": digest, "complete": True}
    spec: JsonObject = {
        "executionRef": {"name": "run", "uid": "uid-1"},
        "action": action,
        "expiresTime": "2026-11-26T09:00:00Z",
    }
    world = EmbeddedWorld(store, clock=lambda: early)
    await world.create(make_object(APPROVAL, "ask", spec=spec))
    for by, hours in (("heliostat:ann", 0), ("heliostat:bob", 3)):
        now = early + timedelta(hours=hours)
        clock = partial(datetime.fromtimestamp, now.timestamp(), UTC)
        later = EmbeddedWorld(store, manager=f"heliostat-api-{by[-3:]}", clock=clock)
        decision: JsonObject = {"by": by, "decision": "Approve", "digest": digest}
        await later.apply(make_object(APPROVAL, "ask", spec={**spec, "decisions": [decision]}))
    found = Approval.model_validate(await world.get(Ref(APPROVAL, "default", "ask")))
    assert len(found.spec.decisions) == 2
    asked_of_two = found.model_copy(update={"spec": found.spec.model_copy(update={"quorum": 2})})
    night = early + timedelta(hours=9)
    assert decide(found, Requester(None), night).counted == ("heliostat:ann",)
    assert decide(asked_of_two, Requester(None), night).state == "Expired"
