"""What an unfinished run asks of the limits, in each of its states."""

from collections.abc import Mapping

import pytest

from heliostat_core.conditions import BlockedReason, ExecutionCondition, set_condition
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus
from heliostat_operator.runs.observations import LimitUse
from heliostat_operator.runs.slots import (
    SlotState,
    WaitingLines,
    compute_slot_state,
    slot_request_of,
)
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)

WANTS, HOLDS = SlotState.WANTS, SlotState.HOLDS
STARTING = make_condition_status(make_attempt())
OVER = make_condition_status(make_attempt(end=NOW))


def with_blocks(*reasons: str) -> ExecutionStatus:
    blocks = tuple(BlockedBy(reason=each) for each in reasons)
    return STARTING.model_copy(update={"blocked_by": blocks})


def running(status: ExecutionStatus) -> ExecutionStatus:
    conditions = set_condition(
        status.conditions,
        ExecutionCondition.RUNNING,
        "True",
        "ContainerRunning",
        "",
        generation=1,
        now=NOW,
    )
    return status.model_copy(update={"conditions": conditions})


def due(after: float | None) -> ExecutionStatus:
    next_time = None if after is None else NOW + seconds(after)
    return OVER.model_copy(update={"next_attempt_time": next_time})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (ExecutionStatus(), WANTS),
        (make_condition_status(), HOLDS),
        (STARTING, HOLDS),
        (with_blocks("Starting"), HOLDS),
        (with_blocks("ImagePullFailed"), WANTS),
        (with_blocks("ImagePullFailed", "Starting"), WANTS),
        (with_blocks("Starting", "ImagePullFailed"), HOLDS),  # the first is the most important
        (running(with_blocks("ImagePullFailed")), HOLDS),
        (due(None), HOLDS),
        (due(0), HOLDS),
        (due(60), HOLDS),
        (due(61), WANTS),
        (running(due(61)), WANTS),
    ],
)
def test_only_what_runs_or_can_start_takes_a_slot(
    status: ExecutionStatus, state: SlotState
) -> None:
    assert compute_slot_state(make_execution(status=status)) is state


CANNOT_START = {
    BlockedReason.IMAGE_PULL_FAILED,
    BlockedReason.UNSCHEDULABLE,
    BlockedReason.CONFIG_ERROR,
    BlockedReason.VOLUME_FAILED,
    BlockedReason.POD_NOT_CREATED,
    BlockedReason.JOB_SUSPENDED,
    BlockedReason.NAMESPACE_TERMINATING,
    BlockedReason.REFUSED,
    BlockedReason.SECRET_REFUSED,
    BlockedReason.SECRET_MISSING,
    BlockedReason.SECRET_FORBIDDEN,
    BlockedReason.SECRET_MANAGER_UNREACHABLE,
}


@pytest.mark.parametrize("reason", list(BlockedReason))
def test_what_somebody_has_to_change_before_it_starts_takes_no_slot(reason: BlockedReason) -> None:
    state = compute_slot_state(make_execution(status=with_blocks(reason)))
    assert (state is WANTS) is (reason in CANNOT_START)


TOLD = ExecutionStatus(
    conditions=set_condition(
        (), ExecutionCondition.ADMITTED, "False", "TotalConcurrency", "", generation=1, now=NOW
    )
)


@pytest.mark.parametrize(
    ("execution", "queues", "is_stalled", "is_new"),
    [
        (make_execution(), True, False, True),
        (make_execution(status=TOLD), True, False, False),
        (make_execution(cancel=True), False, False, True),
        (make_execution(deleted=NOW), False, False, True),
        (make_execution(status=STARTING), False, False, False),
        (make_execution(status=with_blocks("Unschedulable")), False, True, False),
        (make_execution(status=due(60)), False, False, False),
        (make_execution(status=due(61)), True, False, False),
        (make_execution(status=due(61), cancel=True), False, False, False),
    ],
)
def test_a_run_queues_until_it_has_a_slot_and_is_stalled_when_its_pod_cannot_start(
    execution: Execution, queues: bool, is_stalled: bool, is_new: bool
) -> None:
    request = slot_request_of(execution)
    assert (request.queues, request.is_stalled, request.is_new) == (queues, is_stalled, is_new)
    assert request.key == ("default", "sales-1")
    assert request.namespace == "default"


def test_a_run_that_no_world_has_stored_asks_for_nothing() -> None:
    made = make_execution()
    meta = made.metadata.model_copy(update={"creation_timestamp": None})
    with pytest.raises(ValueError, match="sales-1"):
        slot_request_of(made.model_copy(update={"metadata": meta}))


# ---- lines ---------------------------------------------------------------------------------------


def lines(**ages: float) -> WaitingLines:
    """Runs that were made so many seconds after the first."""
    made = WaitingLines(300)
    for name, age in ages.items():
        namespace, _, run = name.partition("_")
        execution = make_execution(run, namespace=namespace, created=NOW + seconds(age))
        made.add(slot_request_of(execution), 5)
    return made


def names(made: WaitingLines, namespace: str) -> list[str]:
    return [key[1] for _, _, key in made.candidates(namespace, lambda _: True)]


def test_a_line_is_sorted_by_age_and_apart_for_each_namespace() -> None:
    made = lines(one_b=2, one_a=1, two_c=0)
    assert (names(made, "one"), names(made, "two"), names(made, "three")) == (
        ["a", "b"],
        ["c"],
        [],
    )
    assert list(made.namespaces()) == ["one", "two"]
    ahead: Mapping[str, int] = {name: made.ahead(("one", name)) for name in ("a", "b", "z")}
    assert ahead == {"a": 0, "b": 1, "z": 0}
    assert ("one", "a") in made
    for name in ("a", "z", "b"):
        made.remove(("one", name))
    assert ("one", "a") not in made
    assert (names(made, "one"), list(made.namespaces())) == ([], ["two"])


def test_a_runs_own_priority_comes_before_its_agents_and_none_is_a_priority() -> None:
    made = WaitingLines(300)
    for name, priority in (("none", None), ("zero", 0), ("nine", 9)):
        made.add(slot_request_of(make_execution(name, priority=priority)), 5)
    assert names(made, "default") == ["nine", "none", "zero"]


def test_a_line_that_is_closed_meanwhile_gives_no_more() -> None:
    made = lines(one_a=1, one_b=2)
    seen: list[str] = []
    for entry in made.candidates("one", lambda _: not seen):
        seen.append(entry[2][1])
    assert seen == ["a"]


# ---- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "stalled", "limit", "is_full", "is_clogged"),
    [
        (4, 9, 5, False, False),
        (5, 10, 5, True, True),
        (6, 11, 5, True, True),
        (0, 19, 20, False, False),
        (0, 20, 20, False, True),
    ],
)
def test_a_limit_is_full_and_clogged_when_it_is_reached(
    taken: int, stalled: int, limit: int, is_full: bool, is_clogged: bool
) -> None:
    use = LimitUse(taken, limit, stalled)
    assert (use.is_full, use.is_clogged) == (is_full, is_clogged)
    assert LimitUse(taken, limit) == LimitUse(taken, limit, 0)
