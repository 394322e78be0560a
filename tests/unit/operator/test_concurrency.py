"""Who may start next: limits are never exceeded, priorities hold, nobody waits for ever."""

import pickle
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from heliostat_core.conditions import ExecutionCondition, FinishedReason, set_condition
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.admission import slot_block
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.observations import LimitUse
from heliostat_operator.runs.slots import SlotState, slot_request_of
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)

AGING = 300.0
LATE = NOW + seconds(60)


def make_waiting(name: str, *, after: float = 0, priority: int | None = None) -> Execution:
    return make_execution(name, created=NOW + seconds(after), priority=priority)


def admitted(execution: Execution) -> Execution:
    return execution.model_copy(update={"status": make_condition_status()})


def later(execution: Execution, status: ExecutionStatus) -> Execution:
    """A newer version of it, with that status."""
    version = int(execution.metadata.resource_version) + 1
    meta = execution.metadata.model_copy(update={"resource_version": str(version)})
    return execution.model_copy(update={"metadata": meta, "status": status})


def starting(execution: Execution) -> Execution:
    attempt = make_attempt(execution=execution.metadata.name)
    return later(execution, make_condition_status(attempt))


def stalled(execution: Execution, reason: str = "ImagePullFailed") -> Execution:
    """Its pod can't start."""
    blocks = (BlockedBy(reason=reason),)
    return later(execution, execution.status.model_copy(update={"blocked_by": blocks}))


def between(execution: Execution, wait: float, since: float = 0) -> Execution:
    """Its attempt has ended, and the next one comes after so many seconds."""
    end = NOW + seconds(since)
    [*_, last] = execution.status.attempts
    over = last.model_copy(update={"end_time": end, "reason": "AgentError", "cause": "agent"})
    status = execution.status.model_copy(
        update={
            "attempts": (over,),
            "blocked_by": (BlockedBy(reason="Backoff"),),
            "next_attempt_time": end + seconds(wait),
        }
    )
    return later(execution, status)


def in_namespace(name: str, namespace: str, after: float = 0) -> Execution:
    return make_execution(name, namespace=namespace, created=NOW + seconds(after))


def finished(execution: Execution) -> Execution:
    conditions = set_condition(
        (),
        ExecutionCondition.SUCCEEDED,
        "True",
        FinishedReason.VERIFIED,
        "",
        generation=1,
        now=NOW,
    )
    status = execution.status.model_copy(update={"conditions": conditions})
    return execution.model_copy(update={"status": status})


def make_board(*executions: Execution, total: int = 1, limit: int = 10) -> ConcurrencyLimiter:
    limiter = ConcurrencyLimiter(total, AGING)
    limiter.see_agent(make_agent(maxConcurrentExecutions=limit))
    for each in executions:
        limiter.see_execution(each)
    return limiter


def granted(limiter: ConcurrencyLimiter) -> set[str]:
    return {name for _, name in limiter.granted()}


def test_the_older_of_two_equals_starts_first() -> None:
    limiter = make_board(make_waiting("young", after=1), make_waiting("old"))
    assert granted(limiter) == {"old"}


def test_a_higher_priority_starts_first_whatever_its_age() -> None:
    limiter = make_board(make_waiting("old"), make_waiting("urgent", after=1, priority=9))
    assert granted(limiter) == {"urgent"}


def test_waiting_raises_the_priority() -> None:
    soon = make_waiting("urgent", after=2999, priority=10)
    assert granted(make_board(make_waiting("old", priority=0), soon)) == {"urgent"}
    late = make_waiting("urgent", after=3001, priority=10)
    assert granted(make_board(make_waiting("old", priority=0), late)) == {"old"}


def test_an_agent_at_its_limit_does_not_hold_up_the_others() -> None:
    busy = admitted(make_waiting("runs"))
    limiter = make_board(busy, make_waiting("blocked", priority=10), total=5, limit=1)
    limiter.see_agent(make_agent("other"))
    limiter.see_execution(make_execution("free", agent="other", priority=0))
    assert granted(limiter) == {"free"}


def test_nothing_of_a_suspended_or_unknown_agent_is_granted() -> None:
    limiter = ConcurrencyLimiter(5, AGING)
    limiter.see_execution(make_waiting("unknown"))
    assert granted(limiter) == set()
    limiter.see_agent(make_agent(suspend=True))
    assert granted(limiter) == set()


def test_a_paused_agent_takes_no_slot() -> None:
    limiter = make_board(make_waiting("dear", priority=10), total=1)
    limiter.see_agent(make_agent("other"))
    limiter.see_execution(make_execution("free", agent="other", priority=0))
    paused = ("default", "sales")
    assert granted(limiter) == {"dear"}
    limiter.see_pause(paused, paused=True)
    assert granted(limiter) == {"free"}
    limiter.see_pause(paused, paused=False)
    assert granted(limiter) == {"dear"}
    limiter.see_pause(paused, paused=True)
    limiter.forget_agent(paused)
    limiter.see_agent(make_agent())
    assert granted(limiter) == {"dear"}


def test_what_is_being_stopped_waits_for_no_slot() -> None:
    stopped = make_execution("stopped", priority=10, cancel=True)
    assert granted(make_board(stopped, make_waiting("next"))) == {"next"}


def test_an_old_event_does_not_take_an_admission_back() -> None:
    # The watch brings what we wrote a moment ago, finalizer first, after we wrote the admission.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    limiter = make_board(admitted(first))
    limiter.see_execution(first)
    assert not limiter.slot_status(urgent).granted


def test_a_slot_that_is_being_taken_is_not_given_to_a_later_one() -> None:
    # Both are looked at at once: the first is granted and not yet written when the second comes.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    limiter = make_board(first)
    assert limiter.slot_status(first).granted
    assert not limiter.slot_status(urgent).granted
    limiter.release(("default", "first"))
    assert limiter.slot_status(urgent).granted


def test_an_execution_that_is_made_again_waits_like_any_other() -> None:
    limiter = make_board(admitted(make_waiting("again")))
    anew = make_execution("again", uid="another")
    limiter.see_execution(anew)
    assert granted(limiter) == {"again"}
    assert limiter.active(("default", "sales")) == 0


def test_an_execution_that_is_made_again_has_nothing_of_the_one_before() -> None:
    """Neither the slot that it was about to take nor what held it back."""
    key, anew = ("default", "again"), make_execution("again", uid="another", created=LATE)
    limiter = make_board(make_waiting("again"), make_waiting("next", after=1))
    assert limiter.slot_status(make_waiting("again")).granted
    limiter.forget_execution(key)
    limiter.see_execution(anew)
    assert granted(limiter) == {"next"}
    limiter = make_board(make_waiting("again"))
    limiter.block(key, blocked=True)
    assert granted(limiter) == set()
    limiter.forget_execution(key)
    limiter.see_execution(anew)
    assert granted(limiter) == {"again"}


def test_the_answer_counts_a_slot_that_is_about_to_be_taken() -> None:
    limiter = make_board(make_waiting("first"), make_waiting("second", after=1), total=9, limit=1)
    slots = limiter.slot_status(make_waiting("second", after=1))
    assert (slots.granted, slots.agent) == (False, LimitUse(1, 1))
    assert slots.ahead == 1


def test_what_came_while_a_list_was_read_stays_on_the_board() -> None:
    limiter = make_board(make_waiting("listed"), make_waiting("gone"))
    before = limiter.known()
    limiter.see_execution(admitted(make_waiting("new")))
    limiter.keep_only(before, [("default", "listed")], [("default", "sales")])
    assert ("default", "new") in limiter
    assert ("default", "gone") not in limiter


def test_a_pod_that_cannot_start_takes_no_slot_of_the_operator() -> None:
    bad = starting(make_waiting("bad"))
    limiter = make_board(bad, make_waiting("good", after=1))
    assert granted(limiter) == set()
    limiter.see_execution(stalled(bad))
    assert granted(limiter) == {"good"}


@pytest.mark.parametrize(
    ("reason", "takes"), [("Starting", True), ("Stopping", True), ("JobSuspended", False)]
)
def test_what_starts_or_stops_takes_one(reason: str, takes: bool) -> None:
    run = stalled(starting(make_waiting("run")), reason)
    assert (granted(make_board(run, make_waiting("next", after=1))) == set()) is takes


def test_an_agent_counts_its_pods_that_cannot_start() -> None:
    # Both would run at once when the image is there after all.
    limiter = make_board(
        stalled(starting(make_waiting("bad"))), make_waiting("next"), total=9, limit=1
    )
    slots = limiter.slot_status(make_waiting("next"))
    assert (slots.granted, slots.agent) == (False, LimitUse(1, 1, 1))


def make_shared_board(
    *executions: Execution, total: int, limit: int | None = None
) -> ConcurrencyLimiter:
    """Two teams with an Agent each."""
    limiter = ConcurrencyLimiter(total, AGING, limit)
    for namespace in ("busy", "calm"):
        limiter.see_agent(make_agent(namespace=namespace, maxConcurrentExecutions=1000))
    for each in executions:
        limiter.see_execution(each)
    return limiter


def test_namespaces_take_turns_however_long_one_has_waited() -> None:
    crowd = [in_namespace(f"busy-{number}", "busy", number) for number in range(100)]
    late = [in_namespace(f"calm-{number}", "calm", 1000 + number) for number in range(2)]
    limiter = make_shared_board(*crowd, *late, total=6)
    assert granted(limiter) == {"busy-0", "busy-1", "busy-2", "busy-3", "calm-0", "calm-1"}
    limiter.see_execution(admitted(crowd[0]))
    limiter.see_execution(admitted(crowd[1]))
    assert granted(limiter) == {"busy-2", "busy-3", "calm-0", "calm-1"}


def test_one_namespace_has_no_more_than_its_limit() -> None:
    crowd = [in_namespace(f"busy-{number}", "busy", number) for number in range(5)]
    limiter = make_shared_board(*crowd, in_namespace("calm", "calm", 9), total=4, limit=2)
    assert granted(limiter) == {"busy-0", "busy-1", "calm"}
    slots = limiter.slot_status(crowd[4])
    assert (slots.granted, slots.namespace, slots.ahead) == (False, LimitUse(2, 2), 4)


def test_pods_that_cannot_start_pile_up_to_the_limit_of_a_namespace_and_no_further() -> None:
    bad = [stalled(starting(in_namespace(f"bad-{number}", "busy"))) for number in range(10)]
    waiting = in_namespace("busy-1", "busy")
    limiter = make_shared_board(*bad, waiting, in_namespace("calm", "calm", 9), total=4, limit=2)
    assert granted(limiter) == {"calm"}
    slots = limiter.slot_status(waiting)
    assert (slots.granted, slots.namespace) == (False, LimitUse(0, 2, 10))


def test_a_long_wait_between_attempts_gives_the_slot_back_and_asks_for_it_again() -> None:
    run, other = starting(make_waiting("run")), make_waiting("other", after=1)
    waits = between(run, wait=300)
    limiter = make_board(waits, other, limit=1)
    key = ("default", "run")
    limiter.block(key, blocked=True)  # it is not due
    assert limiter.slot_status(other).agent.is_full  # its Agent's limit is 1
    limiter.see_agent(make_agent(maxConcurrentExecutions=2))
    assert granted(limiter) == {"other"}
    limiter.see_execution(starting(other))
    limiter.block(key, blocked=False)
    assert not limiter.slot_status(waits).granted
    limiter.see_execution(finished(starting(starting(other))))
    assert limiter.slot_status(waits).granted


def test_a_short_wait_between_attempts_keeps_the_slot() -> None:
    waits = between(starting(make_waiting("run")), wait=60)
    limiter = make_board(waits, make_waiting("other", after=1))
    assert granted(limiter) == set()
    assert limiter.slot_status(waits).granted


def test_an_old_event_brings_no_stalled_pod_back() -> None:
    run = starting(make_waiting("run"))
    old = stalled(run)
    limiter = make_board(later(old, run.status), make_waiting("other", after=1))
    limiter.see_execution(old)
    assert granted(limiter) == set()


def test_only_what_gives_a_slot_back_wakes_others() -> None:
    """Else each start would make the order of all that wait, and wake them."""
    first, second = make_waiting("first"), make_waiting("second", after=1)
    limiter = make_board(first, second)
    limiter.take_freed()
    assert limiter.slot_status(first).granted
    assert limiter.granted() == frozenset()  # its look goes on, and needs no wake
    limiter.see_execution(starting(first))
    limiter.release(("default", "first"))
    assert not limiter.take_freed()
    limiter.see_execution(stalled(starting(starting(first))))
    assert limiter.take_freed()
    limiter.forget_execution(("default", "first"))
    assert limiter.take_freed()


def test_a_look_that_fails_wakes_nothing() -> None:
    """The key comes back by itself, later and later; a wake at once would be a loop."""
    first = make_waiting("first")
    limiter = make_board(first)
    limiter.take_freed()
    assert limiter.slot_status(first).granted
    limiter.release(("default", "first"))
    assert not limiter.take_freed()


def test_a_granted_run_that_is_cancelled_gives_its_slot_on() -> None:
    first = make_waiting("first")
    limiter = make_board(first, make_waiting("second", after=1))
    assert granted(limiter) == {"first"}
    limiter.take_freed()
    meta = first.metadata.model_copy(update={"resource_version": "2"})
    spec = first.spec.model_copy(update={"cancel": True})
    limiter.see_execution(first.model_copy(update={"metadata": meta, "spec": spec}))
    assert limiter.take_freed()
    assert granted(limiter) == {"second"}


def count_calls(work: Callable[[], object]) -> int:
    """How many functions were called meanwhile."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_what_it_costs_to_grant_a_slot_does_not_depend_on_how_many_wait() -> None:
    """Counted in requests that are looked at, which machines do not differ in."""

    def looked_at(waiting: int) -> int:
        limiter = make_board(
            *(make_waiting(f"wait-{number}", after=number) for number in range(waiting)),
            total=1,
            limit=10_000,
        )
        return count_calls(limiter.granted)

    assert looked_at(2000) <= looked_at(20) + 5


# ---- what is known -----------------------------------------------------------------------------


def changed(execution: Execution, **spec: object) -> Execution:
    """A newer version of it, with that in its spec."""
    newer = later(execution, execution.status)
    return newer.model_copy(update={"spec": execution.spec.model_copy(update=spec)})


def test_nothing_has_become_free_before_anything_is_known() -> None:
    assert not ConcurrencyLimiter(1, AGING).take_freed()


def test_the_newest_version_is_known_though_nothing_of_it_counts() -> None:
    """What is older than it is left out, whatever it says."""
    first = make_waiting("first")
    second = changed(first, priority=9)
    third = later(later(first, first.status), first.status)
    limiter = make_board(first, make_waiting("other", after=1, priority=7))
    limiter.see_execution(third)
    limiter.see_execution(second)
    assert granted(limiter) == {"other"}


RUN = starting(make_waiting("run"))
STALLED = stalled(RUN)
BETWEEN = between(RUN, wait=300)


@pytest.mark.parametrize(
    ("before", "after", "frees"),
    [
        (make_waiting("run"), changed(make_waiting("run"), cancel=True), True),
        (make_waiting("run"), changed(make_waiting("run"), priority=3), False),
        (make_waiting("run"), RUN, False),
        (RUN, changed(RUN, cancel=True), False),  # until its pod has gone
        (RUN, STALLED, True),
        (RUN, BETWEEN, True),
        (RUN, between(RUN, wait=60), False),
        (RUN, finished(RUN), True),
        (STALLED, changed(STALLED, priority=3), False),
        (STALLED, later(STALLED, RUN.status), True),  # more may be tried in its namespace
        (STALLED, between(STALLED, wait=300), True),
        (BETWEEN, later(BETWEEN, RUN.status), False),
        (BETWEEN, changed(BETWEEN, cancel=True), True),
        (make_waiting("run"), finished(make_waiting("run")), False),
    ],
    ids=[
        "a waiting run is cancelled",
        "a waiting run has another priority",
        "a waiting run starts",
        "a run is cancelled",
        "its pod can't start",
        "it waits long for a further attempt",
        "it waits shortly for a further attempt",
        "a run ends",
        "a stalled run has another priority",
        "a stalled run starts after all",
        "a stalled run waits for a further attempt",
        "a further attempt starts",
        "a run is cancelled between attempts",
        "a waiting run ends",
    ],
)
def test_what_may_let_another_run_start(before: Execution, after: Execution, frees: bool) -> None:
    limiter = make_board(before)
    limiter.take_freed()
    limiter.see_execution(after)
    assert limiter.take_freed() is frees
    assert not limiter.take_freed()


def test_an_agent_that_is_seen_again_unchanged_takes_no_grant_back() -> None:
    limiter = make_board(make_waiting("first"))
    assert granted(limiter) == {"first"}
    limiter.see_agent(make_agent(maxConcurrentExecutions=10))
    assert limiter.is_granted(("default", "first"))
    limiter.see_agent(make_agent(maxConcurrentExecutions=11))
    assert not limiter.is_granted(("default", "first"))
    assert granted(limiter) == {"first"}


def test_the_runs_of_an_agent_take_its_new_priority() -> None:
    old, other = make_waiting("old"), make_execution("other", agent="other", created=LATE)
    limiter = make_board(old, other)
    for priority, first in ((9, "other"), (0, "old")):
        limiter.see_agent(make_agent("other", priority=priority))
        assert granted(limiter) == {first}
        ahead = [limiter.slot_status(each).ahead for each in (old, other)]
        assert sorted(ahead) == [0, 1]  # each stands in the line once
        limiter.release(("default", first))


@pytest.mark.parametrize(("after", "ahead"), [(-1, 0), (1, 1)])
def test_a_run_whose_agent_is_not_known_stands_in_the_line_by_its_age(
    after: float, ahead: int
) -> None:
    limiter = make_board(make_waiting("first"))
    limiter.see_agent(make_agent(priority=0))
    unknown = make_execution("unknown", agent="unknown", created=NOW + seconds(after))
    slots = limiter.slot_status(unknown)
    assert (slots.granted, slots.agent, slots.ahead) == (False, LimitUse(0, 0), ahead)


def test_what_pauses_or_blocks_wakes_others_once() -> None:
    limiter = make_board(make_waiting("first"))
    agent, run = ("default", "sales"), ("default", "first")
    for blocked, grants in ((True, set[str]()), (False, {"first"})):
        limiter.see_pause(agent, paused=blocked)
        assert limiter.take_freed()
        assert granted(limiter) == grants
        limiter.see_pause(agent, paused=blocked)
        assert not limiter.take_freed()
    for blocked, grants in ((True, set[str]()), (False, {"first"})):
        limiter.block(run, blocked=blocked)
        assert limiter.take_freed()
        assert granted(limiter) == grants
        limiter.block(run, blocked=blocked)
        assert not limiter.take_freed()


def test_a_run_may_be_blocked_before_it_is_seen() -> None:
    limiter = make_board(total=2)
    limiter.block(("default", "first"), blocked=True)
    limiter.see_execution(make_waiting("first"))
    limiter.see_execution(make_waiting("second"))
    assert granted(limiter) == {"second"}


def test_an_agent_that_is_gone_starts_nothing() -> None:
    limiter = make_board(make_waiting("first"))
    assert granted(limiter) == {"first"}
    limiter.forget_agent(("default", "other"))
    assert limiter.is_granted(("default", "first"))
    limiter.forget_agent(("default", "sales"))
    assert granted(limiter) == set()
    limiter.see_agent(make_agent())
    limiter.keep_only(limiter.known(), [("default", "first")], [])
    assert granted(limiter) == set()
    assert limiter.request(("default", "first")) is not None


def test_a_forgotten_run_frees_only_what_it_had() -> None:
    first, second = make_waiting("first"), make_waiting("second", after=1)
    limiter = make_board(first, second)
    limiter.take_freed()
    assert granted(limiter) == {"first"}
    limiter.forget_execution(("default", "second"))
    limiter.forget_execution(("default", "unknown"))
    assert not limiter.take_freed()
    assert granted(limiter) == {"first"}
    limiter.forget_execution(("default", "first"))  # it was about to start
    assert limiter.take_freed()


# ---- answers -----------------------------------------------------------------------------------


def test_a_run_that_is_over_is_held_up_by_nothing() -> None:
    assert make_board().slot_status(finished(RUN)).granted


def test_a_waiting_run_that_is_stopped_gets_no_slot() -> None:
    stopped = make_execution("stopped", cancel=True)
    assert not make_board(total=5).slot_status(stopped).granted


def test_who_runs_stands_behind_nobody() -> None:
    limiter = make_board(make_waiting("first"), make_waiting("second"))
    slots = limiter.slot_status(RUN)
    assert (slots.granted, slots.ahead) == (True, 0)


@pytest.mark.parametrize(
    ("total", "of_namespace", "of_agent"), [(3, 3, 3), (4, 3, 4), (4, 4, 3), (3, 4, 4)]
)
def test_where_there_is_room_for_all_no_order_is_made(
    total: int, of_namespace: int, of_agent: int
) -> None:
    """It costs time for each that waits. One run more, and it is needed."""
    runs = [make_waiting(f"run-{number}", after=number) for number in range(3)]
    limiter = ConcurrencyLimiter(total, AGING, of_namespace)
    limiter.see_agent(make_agent(maxConcurrentExecutions=of_agent))
    for each in runs:
        limiter.see_execution(each)
    for each in runs:
        slots = limiter.slot_status(each)
        assert slots.granted
        assert not limiter.is_granted(("default", each.metadata.name))
    last = make_waiting("last", after=9)
    assert not limiter.slot_status(last).granted
    assert limiter.is_granted(("default", "run-0"))


def test_a_slot_that_is_about_to_be_taken_counts_in_all_limits() -> None:
    other = admitted(in_namespace("other", "calm"))
    first, second = in_namespace("first", "busy"), in_namespace("second", "busy", 1)
    limiter = make_shared_board(other, first, second, total=2)
    assert limiter.slot_status(first).granted
    slots = limiter.slot_status(second)
    assert (slots.granted, slots.total, slots.namespace) == (False, LimitUse(2, 2), LimitUse(1, 2))


def test_a_slot_that_is_being_taken_is_counted_once_in_its_namespace() -> None:
    runs = [in_namespace(f"busy-{number}", "busy", number) for number in range(4)]
    limiter = make_shared_board(*runs, total=3, limit=2)
    assert limiter.slot_status(runs[0]).granted
    assert granted(limiter) == {"busy-1"}


def test_a_further_attempt_takes_no_second_place_of_its_agent() -> None:
    waits = between(starting(make_waiting("run")), wait=300)
    limiter = make_board(waits, make_waiting("other", after=1), total=9, limit=1)
    assert granted(limiter) == {"run"}
    slots = limiter.slot_status(make_waiting("other", after=1))
    assert (slots.granted, slots.agent) == (False, LimitUse(1, 1))


def test_nothing_is_kept_of_runs_and_agents_that_are_gone() -> None:
    """An operator runs for months."""
    limiter = make_shared_board(total=4, limit=2)
    before = len(pickle.dumps(limiter))
    for number in range(50):
        agent, run = make_agent(f"agent-{number}"), make_execution("run", agent=f"agent-{number}")
        key = ("default", f"agent-{number}")
        limiter.see_agent(agent)
        limiter.slot_status(run)
        limiter.see_execution(stalled(starting(run)))
        limiter.see_pause(key, paused=True)
        limiter.block(("default", "run"), blocked=True)
        limiter.forget_execution(("default", "run"))
        limiter.forget_agent(key)
    limiter.granted()
    assert len(pickle.dumps(limiter)) <= before + 200


def test_where_all_slots_are_taken_no_order_is_made() -> None:
    def calls(spaces: int) -> int:
        limiter = ConcurrencyLimiter(3, AGING)
        limiter.see_agent(make_agent())
        held = [make_waiting(f"held-{number}") for number in range(2)]
        for each in (admitted(make_waiting("runs")), *held):
            limiter.see_execution(each)
        for each in held:
            assert limiter.slot_status(each).granted
        for number in range(spaces):
            limiter.see_agent(make_agent(namespace=f"team-{number}"))
            limiter.see_execution(in_namespace("waits", f"team-{number}"))
        assert granted(limiter) == set()
        limiter.see_agent(make_agent("new"))
        return count_calls(limiter.granted)

    assert calls(100) <= calls(1) + 5


AGENTS = (("one", "a"), ("one", "b"), ("two", "a"))


class Boards(RuleBasedStateMachine):
    """Executions come, are admitted when granted, stall, wait between attempts, end; Agents change;
    time passes. A slot is granted only where all limits have room."""

    total, of_namespace = 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.limiter = ConcurrencyLimiter(self.total, AGING, self.of_namespace)
        self.now = 0.0
        self.runs: dict[Key, Execution] = {}
        self.old: dict[Key, Execution] = {}
        self.looking: set[Key] = set()
        self.limits: dict[Key, int] = {}
        self.count = 0
        for agent in AGENTS:
            self.edit(agent, 2, 5)

    @rule(agent=st.sampled_from(AGENTS), limit=st.integers(1, 3), priority=st.integers(0, 10))
    def edit(self, agent: Key, limit: int, priority: int) -> None:
        self.limits[agent] = limit
        namespace, name = agent
        self.limiter.see_agent(
            make_agent(name, namespace=namespace, maxConcurrentExecutions=limit, priority=priority)
        )

    @rule(agent=st.sampled_from(AGENTS), priority=st.one_of(st.none(), st.integers(0, 10)))
    def create(self, agent: Key, priority: int | None) -> None:
        self.count += 1
        created = NOW + seconds(self.now)
        namespace, name = agent
        made = make_execution(
            f"e{self.count}", namespace=namespace, agent=name, created=created, priority=priority
        )
        self.runs[namespace, made.metadata.name] = made
        self.limiter.see_execution(made)

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A worker begins: it is granted a slot or not."""
        keys = sorted(key for key in self.runs if self.queues(key) and key not in self.looking)
        if keys:
            self.look_at(data.draw(st.sampled_from(keys)))

    def look_at(self, key: Key) -> bool:
        slots = self.limiter.slot_status(self.runs[key])
        if slots.granted:
            self.looking.add(key)
            self.check_room(key)
        else:
            assert slot_block(slots, admitted=self.runs[key].is_admitted) is not None
        return slots.granted

    def check_room(self, key: Key) -> None:
        """With the slot that was just granted no limit is exceeded."""
        taken = [each for each in self.runs if self.holds(each) or each in self.looking]
        assert len(taken) <= self.total
        assert sum(each[0] == key[0] for each in taken) <= self.of_namespace
        if not self.runs[key].is_admitted:
            agent = self.agent_of(key)
            beside = [
                each
                for each, run in self.runs.items()
                if self.agent_of(each) == agent and (run.is_admitted or each in self.looking)
            ]
            assert len(beside) <= self.limits[agent]

    @rule(data=st.data(), written=st.booleans())
    def end_a_look(self, data: st.DataObject, written: bool) -> None:
        """The worker's status write arrived, or a conflict refused it."""
        if not self.looking:
            return
        key = data.draw(st.sampled_from(sorted(self.looking)))
        self.looking.discard(key)
        if written:
            self.change(key, starting(self.runs[key]))
        self.limiter.release(key)

    @rule(data=st.data(), step=st.sampled_from(["stall", "start", "wait", "retry"]))
    def go_on(self, data: st.DataObject, step: str) -> None:
        """An admitted run stalls, starts after all, or ends an attempt."""
        keys = sorted(key for key, run in self.runs.items() if run.is_admitted)
        keys = [key for key in keys if not self.queues(key)]
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        run = self.runs[key]
        match step:
            case "stall":
                self.change(key, stalled(starting(run)))
            case "start":
                self.change(key, starting(run))
            case "wait":
                self.change(key, between(starting(run), wait=300, since=self.now))
            case "retry":
                self.change(key, between(starting(run), wait=5, since=self.now))

    @rule(data=st.data())
    def hear_an_old_event(self, data: st.DataObject) -> None:
        if self.old:
            key = data.draw(st.sampled_from(sorted(self.old)))
            self.limiter.see_execution(self.old[key])

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        keys = sorted(key for key in self.runs if key not in self.looking)
        if keys:
            self.end(data.draw(st.sampled_from(keys)))

    @rule(count=st.sampled_from([1.0, 40.0, 400.0]))
    def pass_time(self, count: float) -> None:
        self.now += count

    @invariant()
    def every_request_is_counted_once(self) -> None:
        for agent in AGENTS:
            known = [key for key in self.runs if self.agent_of(key) == agent]
            admitted_now = [key for key in known if self.runs[key].is_admitted]
            assert self.limiter.active(agent) == len(admitted_now)
            assert sorted(self.limiter.waiting_for(agent)) == sorted(set(known) - set(admitted_now))

    def change(self, key: Key, run: Execution) -> None:
        self.old[key] = self.runs[key]
        self.runs[key] = run
        self.limiter.see_execution(run)

    def end(self, key: Key) -> None:
        self.old.pop(key, None)
        self.limiter.see_execution(finished(self.runs.pop(key)))

    def agent_of(self, key: Key) -> Key:
        return key[0], self.runs[key].spec.agent_ref.name

    def holds(self, key: Key) -> bool:
        return slot_request_of(self.runs[key]).state is SlotState.HOLDS

    def queues(self, key: Key) -> bool:
        return slot_request_of(self.runs[key]).queues

    def teardown(self) -> None:
        """However many urgent ones keep coming everywhere, the oldest is granted before long."""
        waiting = [key for key in self.runs if self.queues(key)]
        if not waiting:
            return
        oldest = waiting[0]
        for _ in range(100):
            self.now += AGING
            self.looking.clear()
            for key in list(self.runs):
                self.limiter.release(key)
                if not self.queues(key):
                    self.end(key)
            for agent in AGENTS:
                self.create(agent, 10)
                self.create(agent, 10)
            grants = self.limiter.granted()
            assert grants, "slots are free, and none is granted"
            if oldest in grants:
                return
            for key in grants:
                self.change(key, starting(self.runs[key]))
        raise AssertionError(f"{oldest} starves")


TestBoards = Boards.TestCase
TestBoards.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
