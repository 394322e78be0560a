"""What the operator observed of an Agent."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heliostat_core.conditions import Condition
from heliostat_core.resources import (
    Count,
    Generation,
    Instant,
    Micros,
    ObjectName,
    Part,
    keyed_by,
)
from heliostat_core.schedules.status import ScheduleStatus


class LastExecution(Part):
    """The Execution that changed last."""

    name: Annotated[ObjectName, Field(description="Name of the Execution.")]
    phase: Annotated[
        str, StringConstraints(max_length=32), Field(description="Its phase, for people.")
    ]
    time: Annotated[Instant, Field(description="When it last changed.")]


class AgentStatus(Part):
    """What the operator observed; only the operator writes it."""

    observed_generation: Annotated[
        Generation, Field(description="The generation of the spec that this status is about.")
    ] = 0
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            description="Ready says whether the Agent could run now.",
            json_schema_extra=keyed_by("type"),
        ),
    ] = ()
    active: Annotated[
        Count, Field(description="How many of its Executions are admitted and not finished.")
    ] = 0
    last_execution: Annotated[
        LastExecution | None, Field(description="The Execution that changed last.")
    ] = None
    cost_micros: Annotated[
        Micros, Field(description="Micro-dollars of all its runs, from the gateway's ledger.")
    ] = 0
    schedule: Annotated[
        ScheduleStatus | None, Field(description="How its schedule stands, when it has one.")
    ] = None
