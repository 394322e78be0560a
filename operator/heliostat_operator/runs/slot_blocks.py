"""What a status says of a run that waits for a slot, and when it is looked at again."""

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import BlockedBy
from heliostat_operator.runs.observations import SlotStatus

NAMESPACE_TERMINATING = BlockedBy(
    reason=BlockedReason.NAMESPACE_TERMINATING,
    message="This namespace is being deleted: nothing can be started in it. Make the Execution in "
    "another one.",
)

_SHORTEST_WAIT = 30.0
_LONGEST_WAIT = 300.0
_STEPS = (1000, 500, 100, 50, 10)


def slot_block(slots: SlotStatus, *, admitted: bool = False) -> BlockedBy | None:
    """Which limit keeps a run from starting; None where it has a slot. One that was admitted counts
    among those of its Agent already."""
    if slots.granted:
        return None
    of_agent = None if admitted else _agent_block(slots)
    return of_agent or _namespace_block(slots) or _total_block(slots)


def _agent_block(slots: SlotStatus) -> BlockedBy | None:
    use = slots.agent
    if not use.is_full:
        return None
    stalled = f", {use.stalled} of them with a pod that can't start" if use.stalled else ""
    return BlockedBy(
        reason=BlockedReason.AGENT_CONCURRENCY,
        message=f"This Agent has {use.taken} of its {use.limit} Executions at once{stalled}; "
        f"{_ahead(slots)} Raise spec.maxConcurrentExecutions, or wait.",
    )


def _namespace_block(slots: SlotStatus) -> BlockedBy | None:
    use = slots.namespace
    if use.is_full:
        return BlockedBy(
            reason=BlockedReason.NAMESPACE_CONCURRENCY,
            message=f"{use.taken} Executions of this namespace run or start, of {use.limit} that a "
            f"namespace may have at once; {_ahead(slots)} Wait, or have an admin raise the "
            "operator's limit for namespaces.",
        )
    if use.is_clogged:
        return BlockedBy(
            reason=BlockedReason.NAMESPACE_CONCURRENCY,
            message=f"{use.stalled} Executions of this namespace have pods that can't start; no "
            f"more are tried until one of them can or ends; {_ahead(slots)} See "
            "status.blockedBy of those that are Starting.",
        )
    return None


def _total_block(slots: SlotStatus) -> BlockedBy:
    use = slots.total
    return BlockedBy(
        reason=BlockedReason.TOTAL_CONCURRENCY,
        message=f"{use.taken} Executions run or start in all namespaces, of {use.limit} that may "
        f"at once; {_ahead(slots)} Namespaces take turns. Wait, or have an admin raise the "
        "operator's limit.",
    )


def _ahead(slots: SlotStatus) -> str:
    """Rounded: each step of a long queue would else be a write of every status in it."""
    more = next((each for each in _STEPS if slots.ahead > each), None)
    count = f"more than {more}" if more else str(slots.ahead)
    verb = "waits" if slots.ahead == 1 else "wait"
    return f"{count} of this namespace {verb} before this one."


def slot_patience(ahead: int) -> float:
    """A slot that becomes free wakes whoever gets it; a look at all the others every half a minute
    would cost more, the more of them there are."""
    return min(max(_SHORTEST_WAIT, ahead / 2), _LONGEST_WAIT)
