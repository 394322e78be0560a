"""Conditions: their types and reasons are part of the API, each documented where it is defined.

The table in docs/conditions.md is generated from here.
"""

from heliostat_core.conditions.agents import (
    AgentCondition,
    ReadyReason,
    TickReason,
    TriggeredReason,
)
from heliostat_core.conditions.condition import (
    Condition,
    ConditionStatus,
    find_condition,
    is_true,
    set_condition,
)
from heliostat_core.conditions.documented import Documented
from heliostat_core.conditions.executions import (
    AdmittedReason,
    AwaitingReason,
    BlockedReason,
    ExecutionCondition,
    FinishedReason,
    RunningReason,
    SettledReason,
)

__all__ = [
    "AdmittedReason",
    "AgentCondition",
    "AwaitingReason",
    "BlockedReason",
    "Condition",
    "ConditionStatus",
    "Documented",
    "ExecutionCondition",
    "FinishedReason",
    "ReadyReason",
    "RunningReason",
    "SettledReason",
    "TickReason",
    "TriggeredReason",
    "find_condition",
    "is_true",
    "set_condition",
]
