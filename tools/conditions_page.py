"""The tables of docs/conditions.md, from the enums that the code uses."""

from collections.abc import Callable, Mapping
from functools import partial

from heliostat_core import conditions
from heliostat_core.approvals import ApprovalReason
from heliostat_core.conditions import Documented
from tools.sections import table


def build_table(header: str, words: type[Documented]) -> str:
    """One row for each member. Raises ValueError for one without description."""
    missing = [word.value for word in words if not word.description]
    if missing:
        raise ValueError(f"{words.__name__}: must have a description: {', '.join(missing)}")
    return table((header, "meaning"), [(f"`{word.value}`", word.description) for word in words])


# Part of the page -> its table, in the order of the page.
SECTIONS: Mapping[str, Callable[[], str]] = {
    "agent-conditions": partial(build_table, "condition", conditions.AgentCondition),
    "execution-conditions": partial(build_table, "condition", conditions.ExecutionCondition),
    "ready": partial(build_table, "reason", conditions.ReadyReason),
    "triggered": partial(build_table, "reason", conditions.TriggeredReason),
    "ticks": partial(build_table, "reason", conditions.TickReason),
    "blocked": partial(build_table, "reason", conditions.BlockedReason),
    "admitted": partial(build_table, "reason", conditions.AdmittedReason),
    "running": partial(build_table, "reason", conditions.RunningReason),
    "settled": partial(build_table, "reason", conditions.SettledReason),
    "finished": partial(build_table, "reason", conditions.FinishedReason),
    "approvals": partial(build_table, "reason", ApprovalReason),
}
