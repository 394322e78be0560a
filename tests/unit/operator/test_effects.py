"""Each effect of a decision, done in a world: what is there afterwards, also after a repetition."""

from collections.abc import Sequence

import pytest

from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import AGENT_LABEL, FINISHED_LABEL, RUN_FINALIZER
from heliostat_core.worlds import (
    CONTROLLER_REVISION,
    EVENT,
    EXECUTION,
    JOB,
    POD,
    SECRET,
    VOLUME_CLAIM,
    AlreadyExistsError,
    ConflictError,
    JsonObject,
    JsonValue,
    Kind,
    NamespaceTerminatingError,
    Ref,
    WorldError,
)
from heliostat_operator.builders.run_objects import build_snapshot, read_charge, read_snapshot
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.effects import (
    Charge,
    Effect,
    HoldExecution,
    ReleaseExecution,
    RevokeKey,
    SnapshotAgent,
    StartAttempt,
    StopAttempt,
    TellAgent,
)
from heliostat_operator.model.indexes import KnownAgents
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.runs.effect_runner import (
    Applied,
    EffectRunner,
    NameTakenError,
    read_version,
)
from heliostat_operator.settings import OperatorSettings
from support.builders.pods import make_job, make_pod, running
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_spec,
)
from support.counting_world import CountingWorld
from support.fake_gateway import FakeGateway
from support.memory_world import meta_of
from support.objects import mapping_at, uid_of

SIGNER = Signer(new_private_key(), lambda: NOW)
RUN = Ref(EXECUTION, "default", "sales-1")
FIRST = make_attempt(1)


class Scene:
    """A runner of effects over a world that has the run and its Agent."""

    def __init__(self, settings: OperatorSettings | None = None) -> None:
        self.world = CountingWorld()
        self.gateway = FakeGateway()
        self.agents = KnownAgents()
        self.settings = settings or make_settings()
        self.runner = EffectRunner(
            self.world,
            self.gateway,
            SIGNER,
            NetworkPolicies(self.world, self.settings),
            self.settings,
            lambda: NOW,
            self.agents,
        )
        for each in (make_agent(), make_execution()):
            document: dict[str, JsonValue] = {**each.to_json()}
            document.pop("status")
            self.world.put(document)

    @property
    def run(self) -> Execution:
        return Execution.model_validate(self.world.objects[RUN])

    async def apply(self, *effects: Effect) -> Applied:
        self.world.asked.clear()
        return await self.runner.apply(self.run, effects)

    def names(self, kind: Kind) -> list[str]:
        return sorted(ref.name for ref in self.world.objects if ref.kind == kind)

    def labels(self, ref: Ref) -> JsonObject:
        return mapping_at(self.world.objects[ref], "metadata").get("labels") or {}  # type: ignore[return-value]

    def version(self, ref: Ref) -> str:
        return str(meta_of(self.world.objects[ref])["resourceVersion"])


# ---- marks ---------------------------------------------------------------------------------------


async def test_a_run_is_held_by_our_finalizer_and_named_after_its_agent() -> None:
    scene = Scene()
    applied = await scene.apply(HoldExecution())
    run = scene.run
    assert run.metadata.finalizers == (RUN_FINALIZER,)
    assert run.metadata.labels == {AGENT_LABEL: "sales"}
    assert applied.resource_version == run.metadata.resource_version
    assert applied.versions == [run.metadata.resource_version]
    assert applied.marked == run


async def test_a_stale_run_is_neither_held_nor_let_go() -> None:
    scene = Scene()
    stale = scene.run
    scene.world.put(scene.world.objects[RUN])
    for effect in (HoldExecution(), ReleaseExecution()):
        with pytest.raises(ConflictError):
            await scene.runner.apply(stale, (effect, RevokeKey(FIRST)))
    assert scene.gateway.revoked == []


async def test_a_run_is_let_go_after_its_children_are_marked() -> None:
    scene = Scene()
    await scene.apply(HoldExecution())
    scene.world.put(make_job())
    scene.world.put(make_pod("Running", running()))
    attempt = make_attempt(job_uid=uid_of(make_job()), pod_name="sales-1-1-x7k2p")
    await scene.apply(ReleaseExecution((attempt,)))
    assert scene.run.metadata.finalizers == ()
    assert scene.run.metadata.labels[FINISHED_LABEL] == "true"
    for ref in (Ref(JOB, "default", "sales-1-1"), Ref(POD, "default", "sales-1-1-x7k2p")):
        assert scene.labels(ref)[FINISHED_LABEL] == "true"
    # The Job is known by its uid; which pod has the name is read.
    assert scene.world.asked == ["apply Job", "get Pod", "apply Pod", "apply Execution"]


async def test_what_is_gone_needs_no_mark() -> None:
    scene = Scene()
    unknown, known = make_attempt(pod_name="gone"), make_attempt(2, job_uid="gone")
    await scene.apply(ReleaseExecution((unknown, known)))
    assert scene.world.asked == ["get Job", "get Pod", "apply Job", "apply Execution"]
    assert (scene.names(JOB), scene.names(POD)) == ([], [])


async def test_a_job_that_was_made_again_is_not_marked() -> None:
    scene = Scene()
    scene.world.put(make_job())
    await scene.apply(ReleaseExecution((make_attempt(job_uid="another"),)))
    assert scene.labels(Ref(JOB, "default", "sales-1-1")) == {}


# ---- the snapshot --------------------------------------------------------------------------------

SNAPSHOT = Ref(CONTROLLER_REVISION, "default", "sales-1-spec")
FREEZE = SnapshotAgent(make_spec(prompt="Count."), "agent-uid", Charge("ada", ("team",)))


async def test_the_snapshot_holds_the_spec_and_who_is_charged() -> None:
    scene = Scene()
    applied = await scene.apply(FREEZE, FREEZE)
    found = scene.world.objects[SNAPSHOT]
    assert (read_snapshot(found), read_charge(found)) == (FREEZE.spec, FREEZE.charge)
    assert applied.versions == [scene.version(SNAPSHOT)]  # it was made once


@pytest.mark.parametrize(
    "older",
    [
        SnapshotAgent(make_spec(prompt="Older."), "agent-uid", FREEZE.charge),
        SnapshotAgent(FREEZE.spec, "agent-uid", Charge("bob")),
    ],
)
async def test_a_snapshot_from_before_a_crash_is_made_anew(older: SnapshotAgent) -> None:
    scene = Scene()
    before = build_snapshot(scene.run, older.spec, older.agent_uid, older.charge)
    scene.world.put(before)
    await scene.apply(FREEZE)
    found = scene.world.objects[SNAPSHOT]
    assert (read_snapshot(found), read_charge(found)) == (FREEZE.spec, FREEZE.charge)


@pytest.mark.parametrize(
    ("owners", "words"),
    [
        ([], "was not made for this Execution"),
        ([{"kind": "Deployment", "uid": "x"}], "was not made for this Execution"),
        ([{"kind": "Execution", "uid": "x"}], "still belongs to an earlier Execution"),
        (
            [{"kind": "Deployment", "uid": "x"}, {"kind": "Execution", "uid": "y"}],
            "still belongs to an earlier Execution",
        ),
    ],
)
async def test_what_was_not_made_for_this_run_is_not_taken(
    owners: Sequence[JsonObject], words: str
) -> None:
    scene = Scene()
    found = build_snapshot(scene.run, FREEZE.spec, "agent-uid", FREEZE.charge)
    meta = {**mapping_at(found, "metadata"), "ownerReferences": owners}
    scene.world.put({**found, "metadata": meta})
    with pytest.raises(NameTakenError, match=words):
        await scene.apply(FREEZE)


async def test_a_name_that_was_taken_and_is_free_again_is_a_conflict() -> None:
    scene = Scene()
    scene.world.failures["create"] = AlreadyExistsError("it exists")
    with pytest.raises(ConflictError, match="sales-1-spec"):
        await scene.apply(FREEZE)


# ---- the start -----------------------------------------------------------------------------------

VOLUME = {"storage": {"type": "Volume", "size": "1Gi"}}


@pytest.mark.parametrize(
    ("workspace", "claims"), [({}, []), (VOLUME, ["sales-1-workspace"])], ids=["", "a volume"]
)
async def test_a_start_makes_secret_claim_and_job_once(
    workspace: dict[str, object], claims: list[str]
) -> None:
    scene = Scene()
    start = StartAttempt(make_attempt(2), make_spec(workspace=workspace), 600, None)
    for made in (True, False):
        applied = await scene.apply(start)
        job = scene.world.objects[Ref(JOB, "default", "sales-1-2")]
        assert applied.job_uids == {2: uid_of(job)}
        assert len(applied.versions) == (2 + len(claims) if made else 0)
        assert scene.names(SECRET) == scene.names(JOB) == ["sales-1-2"]
        assert scene.names(VOLUME_CLAIM) == claims


@pytest.mark.parametrize(("endpoint", "traced"), [("", False), ("http://collector:4318", True)])
async def test_a_run_is_traced_where_there_is_a_collector(endpoint: str, traced: bool) -> None:
    scene = Scene(make_settings().model_copy(update={"otlp_endpoint": endpoint}))
    await scene.apply(StartAttempt(FIRST, make_spec(), 600, None))
    [job] = [each for ref, each in scene.world.objects.items() if ref.kind == JOB]
    assert ("TRACEPARENT" in str(job)) is traced


def test_a_status_takes_over_what_was_confirmed_and_made() -> None:
    first = make_attempt(1, job_uid="one", key_revoked=True)
    status = make_condition_status(first, make_attempt(2), make_attempt(3))
    assert Applied("1", set(), {}).in_status(status) is status
    revoked = Applied("1", {2}, {}).in_status(status)
    assert [each.key_revoked for each in revoked.attempts] == [True, True, False]
    assert [each.job_uid for each in revoked.attempts] == ["one", None, None]
    made = Applied("1", set(), {3: "three"}).in_status(status)
    assert [each.key_revoked for each in made.attempts] == [True, False, False]
    assert [each.job_uid for each in made.attempts] == ["one", None, "three"]


# ---- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
async def test_only_what_the_gateway_confirms_is_revoked(answers: bool) -> None:
    scene = Scene()
    scene.gateway.answers = answers
    applied = await scene.apply(RevokeKey(make_attempt(2)))
    assert applied.revoked == ({2} if answers else set())
    assert scene.gateway.revoked == ([(scene.run.metadata.uid, 2)] if answers else [])


@pytest.mark.parametrize(
    ("pod_name", "job_uid", "asked"),
    [
        ("sales-1-1-x7k2p", uid_of(make_job()), ["delete Pod", "delete Job"]),
        ("sales-1-1-x7k2p", None, ["delete Pod"]),
        (None, uid_of(make_job()), ["delete Job"]),
        (None, None, []),
    ],
)
async def test_a_stop_deletes_the_pod_with_a_short_grace_and_then_its_job(
    pod_name: str | None, job_uid: str | None, asked: list[str]
) -> None:
    scene = Scene()
    pod = make_pod("Running", running())
    scene.world.put(make_job())
    scene.world.put(pod)
    await scene.apply(StopAttempt("sales-1-1", job_uid, pod_name, uid_of(pod), 3))
    assert scene.world.asked == asked
    assert scene.names(JOB) == ([] if job_uid else ["sales-1-1"])
    meta = meta_of(scene.world.objects[Ref(POD, "default", "sales-1-1-x7k2p")])
    assert meta.get("deletionGracePeriodSeconds") == (3 if pod_name else None)


async def test_a_stop_spares_what_was_made_again_under_the_name() -> None:
    scene = Scene()
    scene.world.put(make_job())
    scene.world.put(make_pod("Running", running()))
    await scene.apply(StopAttempt("sales-1-1", "another", "sales-1-1-x7k2p", "another", 3))
    assert scene.names(JOB) == ["sales-1-1"]
    pod = scene.world.objects[Ref(POD, "default", "sales-1-1-x7k2p")]
    assert "deletionTimestamp" not in meta_of(pod)


TELL = TellAgent("ExecutionDeleted", "It was deleted.")


@pytest.mark.parametrize("is_known", [True, False])
async def test_an_event_is_told_to_the_agent_once(is_known: bool) -> None:
    scene = Scene()
    if is_known:
        scene.agents.see(make_agent())
    await scene.apply(TELL)
    assert scene.world.asked == [*([] if is_known else ["get Agent"]), "create Event"]
    await scene.apply(TELL)
    [event] = [each for ref, each in scene.world.objects.items() if ref.kind == EVENT]
    assert (event["reason"], event["message"]) == (TELL.reason, TELL.message)
    assert mapping_at(event, "involvedObject")["name"] == "sales"


@pytest.mark.parametrize(
    ("failure", "is_raised"),
    [(NamespaceTerminatingError("it goes"), False), (WorldError("no"), True)],
)
async def test_an_event_that_no_one_will_read_is_left_out(
    failure: WorldError, is_raised: bool
) -> None:
    scene = Scene()
    scene.world.failures["create"] = failure
    try:
        await scene.apply(TELL)
    except WorldError:
        assert is_raised
    else:
        assert not is_raised


async def test_no_event_is_told_to_an_agent_that_is_gone() -> None:
    scene = Scene()
    scene.world.objects = {RUN: scene.world.objects[RUN]}
    await scene.apply(TELL)
    assert scene.names(EVENT) == []


@pytest.mark.parametrize(
    ("obj", "version"),
    [
        ({"metadata": {"resourceVersion": "7"}}, "7"),
        ({"metadata": {}}, ""),
        ({"metadata": None}, ""),
        ({}, ""),
        ({"metadata": {"resourceVersion": 7}}, ""),
    ],
)
def test_an_object_without_a_version_has_none(obj: JsonObject, version: str) -> None:
    assert read_version(obj) == version
