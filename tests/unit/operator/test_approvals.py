"""Asks of runs: what becomes of them by decisions, by time and by the end of their runs."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from heliostat_core.approvals import Approval, ApprovalState
from heliostat_core.names import CLAIM_FINALIZER
from heliostat_core.worlds import (
    APPROVAL,
    EVENT,
    EXECUTION,
    Change,
    ForbiddenError,
    InvalidError,
    JsonObject,
    JsonValue,
    NamespaceTerminatingError,
    Ref,
    UnavailableError,
    WorldError,
)
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.messages import decide_command, resolve_command, say_event, show
from heliostat_operator.approvals.policy_check import PolicyCheck
from heliostat_operator.engine import Engine
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.indexes import OpenAsks
from support.builders.pods import stamp
from support.builders.resources import (
    NOW,
    make_condition_status,
    make_execution,
    make_settings,
    make_uid,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import Document, MemoryWorld, meta_of

DIGEST = "sha256:" + "a" * 64
KEY = ("default", "sales-1-aaaa")
REF, RUN = Ref(APPROVAL, *KEY), Ref(EXECUTION, "default", "sales-1")
EXPIRES = NOW + seconds(3600)


def word(by: str, decision: str = "Approve") -> dict[str, JsonValue]:
    return {"by": by, "decision": decision, "digest": DIGEST}


class Trials:
    """An API server that answers a trial in that way."""

    def __init__(self, error: WorldError | None) -> None:
        self.error = error
        self.tried: list[JsonObject] = []

    async def try_create(self, obj: JsonObject) -> None:
        self.tried.append(obj)
        if self.error is not None:
            raise self.error


REFUSED = InvalidError(
    'approvals.heliostat.dev "heliostat-policy-check" is forbidden: ValidatingAdmissionPolicy '
    "'heliostat-approvals' with binding 'heliostat-approvals' denied request: only the operator "
    "asks, and nobody has decided before that"
)


class Stage:
    """One run that asks, in memory, and the operator."""

    def __init__(self, error: WorldError | None = REFUSED) -> None:
        self.world = MemoryWorld()
        self.now = NOW
        self.trials = Trials(error)
        self.check = PolicyCheck(self.trials, lambda: (self.now - NOW).total_seconds())
        self.engine = self.restarted()
        execution = make_execution(status=make_condition_status(), requestedBy="ann").to_json()
        self.world.put(execution)

    def restarted(self) -> Engine:
        """Another process of the operator."""
        self.engine = Engine(
            self.world,
            FakeGateway(),
            Signer("", self.clock),
            make_settings(),
            self.clock,
            parts=[self.check],
        )
        return self.engine

    def clock(self) -> datetime:
        return self.now

    def ask(self, *decisions: JsonValue, state: str = "", **spec: JsonValue) -> None:
        uid = make_uid("execution/default/sales-1")
        action: JsonValue = {
            "tool": "Bash",
            "class": "Send",
            "target": "a.example",
            "digest": DIGEST,
            "complete": True,
        }
        document: dict[str, JsonValue] = {
            "apiVersion": "heliostat.dev/v1alpha1",
            "kind": "Approval",
            "metadata": {"name": KEY[1], "namespace": KEY[0]},
            "spec": {
                "executionRef": {"name": "sales-1", "uid": uid},
                "action": action,
                "expiresTime": stamp(EXPIRES),
                "decisions": list(decisions),
                **spec,
            },
        }
        if state:
            claim: JsonValue = {"attempt": 2, "time": stamp(NOW)}
            document["status"] = {"state": state, "claim": claim}
        self.world.put(document)

    def look(self) -> float | None:
        """One look at the ask. Returns in how many seconds the next one is due."""
        return run(self.engine.controller("approval").reconcile(KEY))

    def after(self, *decisions: JsonValue) -> str:
        """The state after a look, with these decisions."""
        if decisions:
            found = self.world.objects[REF]
            spec = found["spec"]
            assert isinstance(spec, Mapping)
            self.world.put({**found, "spec": {**spec, "decisions": list(decisions)}})
        self.look()
        return self.approval.state.value

    @property
    def approval(self) -> Approval:
        return Approval.model_validate(self.world.objects[REF])

    def change_run(self, **changes: JsonValue) -> None:
        self.world.put({**self.world.objects[RUN], **changes})

    def events(self) -> Sequence[Document]:
        return [each for ref, each in self.world.objects.items() if ref.kind == EVENT]


def test_people_are_told_how_to_decide_and_their_yes_grants() -> None:
    stage = Stage()
    stage.ask()
    assert stage.look() == 300
    assert (stage.approval.state, stage.approval.status.reason) == ("Pending", "NobodyDecided")
    subjects = [(each["reason"], each["involvedObject"]["kind"]) for each in stage.events()]  # type: ignore[call-overload,index]
    assert subjects == [("ApprovalPending", "Approval"), ("ApprovalPending", "Execution")]
    for each in stage.events():
        assert decide_command(stage.approval) in str(each["message"])
    assert stage.after(word("bob")) == "Granted"
    status = stage.approval.status
    assert (status.counted, status.decided_time) == (("bob",), NOW)
    assert status.message == "Approved by bob; the run goes on when a slot is free."
    assert stage.approval.metadata.finalizers == (CLAIM_FINALIZER,)
    assert len(stage.events()) == 4


def test_a_look_that_changes_nothing_writes_nothing() -> None:
    stage = Stage()
    stage.ask()
    stage.look()
    before = stage.approval
    stage.look()
    assert stage.approval == before


def test_one_no_denies() -> None:
    stage = Stage()
    stage.ask()
    assert stage.after(word("bob"), word("carl", "Deny")) == "Denied"
    assert stage.approval.status.message == "Denied by carl; the action does not take place."
    assert stage.approval.metadata.finalizers == ()


def test_the_requester_is_asked_of_the_run() -> None:
    stage = Stage()
    stage.ask(requesterMayApprove=False)
    assert stage.after(word("ann")) == "Pending"
    assert stage.approval.status.reason == "NoDecisionCounts"
    assert stage.after(word("ann"), word("bob")) == "Granted"


def test_an_ask_expires_also_while_no_operator_lives() -> None:
    stage = Stage()
    stage.ask()
    stage.look()
    stage.now = EXPIRES - seconds(100)
    assert stage.look() == 100
    stage.now = EXPIRES + seconds(86_400)
    stage.restarted()
    assert stage.after() == "Expired"
    assert stage.look() is None
    assert stage.after(word("bob")) == "Expired"


def test_a_decision_after_the_end_does_not_count_however_late_it_is_seen() -> None:
    stage = Stage()
    stage.ask(word("bob"))
    fields: JsonValue = {"f:spec": {"f:decisions": {'k:{"by":"bob"}': {".": {}}}}}
    notes: JsonValue = [
        {
            "manager": "kubectl-patch",
            "operation": "Update",
            "time": stamp(EXPIRES + seconds(1)),
            "fieldsV1": fields,
        }
    ]
    meta_of(stage.world.objects[REF])["managedFields"] = notes
    stage.now = EXPIRES + seconds(60)
    assert stage.after() == "Expired"


RUN_ENDS: Sequence[tuple[dict[str, JsonValue], str]] = (
    ({"spec": {"agentRef": {"name": "sales"}, "cancel": True}}, "ExecutionCancelled"),
    (
        {"status": make_condition_status(succeeded="False", reason="TimedOut").to_json()},
        "ExecutionFinished",
    ),
)


@pytest.mark.parametrize("state", ["Pending", "Granted"])
@pytest.mark.parametrize(("change", "reason"), RUN_ENDS, ids=["cancelled", "finished"])
def test_a_run_that_ends_withdraws_its_asks(
    state: str, change: dict[str, JsonValue], reason: str
) -> None:
    stage = Stage()
    stage.ask(state=state)
    stage.change_run(**change)
    assert stage.after(word("bob")) == "Withdrawn"
    assert stage.approval.status.reason == reason
    assert stage.approval.metadata.finalizers == ()


def test_a_run_that_is_gone_withdraws_its_asks() -> None:
    stage = Stage()
    stage.ask()
    del stage.world.objects[RUN]
    assert stage.after() == "Withdrawn"
    assert stage.approval.status.reason == "ExecutionDeleted"


def test_another_run_of_the_name_is_not_asked_for() -> None:
    stage = Stage()
    stage.ask()
    meta_of(stage.world.objects[RUN])["uid"] = "another"
    assert stage.after(word("bob")) == "Withdrawn"


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_claim_whose_run_ended_without_a_receipt_is_unknown(is_gone: bool) -> None:
    stage = Stage()
    stage.ask(state="Claimed")
    assert stage.after() == "Claimed"
    assert CLAIM_FINALIZER in stage.approval.metadata.finalizers
    if is_gone:
        del stage.world.objects[RUN]
    else:
        stage.change_run(**RUN_ENDS[1][0])
    assert stage.after() == "OutcomeUnknown"
    assert resolve_command(stage.approval) in stage.approval.status.message
    assert not stage.approval.metadata.finalizers


def test_a_person_resolves_what_nobody_knows() -> None:
    stage = Stage()
    stage.ask(state="OutcomeUnknown", resolution={"by": "ann", "outcome": "Happened"})
    assert stage.after() == "Done"
    assert stage.approval.status.receipt is not None


@pytest.mark.parametrize(
    ("error", "authority"),
    [
        (REFUSED, Authority.API_SERVER),
        (None, Authority.API),
        (ForbiddenError("approvals is forbidden: no right to create"), Authority.API),
    ],
)
def test_a_forged_decision_tells_whether_the_policy_is_in_force(
    error: WorldError | None, authority: Authority
) -> None:
    stage = Stage(error)
    assert run(stage.check.authority_of("team")) is authority
    assert run(stage.check.authority_of("team")) is authority
    [forged] = stage.trials.tried
    assert meta_of(dict(forged))["namespace"] == "team"
    spec = Approval.model_validate(forged).spec
    assert spec.decisions, "an ask without a decision would be let in"
    stage.now += seconds(61)
    run(stage.check.authority_of("team"))
    assert len(stage.trials.tried) == 2


def test_nothing_is_decided_while_nobody_knows_of_the_policy() -> None:
    stage = Stage(UnavailableError("no connection"))
    stage.ask(word("bob"))
    with pytest.raises(UnavailableError):
        stage.look()
    assert stage.approval.state is ApprovalState.PENDING


def test_what_was_said_without_the_policy_counts_no_more_when_it_is_back() -> None:
    stage = Stage(None)
    stage.ask(word("bob"))
    assert stage.after() == "Pending"
    assert stage.approval.status.api_only
    assert "only the api may approve" in stage.approval.status.message
    stage.trials.error, stage.now = REFUSED, NOW + seconds(120)
    assert stage.after() == "Pending"
    assert stage.after(word("bob"), word("carl", "Deny")) == "Denied"


def test_without_an_api_server_nobody_is_held_to_a_name() -> None:
    stage = Stage()
    stage.engine = Engine(
        stage.world, FakeGateway(), Signer("", stage.clock), make_settings(), stage.clock
    )
    stage.ask(word("bob"))
    assert stage.after() == "Granted"
    assert stage.trials.tried == []


def test_a_change_of_a_run_wakes_its_asks_alone() -> None:
    async def go() -> None:
        stage = Stage()
        stage.ask()
        stage.engine.see(APPROVAL, Change("ADDED", stage.world.objects[REF]))
        stage.engine.see(EXECUTION, Change("MODIFIED", stage.world.objects[RUN]))
        other = make_execution("sales-2").to_json()
        stage.engine.see(EXECUTION, Change("MODIFIED", other))
        assert stage.engine.depths()["approval"] == 1

    run(go())


def test_a_resync_looks_at_nothing_that_has_ended() -> None:
    async def go() -> None:
        stage = Stage()
        stage.ask(word("bob", "Deny"))
        stage.engine.see(APPROVAL, Change("MODIFIED", stage.world.objects[REF]))
        assert stage.engine.depths()["approval"] == 1
        await stage.engine.controller("approval").reconcile(KEY)
        other = stage.restarted()
        other.see(APPROVAL, Change("MODIFIED", stage.world.objects[REF]))
        assert other.depths()["approval"] == 0

    run(go())


def test_in_a_namespace_that_goes_nothing_is_tried() -> None:
    stage = Stage(NamespaceTerminatingError("being terminated"))
    stage.ask()
    with pytest.raises(NamespaceTerminatingError):
        stage.look()
    meta_of(stage.world.objects[RUN])["deletionTimestamp"] = stamp(NOW)
    assert stage.after() == "Withdrawn"


def test_open_asks_are_known_until_they_end() -> None:
    stage, asks = Stage(), OpenAsks()
    stage.ask()
    asks.see(stage.approval)
    assert asks.of(("default", "sales-1")) == {KEY}
    assert asks.count(ApprovalState.PENDING) == 1
    assert asks.longest_wait(NOW + seconds(30)) == 30
    stage.ask(state="Denied")
    asks.see(stage.approval)
    assert (asks.known(), asks.of(("default", "sales-1"))) == (frozenset(), frozenset())
    assert asks.longest_wait(NOW) == 0


def test_the_command_is_one_for_a_shell() -> None:
    stage = Stage()
    stage.ask()
    words = shlex.split(decide_command(stage.approval))
    assert words[:4] == ["kubectl", "-n", "default", "patch"]
    [patch] = [each for each in words if each.startswith("[")]
    assert '"by":"$(kubectl auth whoami' in patch


def test_what_a_run_chose_hides_nothing() -> None:
    assert show("a\u202eb\nc") == "a\\u{202e}b\\u{a}c"
    assert show("x" * 200) == "x" * 120 + " …"
    stage = Stage()
    stage.ask()
    assert "Bash (Send) to a.example" in say_event(stage.approval)
