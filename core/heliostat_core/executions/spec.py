"""What is asked of an Execution: which Agent runs, with what, and who started it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.resources import (
    Instant,
    ObjectName,
    Part,
    keyed_by,
    rules,
)

SCHEDULED = "Schedule"
"""The trigger of a run that its Agent's schedule started."""

WEBHOOK = "Webhook"
"""The trigger of a run that another program started by a call."""

MOST_INPUT = 2**18
"""Letters of an input: all that a webhook may bring."""

_IMMUTABLE = ("agentRef", "input", "parameters", "trigger", "requestedBy", "correlationId")


class AgentRef(Part):
    """Which Agent runs."""

    name: Annotated[ObjectName, Field(description="Name of an Agent in the same namespace.")]


class Parameter(Part):
    """A value for the prompt."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9_]*$"),
        Field(description="Name, as in ${parameters.NAME}."),
    ]
    value: Annotated[
        str, StringConstraints(max_length=4096), Field(description="What stands in its place.")
    ] = ""


class Trigger(Part):
    """What started the run."""

    kind: Annotated[
        Literal["Manual", "Command", "Dashboard", "Schedule", "Backfill", "Webhook"],
        Field(
            description="What started the run: Manual (kubectl, GitOps), Command (the CLI), "
            "Dashboard, Schedule, Backfill (a time of the schedule, made up for by command), or "
            "Webhook (another program called, `id` is its delivery's)."
        ),
    ] = "Manual"
    id: Annotated[
        str, StringConstraints(max_length=253), Field(description="Which one of that kind.")
    ] = ""
    scheduled_time: Annotated[
        Instant | None,
        Field(description="The time of the schedule that the run is for."),
    ] = None


class ExecutionSpec(Part):
    """Which Agent runs, and with what. Only `cancel` and `priority` may change later."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                (f"self.{name} == oldSelf.{name}", f"{name} must stay as it was at creation")
                for name in _IMMUTABLE
            ),
            (
                "has(self.deadlineTime) == has(oldSelf.deadlineTime) && "
                "(!has(self.deadlineTime) || self.deadlineTime == oldSelf.deadlineTime)",
                "deadlineTime must stay as it was at creation",
            ),
            ("!oldSelf.cancel || self.cancel", "cancel must stay true: a stop can't be taken back"),
        )
    )

    agent_ref: Annotated[
        AgentRef,
        Field(
            description="The Agent that runs, in the same namespace. Its spec is frozen when the "
            "Execution is admitted."
        ),
    ]
    input: Annotated[
        str,
        StringConstraints(max_length=MOST_INPUT),
        Field(description="Text that the agent gets after the Agent's prompt."),
    ] = ""
    parameters: Annotated[
        tuple[Parameter, ...],
        Field(
            max_length=64,
            description="Values for ${parameters.NAME} in the prompt.",
            json_schema_extra=keyed_by("name"),
        ),
    ] = ()
    trigger: Annotated[Trigger, Field(description="What started the run.")] = Trigger()
    requested_by: Annotated[
        str,
        StringConstraints(max_length=512),
        Field(
            description="The person who started the run: the caller's own name as the API server "
            "knows it, or `heliostat:` with a person of the api. The admission policy "
            "heliostat-requesters holds it."
        ),
    ] = ""
    correlation_id: Annotated[
        str,
        StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9._:/-]*$"),
        Field(
            description="Ties the run to the request that caused it; when empty, the "
            "Execution's uid."
        ),
    ] = ""
    priority: Annotated[
        int | None, Field(ge=0, le=10, description="Takes the place of the Agent's priority.")
    ] = None
    deadline_time: Annotated[
        Instant | None,
        Field(
            description="When the Execution is not admitted by then, it fails instead of "
            "starting late."
        ),
    ] = None
    cancel: Annotated[
        bool,
        Field(description="Set it to true to stop the run for good; it can't be taken back."),
    ] = False
