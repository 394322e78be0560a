"""What every World keeps to: writing. One sentence each, true of a real API server."""

import asyncio
from collections.abc import Mapping

import pytest

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import ExecutionSpec
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    KINDS,
    LEASE,
    VOLUME_CLAIM,
    AlreadyExistsError,
    ConflictError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    World,
)
from support.crd_cases import Node, nodes, place
from support.crd_values import smallest
from support.objects import (
    generation_of,
    make_agent,
    make_execution,
    mapping_at,
    smallest_object,
    uid_of,
    value_at,
    version_of,
    with_metadata,
)
from support.worlds import document

FINALIZER = "heliostat.dev/run"
OF_OTHERS = ("networking.gke.io", "cilium.io")
"""Groups that a cluster has only with somebody else's definitions."""
NAMESPACED = [kind for kind in KINDS.values() if kind.namespaced and kind.group not in OF_OTHERS]
DELETION = ("metadata", "deletionTimestamp")


async def get(
    world: World, namespace: str, name: str = "run", kind: Kind = EXECUTION
) -> JsonObject:
    found = await world.get(Ref(kind, namespace, name))
    assert found is not None
    return found


async def test_it_has_a_name_for_people(world: World) -> None:
    assert world.name


# create, get


@pytest.mark.parametrize("kind", NAMESPACED, ids=[kind.name for kind in NAMESPACED])
async def test_an_object_of_every_kind_is_created_read_listed_and_deleted(
    world: World, namespace: str, kind: Kind
) -> None:
    created = await world.create(smallest_object(kind, namespace, "one"))
    assert (created["kind"], created["apiVersion"]) == (kind.name, kind.api_version)
    assert mapping_at(created, "metadata").keys() >= {
        *("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    ref = Ref(kind, namespace, "one")
    assert await world.get(ref) == created
    assert [obj async for obj in world.list(kind) if uid_of(obj) == uid_of(created)] == [created]
    assert await world.delete(ref, grace_seconds=0)
    left = await world.get(ref)  # a claim may wait for a controller to see that no pod uses it
    assert left is None or (kind == VOLUME_CLAIM and value_at(left, *DELETION))


async def test_what_does_not_exist_is_none(world: World, namespace: str) -> None:
    assert await world.get(Ref(EXECUTION, namespace, "run")) is None


async def test_a_name_is_taken_once(world: World, namespace: str) -> None:
    first = await world.create(make_execution(namespace))
    with pytest.raises(AlreadyExistsError):
        await world.create(make_execution(namespace, input="other"))
    assert await get(world, namespace) == first


async def test_of_many_creates_at_once_one_wins(world: World, namespace: str) -> None:
    outcomes = await asyncio.gather(
        *(world.create(make_execution(namespace, input=str(n))) for n in range(10)),
        return_exceptions=True,
    )
    lost = [each for each in outcomes if isinstance(each, AlreadyExistsError)]
    assert len(lost) == 9


async def test_defaults_are_those_of_the_models(world: World, namespace: str) -> None:
    agent = await world.create(make_agent(namespace))
    assert agent["spec"] == AgentSpec(prompt="Say hello.").to_json()
    execution = await world.create(make_execution(namespace))
    spec = ExecutionSpec.model_validate({"agentRef": {"name": "sales"}})
    assert execution["spec"] == spec.to_json()


async def test_defaults_fill_in_parts_that_are_given(world: World, namespace: str) -> None:
    limits, workspace = {"maxTurns": 5}, {"env": [{"name": "A"}]}
    agent = await world.create(make_agent(namespace, limits=limits, workspace=workspace))
    spec = {"prompt": "Say hello.", "limits": limits, "workspace": workspace}
    assert agent["spec"] == AgentSpec.model_validate(spec).to_json()


async def test_create_takes_no_status(world: World, namespace: str) -> None:
    created = await world.create({**make_agent(namespace), "status": {"active": 3}})
    assert "status" not in created


# Of a map each key is known.
OBJECT_NODES = [
    node
    for node in nodes()
    if node.schema["type"] == "object"
    and "additionalProperties" not in node.schema
    and node.tokens[0] == "spec"
    and "[*]" not in node.tokens
]


SPECS = {node.resource.kind: node.schema for node in nodes() if node.tokens == ("spec",)}
# What an otherwise empty object needs to pass its CEL rule.
VALID_BESIDE: dict[str, JsonObject] = {"spec.verify": {"files": ["a"]}}


@pytest.mark.parametrize("node", OBJECT_NODES, ids=[node.label for node in OBJECT_NODES])
async def test_create_drops_unknown_fields_at_every_depth(
    world: World, namespace: str, node: Node
) -> None:
    kind, (_, *tokens) = node.resource.kind, node.tokens
    least = smallest(node.schema)
    assert isinstance(least, Mapping)
    value = {**least, **VALID_BESIDE.get(node.path, {}), "nonsense": {"deep": 1}}
    spec = place(SPECS[kind], tokens, value, {})
    created = await world.create(document(kind, namespace, "one", spec=spec))
    assert "nonsense" not in mapping_at(created, *node.tokens)


# apply


async def test_apply_creates_what_is_missing(world: World, namespace: str) -> None:
    applied = await world.apply(make_execution(namespace))
    assert applied == await get(world, namespace)
    assert generation_of(applied) == 1


async def test_apply_with_a_uid_creates_nothing(world: World, namespace: str) -> None:
    with pytest.raises(ConflictError):
        await world.apply(make_execution(namespace, metadata={"uid": "gone"}))
    assert await world.get(Ref(EXECUTION, namespace, "run")) is None


async def test_apply_with_a_resource_version_alone_creates_what_is_missing(
    world: World, namespace: str
) -> None:
    await world.apply(make_execution(namespace, metadata={"resourceVersion": "1"}))
    assert await world.get(Ref(EXECUTION, namespace, "run")) is not None


async def test_apply_leaves_another_object_of_that_name_alone(world: World, namespace: str) -> None:
    created = await world.create(make_execution(namespace))
    with pytest.raises(ConflictError):
        await world.apply(make_execution(namespace, metadata={"uid": "other"}, priority=1))
    assert await get(world, namespace) == created


async def test_apply_with_the_right_uid_and_version_is_done(world: World, namespace: str) -> None:
    created = await world.create(make_execution(namespace))
    wanted = make_execution(namespace, priority=1)
    identity = {"uid": uid_of(created), "resourceVersion": version_of(created)}
    applied = await world.apply(with_metadata(wanted, **identity))
    assert value_at(applied, "spec", "priority") == 1


async def test_apply_to_a_version_that_is_gone_is_a_conflict(world: World, namespace: str) -> None:
    created = await world.apply(make_execution(namespace))
    await world.apply(make_execution(namespace, priority=1))
    stale = make_execution(namespace, priority=2, metadata={"resourceVersion": version_of(created)})
    with pytest.raises(ConflictError):
        await world.apply(stale)
    assert value_at(await get(world, namespace), "spec", "priority") == 1


async def test_of_many_applies_to_one_version_one_wins(world: World, namespace: str) -> None:
    lease = await world.create(smallest_object(LEASE, namespace, "leader"))
    outcomes = await asyncio.gather(
        *(
            world.apply(
                document(
                    LEASE,
                    namespace,
                    "leader",
                    metadata={"resourceVersion": version_of(lease)},
                    spec={"holderIdentity": f"me-{n}"},
                )
            )
            for n in range(10)
        ),
        return_exceptions=True,
    )
    assert len([each for each in outcomes if isinstance(each, ConflictError)]) == 9


async def test_apply_takes_away_what_it_applied_before(world: World, namespace: str) -> None:
    labels = {"labels": {"a": "1", "b": "2"}}
    await world.apply(make_agent(namespace, limits={"maxTurns": 5, "maxTokens": 10}))
    await world.apply(with_metadata(make_agent(namespace, limits={"maxTurns": 6}), **labels))
    applied = await world.apply(
        with_metadata(make_agent(namespace), labels={"b": "2"}),
    )
    assert mapping_at(applied, "spec", "limits") == mapping_at(
        AgentSpec(prompt="Say hello.").to_json(), "limits"
    )
    assert value_at(applied, "metadata", "labels") == {"b": "2"}


async def test_apply_leaves_what_others_set(world: World, namespace: str) -> None:
    await world.create(make_agent(namespace, description="By a person.", priority=7))
    finalizer = {"finalizers": [FINALIZER]}
    await world.apply(document(AGENT, namespace, "sales", metadata=finalizer))
    applied = await world.apply(document(AGENT, namespace, "sales", spec={"suspend": True}))
    assert value_at(applied, "spec", "description") == "By a person."
    assert value_at(applied, "spec", "priority") == 7
    assert value_at(applied, "spec", "suspend") is True
    assert not value_at(applied, "metadata", "finalizers")


async def test_apply_wins_over_others(world: World, namespace: str) -> None:
    await world.create(make_execution(namespace, cancel=False))
    applied = await world.apply(document(EXECUTION, namespace, "run", spec={"cancel": True}))
    assert value_at(applied, "spec", "cancel") is True


async def test_apply_of_the_same_changes_nothing(world: World, namespace: str) -> None:
    first = await world.apply(make_execution(namespace))
    assert await world.apply(make_execution(namespace)) == first


async def test_apply_takes_no_status(world: World, namespace: str) -> None:
    await world.apply(make_agent(namespace))
    await world.patch_status({**make_agent(namespace), "status": {"active": 3}})
    await world.apply({**make_agent(namespace), "status": {"active": 9}})
    assert value_at(await get(world, namespace, "sales", AGENT), "status", "active") == 3


async def test_apply_refuses_an_unknown_field(world: World, namespace: str) -> None:
    with pytest.raises(InvalidError, match=r"\.spec\.nonsense"):
        await world.apply(make_agent(namespace, nonsense=1))


async def test_apply_refuses_what_breaks_a_bound(world: World, namespace: str) -> None:
    await world.apply(make_execution(namespace))
    with pytest.raises(InvalidError, match=r"spec\.priority: "):
        await world.apply(make_execution(namespace, priority=11))


# generation and version


async def test_generation_counts_changes_of_the_spec_alone(world: World, namespace: str) -> None:
    created = await world.apply(make_agent(namespace))
    labelled = await world.apply(with_metadata(make_agent(namespace), labels={"a": "b"}))
    status = await world.patch_status({**make_agent(namespace), "status": {"active": 1}})
    assert [generation_of(each) for each in (created, labelled, status)] == [1, 1, 1]
    assert len({version_of(each) for each in (created, labelled, status)}) == 3
    changed = await world.apply(make_agent(namespace, suspend=True))
    assert generation_of(changed) == 2


# status


async def test_a_status_patch_sets_the_status_and_nothing_else(
    world: World, namespace: str
) -> None:
    created = await world.create(make_execution(namespace, input="north"))
    claimed = with_metadata(make_execution(namespace, input="south"), labels={"a": "b"})
    patched = await world.patch_status({**claimed, "status": {"phase": "Running"}})
    assert patched["spec"] == created["spec"]
    assert value_at(patched, "metadata", "labels") is None
    assert value_at(patched, "status", "phase") == "Running"
    assert value_at(patched, "status", "costMicros") == 0, "defaults are filled in"
    assert patched == await get(world, namespace)


async def test_a_status_patch_takes_away_what_it_set_before(world: World, namespace: str) -> None:
    execution = await world.create(make_execution(namespace))
    blocked: JsonObject = {
        "phase": "Pending",
        "blockedBy": [{"reason": "AgentSuspended", "message": "Wait."}],
    }
    await world.patch_status({**execution, "metadata": plain(execution), "status": blocked})
    patched = await world.patch_status(
        {**execution, "metadata": plain(execution), "status": {"phase": "Running"}}
    )
    assert value_at(patched, "status", "blockedBy") == []
    assert value_at(patched, "status", "phase") == "Running"


def plain(obj: JsonObject) -> JsonObject:
    metadata = mapping_at(obj, "metadata")
    return {"name": metadata["name"], "namespace": metadata["namespace"]}


async def test_the_same_status_again_changes_nothing(world: World, namespace: str) -> None:
    await world.create(make_execution(namespace))
    first = await world.patch_status({**make_execution(namespace), "status": {"phase": "Running"}})
    again = await world.patch_status({**make_execution(namespace), "status": {"phase": "Running"}})
    assert again == first


async def test_a_status_patch_to_a_version_that_is_gone_is_a_conflict(
    world: World, namespace: str
) -> None:
    created = await world.create(make_execution(namespace))
    await world.apply(document(EXECUTION, namespace, "run", spec={"cancel": True}))
    with pytest.raises(ConflictError):
        await world.patch_status({**created, "status": {"phase": "Running"}})
    assert value_at(await get(world, namespace), "status") is None


async def test_a_status_patch_of_what_is_gone_finds_nothing(world: World, namespace: str) -> None:
    with pytest.raises(NotFoundError):
        await world.patch_status({**make_execution(namespace), "status": {"phase": "Running"}})


async def test_a_status_that_breaks_a_bound_is_refused(world: World, namespace: str) -> None:
    await world.create(make_execution(namespace))
    with pytest.raises(InvalidError, match=r"status\.costMicros: "):
        await world.patch_status({**make_execution(namespace), "status": {"costMicros": -1}})


# delete


async def test_what_does_not_exist_is_not_deleted(world: World, namespace: str) -> None:
    assert not await world.delete(Ref(EXECUTION, namespace, "run"))


async def test_delete_leaves_another_object_of_that_name_alone(
    world: World, namespace: str
) -> None:
    created = await world.create(make_execution(namespace))
    ref = Ref(EXECUTION, namespace, "run")
    assert not await world.delete(ref, uid="other")
    assert await world.get(ref) == created
    assert await world.delete(ref, uid=uid_of(created))
    assert await world.get(ref) is None


async def test_a_finalizer_keeps_a_deleted_object(world: World, namespace: str) -> None:
    kept = make_execution(namespace, metadata={"finalizers": [FINALIZER]})
    await world.apply(kept)
    ref = Ref(EXECUTION, namespace, "run")
    assert await world.delete(ref)
    deleted = await get(world, namespace)
    assert value_at(deleted, *DELETION)
    assert await world.delete(ref), "deleting again is no error and no change"
    assert value_at(await get(world, namespace), *DELETION) == value_at(
        deleted, "metadata", "deletionTimestamp"
    )
    patched = await world.patch_status({**kept, "status": {"phase": "Stopping"}})
    assert value_at(patched, "status", "phase") == "Stopping"
    with pytest.raises(AlreadyExistsError):
        await world.create(kept)
    await world.apply(make_execution(namespace))
    assert await world.get(ref) is None


async def test_a_deleted_object_takes_no_further_finalizer(world: World, namespace: str) -> None:
    await world.apply(make_execution(namespace, metadata={"finalizers": [FINALIZER]}))
    await world.delete(Ref(EXECUTION, namespace, "run"))
    with pytest.raises(InvalidError):
        await world.apply(
            make_execution(namespace, metadata={"finalizers": [FINALIZER, "heliostat.dev/more"]})
        )
    await world.apply(make_execution(namespace))  # what is left would hold up other tests' tidying


async def test_a_new_object_of_the_same_name_is_another(world: World, namespace: str) -> None:
    first = await world.create(make_execution(namespace))
    await world.delete(Ref(EXECUTION, namespace, "run"))
    second = await world.create(make_execution(namespace))
    assert uid_of(first) != uid_of(second)
    with pytest.raises(ConflictError):
        await world.apply(make_execution(namespace, metadata={"uid": uid_of(first)}, priority=1))
