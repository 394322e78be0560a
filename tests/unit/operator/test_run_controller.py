"""What wakes an Execution, its schedule and its Agent; in which order runs are worked on."""

from typing import Literal, TypeAlias

import pytest

from heliostat_core.conditions import ExecutionCondition, FinishedReason, set_condition
from heliostat_core.executions import Execution, ExecutionStatus
from heliostat_core.keys import new_private_key
from heliostat_core.names import EXECUTION_ANNOTATION, OFFERED_ANNOTATION
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    JOB,
    POD,
    Change,
    JsonObject,
    JsonValue,
    Kind,
    Ref,
)
from heliostat_operator.controllers.base import Context, Controller
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.indexes import ScheduledRuns, UnfinishedRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Unmetered
from heliostat_operator.queues import KeyQueue, Queues
from heliostat_operator.runs.concurrency import limiter_of
from heliostat_operator.runs.controller import build
from heliostat_operator.runs.observe import observer_of
from heliostat_operator.secrets.vaults import NoVault
from support.builders.pods import make_job, make_pod, running, terminated
from support.builders.resources import (
    NOW,
    make_admitted,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_uid,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld
from support.objects import with_metadata

SIGNER = Signer(new_private_key(), lambda: NOW)
KEY, AGENT_KEY = ("default", "sales-1"), ("default", "sales")
SCHEDULED = {"kind": "Schedule", "id": "Builtin", "scheduledTime": NOW}
Happened: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
SLOTS = 3  # of which a namespace has two


class Told(KeyQueue[Key]):
    """Writes down what is put into it; `working` is what a worker has."""

    def __init__(self, name: str, told: list[str], working: set[Key]) -> None:
        super().__init__(_work_on_nothing, 1)
        self._name = name
        self._told = told
        self._working = working

    def add(self, key: Key, *, urgent: bool = False) -> None:
        self._told.append(f"{'urgent ' if urgent else ''}{self._name} {key[1]}")

    def add_rested(self, key: Key) -> None:
        self._told.append(f"rested {self._name} {key[1]}")

    def works_on(self, key: Key) -> bool:
        return key in self._working


async def _work_on_nothing(_: Key) -> None:
    return None


class ReadingWorld(MemoryWorld):
    """Writes down what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    async def get(self, ref: Ref) -> JsonObject | None:
        self.reads.append(f"{ref.kind.name} {ref.name}")
        return await super().get(ref)


class Room:
    """The controller of Executions with queues that nobody works on."""

    def __init__(self) -> None:
        self.world = ReadingWorld()
        self.told: list[str] = []
        self.working: set[Key] = set()
        queues = Queues()
        for name in ("execution", "schedule", "agent"):
            queues.open(name, Told(name, self.told, self.working))
        self.context = Context(
            world=self.world,
            gateway=FakeGateway(),
            signer=SIGNER,
            settings=make_settings(max_concurrent_executions=SLOTS),
            clock=lambda: NOW,
            queues=queues,
            meter=Unmetered(),
            vault=NoVault(),
        )
        self.controller: Controller
        [self.controller] = build(self.context)
        self.limiter = limiter_of(self.context)
        self.limiter.see_agent(make_agent(maxConcurrentExecutions=10))

    def see(self, execution: Execution, type_: Happened = "MODIFIED") -> list[str]:
        """What is woken by a change of an Execution."""
        return self.change(EXECUTION, Change(type_, execution.to_json()))

    def change(self, kind: Kind, change: Change) -> list[str]:
        self.told.clear()
        self.controller.changed(kind, change)
        return list(self.told)


def status_of(
    condition: ExecutionCondition, reason: str, status: ExecutionStatus | None = None
) -> ExecutionStatus:
    """A status in which that condition is False."""
    known = status or ExecutionStatus()
    conditions = set_condition(
        known.conditions, condition, "False", reason, "", generation=1, now=NOW
    )
    return known.model_copy(update={"conditions": conditions})


def make_told(name: str, **fields: object) -> Execution:
    """A run that waits and says so."""
    status = status_of(ExecutionCondition.ADMITTED, "TotalConcurrency")
    return make_execution(name, status=status, **fields)  # type: ignore[arg-type]


CANCELLED = status_of(
    ExecutionCondition.SUCCEEDED, FinishedReason.CANCELLED, make_admitted().status
)


# ---- ranks -------------------------------------------------------------------------------------


def test_what_runs_and_ends_goes_before_what_begins_and_that_before_what_waits() -> None:
    room = Room()
    for each in (
        make_admitted(name="runs"),
        make_told("stopped", cancel=True),
        make_told("first", created=NOW),
        make_told("second", created=NOW + seconds(1)),
        make_execution("new", created=NOW + seconds(2)),
    ):
        room.see(each)
    room.limiter.granted()
    names = ("unknown", "runs", "stopped", "first", "second", "new")
    ranks = {name: room.controller.rank(("default", name)) for name in names}
    assert ranks == {"unknown": 0, "runs": 0, "stopped": 0, "first": 1, "second": 2, "new": 1}


# ---- wakes -------------------------------------------------------------------------------------

OFFERED = {"annotations": {OFFERED_ANNOTATION: "cron"}}
DELETED = make_execution(status=CANCELLED, deleted=NOW)


def offered() -> Execution:
    document = with_metadata(make_execution(trigger=SCHEDULED).to_json(), **OFFERED)
    return Execution.model_validate(document)


@pytest.mark.parametrize(
    ("execution", "type_", "woken"),
    [
        (make_execution(), "ADDED", ["execution sales-1"]),
        (make_admitted(), "MODIFIED", ["execution sales-1"]),
        (offered(), "ADDED", ["urgent schedule sales", "execution sales-1"]),
        (make_execution(status=CANCELLED), "MODIFIED", ["schedule sales", "execution sales-1"]),
        (make_execution(), "DELETED", ["schedule sales", "execution sales-1"]),
        (make_execution(deleted=NOW), "DELETED", ["schedule sales", "execution sales-1"]),
        (make_execution(status=CANCELLED), "DELETED", ["schedule sales", "execution sales-1"]),
        (DELETED, "DELETED", ["schedule sales"]),
        (DELETED, "MODIFIED", ["schedule sales", "execution sales-1"]),
    ],
    ids=[
        "a new run",
        "a run",
        "an offer, which a schedule decides on",
        "the end of a run",
        "a run that went",
        "a run that went and was deleted",
        "a finished run that left what is watched",
        "a finished run that was deleted and went",
        "a finished run that is being deleted",
    ],
)
def test_a_change_of_a_run_wakes_it_its_schedule_and_its_agent(
    execution: Execution, type_: Happened, woken: list[str]
) -> None:
    assert Room().see(execution, type_) == [*woken, "rested agent sales"]


def test_what_is_written_during_a_look_wakes_only_the_agent() -> None:
    """It may be our own write. The Agent counts its runs."""
    room = Room()
    room.see(make_execution())
    room.working.add(KEY)
    assert room.see(make_execution()) == ["rested agent sales"]


async def test_what_was_written_during_a_look_is_told_at_its_end() -> None:
    room = Room()
    room.working.add(KEY)
    room.see(make_execution(), "DELETED")
    room.working.clear()
    room.told.clear()
    await room.controller.reconcile(KEY)
    assert room.told == ["execution sales-1"]
    room.told.clear()
    await room.controller.reconcile(KEY)
    assert room.told == []


async def test_a_run_that_is_over_after_a_look_wakes_its_agent() -> None:
    room = Room()
    room.see(make_execution())
    await room.controller.reconcile(KEY)  # which admits it from what the watch brought
    room.told.clear()
    assert KEY in room.limiter
    room.world.objects.clear()
    await room.controller.reconcile(KEY)
    assert room.told == ["rested agent sales"]
    room.told.clear()
    await room.controller.reconcile(KEY)
    assert room.told == []


def test_a_slot_that_a_run_gives_back_wakes_those_that_get_it() -> None:
    room = Room()
    for name in ("one", "two"):
        room.see(make_admitted(name=name))
    for number, name in enumerate(("three", "four")):
        room.see(make_told(name, created=NOW + seconds(number)))
    assert room.see(make_admitted(name="one"), "DELETED") == [
        "schedule sales",
        "execution three",
        "execution one",
        "rested agent sales",
    ]


def pod_change(type_: Happened = "MODIFIED", **fields: object) -> Change:
    annotations = {EXECUTION_ANNOTATION: KEY[1]}
    pod = make_pod("Running", running(), annotations=annotations, **fields)  # type: ignore[arg-type]
    return Change(type_, with_metadata(pod, resourceVersion="900"))


def job_change() -> Change:
    annotations: JsonValue = {EXECUTION_ANNOTATION: KEY[1]}
    return Change(
        "MODIFIED", with_metadata(make_job(), annotations=annotations, resourceVersion="901")
    )


def test_jobs_and_pods_wake_the_execution_that_they_name() -> None:
    room = Room()
    assert room.change(POD, pod_change()) == ["execution sales-1"]
    assert room.change(JOB, job_change()) == ["execution sales-1"]
    assert room.change(POD, Change("MODIFIED", make_pod())) == []
    assert room.change(JOB, Change("MODIFIED", make_job())) == []


STOPPING = make_admitted(make_attempt(job_uid="job"), cancel=True)


@pytest.mark.parametrize(
    ("pod", "tells"),
    [
        (pod_change(), True),
        (pod_change(deleted=NOW), False),
        (pod_change("DELETED", deleted=NOW), True),
    ],
    ids=["it runs", "it begins to leave", "it is gone"],
)
def test_a_stop_waits_for_the_end_of_its_pod(pod: Change, tells: bool) -> None:
    """Meanwhile nothing that its Job says matters."""
    room = Room()
    room.see(STOPPING)
    assert (room.change(POD, pod) == ["execution sales-1"]) is tells
    assert (room.change(JOB, job_change()) == ["execution sales-1"]) is tells


def test_a_pod_that_is_over_ends_a_stop() -> None:
    room = Room()
    room.see(STOPPING)
    room.change(POD, pod_change(deleted=NOW))
    annotations: dict[str, str] = {EXECUTION_ANNOTATION: KEY[1]}
    over = make_pod("Failed", terminated(143), annotations=annotations, deleted=NOW)
    assert room.change(POD, Change("MODIFIED", over)) == ["execution sales-1"]
    assert room.change(JOB, job_change()) == ["execution sales-1"]


def test_a_pod_that_leaves_though_nothing_stops_its_run_wakes_it() -> None:
    room = Room()
    room.see(make_admitted(make_attempt(job_uid="job")))
    assert room.change(POD, pod_change(deleted=NOW)) == ["execution sales-1"]


# ---- what is forgotten -------------------------------------------------------------------------


async def test_of_a_run_that_went_nothing_is_kept() -> None:
    room = Room()
    run = make_admitted(make_attempt(job_uid=make_uid("job")), cancel=True)
    observer = observer_of(room.context)
    room.see(run)
    room.see(make_execution("scheduled", trigger=SCHEDULED))
    room.change(POD, pod_change(deleted=NOW))
    assert (await observer.observe(run)).ledger is not None
    for each in (run, make_execution("scheduled", trigger=SCHEDULED)):
        room.see(each, "DELETED")
    unfinished = room.context.shared(UnfinishedRuns, UnfinishedRuns)
    scheduled = room.context.shared(ScheduledRuns, ScheduledRuns)
    assert (KEY in room.limiter, unfinished.known(), scheduled.known()) == (
        False,
        frozenset(),
        frozenset(),
    )
    assert (await observer.observe(run)).ledger is not None  # as if for the first time
    assert room.change(JOB, job_change()) == ["execution sales-1"]
    room.world.reads.clear()
    await room.controller.reconcile(KEY)
    assert room.world.reads == ["Execution sales-1"]  # what the watch brought is not used


async def test_what_is_stopped_is_decided_from_what_the_watch_brought() -> None:
    """An operator that has queues of thousands to stop reads none of them."""
    room = Room()
    stopped = make_told("sales-1", cancel=True)
    room.world.put(stopped.to_json())
    [(_, change)] = room.world.changes
    room.change(EXECUTION, change)
    await room.controller.reconcile(KEY)
    assert "Execution sales-1" not in room.world.reads


def test_a_list_shows_which_runs_and_agents_are_gone() -> None:
    room = Room()
    unfinished = room.context.shared(UnfinishedRuns, UnfinishedRuns)
    for name in ("stays", "gone"):
        room.see(make_execution(name))
    end = room.controller.begin_resync()
    room.see(make_execution("came"))
    keys = [("default", "stays")]
    end({EXECUTION: keys, AGENT: [AGENT_KEY]})
    left = {("default", "stays"), ("default", "came")}
    assert unfinished.known() == left
    assert {key for key in (*left, ("default", "gone")) if key in room.limiter} == left
    assert room.limiter.known().agents == {AGENT_KEY}
    room.controller.begin_resync()({EXECUTION: keys, AGENT: []})
    assert room.limiter.known().agents == frozenset()


def test_what_is_listed_is_looked_at_though_it_is_our_own_write() -> None:
    room = Room()
    room.working.add(KEY)
    change = Change("MODIFIED", make_execution().to_json())
    room.controller.listed(EXECUTION, change)
    assert room.told == ["rested agent sales"]  # a look goes on, and its end tells
    room.working.clear()
    room.told.clear()
    room.controller.listed(EXECUTION, change)
    assert room.told == ["execution sales-1", "rested agent sales"]


def test_the_status_of_a_run_of_a_schedule_is_news() -> None:
    room = Room()
    status = make_condition_status(make_attempt())
    for run in (make_execution(trigger=SCHEDULED), make_execution("by-hand")):
        room.see(run)
    made = Change("ADDED", {**make_execution(trigger=SCHEDULED).to_json(), "status": {}})
    told = make_execution(trigger=SCHEDULED, status=status).to_json()
    may_wait = room.controller.may_wait
    assert may_wait(EXECUTION, made)
    assert not may_wait(EXECUTION, Change("DELETED", made.object))
    assert not may_wait(EXECUTION, Change("MODIFIED", told))
    assert not may_wait(POD, made)
