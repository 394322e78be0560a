"""What the watch brought: which Executions need no reading, and which changes are our own."""

import pytest

from heliostat_core.executions import Execution
from heliostat_operator.gateway.ledgers import AgentSum
from heliostat_operator.runs.caches import (
    FreshExecution,
    FreshExecutions,
    OwnWrites,
    Pauses,
    PendingJobUids,
    TerminatingNamespaces,
)
from support.builders.resources import (
    NOW,
    make_admitted,
    make_attempt,
    make_execution,
    make_uid,
    seconds,
)
from support.fake_gateway import FakeGateway

KEY = ("default", "sales-1")


def admitted() -> Execution:
    condition = {
        "type": "Admitted",
        "status": "True",
        "reason": "Admitted",
        "lastTransitionTime": "2026-11-20T12:00:00Z",
    }
    document = {**make_execution().to_json(), "status": {"conditions": [condition]}}
    return Execution.model_validate(document)


def test_an_arrival_is_given_once_and_the_newest_one() -> None:
    arrivals = FreshExecutions(iter([1.0, 2.0]).__next__)
    arrivals.bring(KEY, make_execution())
    newer = make_execution(cancel=True)
    arrivals.bring(KEY, newer)
    assert arrivals.take(KEY) == FreshExecution(newer, 2.0)
    assert arrivals.take(KEY) is None


def test_what_is_admitted_is_always_read_and_takes_the_older_arrival_away() -> None:
    arrivals = FreshExecutions(lambda: 0.0)
    arrivals.bring(KEY, make_execution())
    arrivals.bring(KEY, admitted())
    assert arrivals.take(KEY) is None


def test_no_more_arrivals_are_kept_than_a_thousand() -> None:
    arrivals = FreshExecutions(lambda: 0.0)
    for number in range(1100):
        arrivals.bring(("default", f"run-{number}"), make_execution())
    kept = [arrivals.take(("default", f"run-{number}")) for number in range(1100)]
    assert sum(each is not None for each in kept) == 1000
    arrivals.bring(KEY, make_execution())
    assert arrivals.take(KEY) is not None


def test_a_full_cache_still_takes_the_newest_of_what_it_has() -> None:
    arrivals = FreshExecutions(lambda: 0.0)
    for number in range(1000):
        arrivals.bring(("default", f"run-{number}"), make_execution())
    newer = make_execution(cancel=True)
    arrivals.bring(("default", "run-7"), newer)
    assert arrivals.take(("default", "run-7")) == FreshExecution(newer, 0.0)
    assert arrivals.take(("default", "run-8")) is not None


def test_what_is_stopped_is_kept_though_it_was_admitted() -> None:
    """A stop deletes by uid, so that an old state of it does no harm."""
    arrivals = FreshExecutions(lambda: 0.0)
    stopped = make_admitted(cancel=True)
    arrivals.bring(KEY, stopped)
    assert arrivals.take(KEY) == FreshExecution(stopped, 0.0)
    arrivals.bring(KEY, stopped)
    arrivals.forget(KEY)
    assert arrivals.take(KEY) is None


def test_an_echo_is_heard_once() -> None:
    own_writes = OwnWrites()
    own_writes.expect("7")
    assert (own_writes.heard("7"), own_writes.heard("7"), own_writes.heard("8")) == (
        True,
        False,
        False,
    )


def test_echoes_that_never_come_are_forgotten() -> None:
    own_writes = OwnWrites()
    for number in range(1001):
        own_writes.expect(str(number))
    assert (own_writes.heard("0"), own_writes.heard("1000")) == (False, True)


def test_a_thousand_echoes_are_waited_for() -> None:
    own_writes = OwnWrites()
    for number in range(1000):
        own_writes.expect(str(number))
    assert own_writes.heard("0")


# ---- Jobs whose uid is not written yet ---------------------------------------------------------

MADE = make_attempt(job_uid="job-uid")


@pytest.mark.parametrize(
    ("seen", "recalled"),
    [
        (make_admitted(), "job-uid"),
        (make_admitted(make_attempt(job_uid="another")), "another"),  # it was written meanwhile
        (make_admitted(make_attempt(2)), None),  # of a later attempt
        (make_admitted().model_copy(update={"status": make_execution().status}), None),
        (
            make_execution(uid=make_uid("made again"), status=make_admitted().status),
            None,  # another Execution of the same name
        ),
        (make_admitted(make_attempt(execution="sales-2"), name="sales-2"), None),
    ],
    ids=["not written", "written", "later attempt", "no attempt", "made again", "another run"],
)
def test_the_uid_of_a_job_is_recalled_until_it_is_written(
    seen: Execution, recalled: str | None
) -> None:
    """A Job that is deleted before its uid is written must not be made again."""
    pending = PendingJobUids()
    pending.keep(make_admitted(), make_admitted(MADE).status)
    found = pending.recall(seen)
    last = found.current_attempt
    assert (last.job_uid if last else None) == recalled
    assert found.metadata == seen.metadata


def test_only_the_last_attempt_gets_the_uid() -> None:
    first, second = make_attempt(1, job_uid="first"), make_attempt(2)
    made = second.model_copy(update={"job_uid": "second"})
    pending = PendingJobUids()
    pending.keep(make_admitted(first, second), make_admitted(first, made).status)
    assert pending.recall(make_admitted(first, second)).status.attempts == (first, made)


def test_a_uid_that_is_no_news_is_not_recalled_later() -> None:
    pending = PendingJobUids()
    pending.keep(make_admitted(), make_admitted(MADE).status)
    pending.recall(make_admitted(MADE))
    assert pending.recall(make_admitted()) == make_admitted()
    pending.keep(make_admitted(), make_admitted(MADE).status)
    pending.forget(KEY)
    assert pending.recall(make_admitted()) == make_admitted()


# ---- what the gateway and the API server said --------------------------------------------------

PAUSED = AgentSum(paused=True, reason="It spends too fast.")


class Asked(FakeGateway):
    """Counts its questions."""

    count = 0

    async def agent_sum(self, namespace: str, name: str) -> AgentSum:
        self.count += 1
        return await super().agent_sum(namespace, name)


async def test_an_agents_pause_is_asked_for_again_after_15_s() -> None:
    gateway, now = Asked(), [NOW]
    pauses = Pauses(gateway, lambda: now[0])
    assert await pauses.of(KEY) is None
    gateway.pauses["default/sales-1"] = PAUSED
    now[0] = NOW + seconds(14.9)
    assert await pauses.of(KEY) is None
    assert gateway.count == 1
    now[0] = NOW + seconds(15)
    found = await pauses.of(KEY)
    assert found is not None
    assert found.reason == "It spends too fast."
    assert await pauses.of(("default", "another")) is None
    assert gateway.count == 3


async def test_a_gateway_that_is_away_pauses_nobody() -> None:
    gateway = Asked()
    gateway.pauses["default/sales-1"] = PAUSED
    gateway.answers = False
    assert await Pauses(gateway, lambda: NOW).of(KEY) is None


async def test_the_pauses_of_ten_thousand_agents_are_remembered() -> None:
    gateway = Asked()
    pauses = Pauses(gateway, lambda: NOW)
    for number in range(10_000):
        await pauses.of(("default", f"agent-{number}"))
    await pauses.of(("default", "agent-0"))
    assert gateway.count == 10_000
    await pauses.of(("default", "one-more"))
    await pauses.of(("default", "agent-1"))  # the one that was asked for longest ago
    assert gateway.count == 10_002


def test_a_namespace_that_is_deleted_is_tried_again_after_a_minute() -> None:
    """One of the same name may be made again before long."""
    now = [100.0]
    terminating = TerminatingNamespaces(lambda: now[0])
    terminating.note("team")
    assert terminating.holds("team")
    assert not terminating.holds("other")
    now[0] = 159.9
    assert terminating.holds("team")
    now[0] = 160.0
    assert not terminating.holds("team")


def test_ten_thousand_namespaces_are_remembered() -> None:
    terminating = TerminatingNamespaces(lambda: 0.0)
    for number in range(10_000):
        terminating.note(f"team-{number}")
    assert terminating.holds("team-0")
    terminating.note("one-more")
    assert not terminating.holds("team-0")
