"""Slots: what unfinished Executions ask of the limits, and which of those that wait goes first."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from typing import TypeAlias

from heliostat_core.approvals import ApprovalReason
from heliostat_core.conditions import BlockedReason, ExecutionCondition, find_condition, is_true
from heliostat_core.executions import AskState, Attempt, Execution
from heliostat_operator.model.keys import Key

LONGEST_KEPT = timedelta(seconds=60)
"""A wait between two attempts that is longer gives the slot back: others run meanwhile."""

CANNOT_START = frozenset(
    {
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
)
"""What keeps the pod of an attempt from starting until somebody or something changes it."""


class SlotState(StrEnum):
    """How an unfinished Execution stands towards the limits; only HOLDS takes a slot."""

    WANTS = "Wants"
    """It would run and can't: it waits for its turn, or its pod can't start."""
    HOLDS = "Holds"
    """It runs, starts, or goes on in less than a minute."""
    PARKED = "Parked"
    """It waits for people, without a pod."""


@dataclass(frozen=True)
class SlotRequest:
    """One unfinished Execution asks for a slot, or has one.

    `between` is set while it waits for a further attempt, `resumes` if it gave its place among the
    runs of its Agent back before, to wait for people. `version` is that of the object that was
    read, so that the watch can't bring an older one after our own write.
    """

    uid: str
    key: Key
    agent: Key
    state: SlotState
    admitted: bool
    between: bool
    resumes: bool
    stopping: bool
    is_new: bool
    priority: int | None
    created: datetime
    version: int = field(compare=False)

    @property
    def namespace(self) -> str:
        return self.key[0]

    @property
    def queues(self) -> bool:
        """Whether it starts when it is granted a slot."""
        wants = self.state is SlotState.WANTS and (not self.admitted or self.between)
        return wants and not self.stopping

    @property
    def counts(self) -> bool:
        """Whether its Agent's limit counts it: two of its runs must not meet when a pod that could
        not start does after all. One that waits for people meets nobody."""
        return self.admitted and not self.resumes and self.state is not SlotState.PARKED

    @property
    def is_stalled(self) -> bool:
        """Whether it has a pod that can't start, and may at any time."""
        return self.state is SlotState.WANTS and self.admitted and not self.between


def slot_request_of(execution: Execution) -> SlotRequest:
    """What an unfinished Execution asks for now."""
    meta, current = execution.metadata, execution.current_attempt
    if meta.creation_timestamp is None:
        raise ValueError(f"Execution {meta.name!r} was not read from a world")
    conditions = execution.status.conditions
    return SlotRequest(
        uid=meta.uid,
        key=(meta.namespace, meta.name),
        agent=(meta.namespace, execution.spec.agent_ref.name),
        state=compute_slot_state(execution),
        admitted=execution.is_admitted,
        between=current is not None and current.is_over,
        resumes=is_resuming(execution),
        stopping=execution.spec.cancel or meta.deletion_timestamp is not None,
        is_new=find_condition(conditions, ExecutionCondition.ADMITTED) is None,
        priority=execution.spec.priority,
        created=meta.creation_timestamp,
        version=int(meta.resource_version or 0),
    )


def compute_slot_state(execution: Execution) -> SlotState:
    """Whether it takes a slot: only what runs, or can start, does."""
    status, current = execution.status, execution.current_attempt
    if not execution.is_admitted:
        return SlotState.WANTS
    if current is not None and current.is_over and _waits_for_people(execution):
        return SlotState.PARKED
    if is_resuming(execution):
        return SlotState.WANTS
    if current is not None and current.is_over:
        return (
            SlotState.WANTS if _waits_long(current, status.next_attempt_time) else SlotState.HOLDS
        )
    if is_true(status.conditions, ExecutionCondition.RUNNING):
        return SlotState.HOLDS
    first = status.blocked_by[0].reason if status.blocked_by else ""
    return SlotState.WANTS if first in CANNOT_START else SlotState.HOLDS


def _waits_for_people(execution: Execution) -> bool:
    ask = execution.unresolved_ask
    return ask is not None and ask.state is not AskState.GRANTED


def is_resuming(execution: Execution) -> bool:
    """Whether people have answered, and its further attempt is not on record yet."""
    current = execution.current_attempt
    if current is None or not current.is_over or _waits_for_people(execution):
        return False
    if current.cause == "approval" or execution.unresolved_ask is not None:
        return True
    found_out = (ApprovalReason.HAPPENED, ApprovalReason.DID_NOT_HAPPEN)
    return any(
        each.claimed_by == current.number and each.reason in found_out
        for each in execution.status.asks or ()
    )


def _waits_long(last: Attempt, next_time: datetime | None) -> bool:
    if next_time is None or last.end_time is None:
        return False
    return next_time - last.end_time > LONGEST_KEPT


# ---- order -----------------------------------------------------------------------------------

Entry: TypeAlias = tuple[float, str, Key]
"""Rank, uid and key: the smallest goes first."""
Line: TypeAlias = tuple[Key, bool]
"""The requests of an Agent that its limit does not count yet, and apart from them those between
attempts."""


class WaitingLines:
    """One sorted line for each Agent, found by namespace.

    The order does not depend on the clock: waiting raises a priority by one each `aging_seconds`,
    for all alike, so that each request has one rank for good. What it costs to find the first does
    not depend on how many wait.
    """

    def __init__(self, aging_seconds: float) -> None:
        self._aging_seconds = aging_seconds
        self._lines: dict[Line, list[Entry]] = {}
        self._namespaces: dict[str, set[Line]] = {}
        self._places: dict[Key, tuple[Line, Entry]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def add(self, request: SlotRequest, priority: int) -> None:
        """Puts a request in its place; its own priority comes before its Agent's."""
        own = request.priority if request.priority is not None else priority
        own += request.resumes  # people have waited for it already: before what has not begun
        rank = request.created.timestamp() - own * self._aging_seconds
        line, entry = (request.agent, request.counts), (rank, request.uid, request.key)
        insort(self._lines.setdefault(line, []), entry)
        self._namespaces.setdefault(request.namespace, set()).add(line)
        self._places[request.key] = line, entry

    def remove(self, key: Key) -> None:
        """Takes a request out, if it is there."""
        place = self._places.pop(key, None)
        if place is None:
            return
        line, entry = place
        entries = self._lines[line]
        del entries[bisect_left(entries, entry)]
        if not entries:
            del self._lines[line]
            of_namespace = self._namespaces[key[0]]
            of_namespace.discard(line)
            if not of_namespace:
                del self._namespaces[key[0]]

    def ahead(self, key: Key) -> int:
        """How many of its namespace stand before it."""
        place = self._places.get(key)
        if place is None:
            return 0
        lines = self._namespaces[key[0]]
        return sum(bisect_left(self._lines[line], place[1]) for line in lines)

    def namespaces(self) -> Iterator[str]:
        """Those in which a request waits."""
        return iter(self._namespaces)

    def candidates(self, namespace: str, is_open: Callable[[Line], bool]) -> Iterator[Entry]:
        """The requests of a namespace in their order, from each line as long as it is open."""
        lines = sorted(self._namespaces.get(namespace, ()))
        return merge(*(self._from(line, is_open) for line in lines))

    def _from(self, line: Line, is_open: Callable[[Line], bool]) -> Iterator[Entry]:
        for entry in self._lines[line]:
            if not is_open(line):
                return
            yield entry
