"""Defines the tools that the model is offered, as pure schemas."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from heliostat_api.chat.models import Tool

_NOT_SHOWN: Final = frozenset({"title", "description"})


class Input(BaseModel):
    """What a tool takes; the description of the tool is its docstring."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class SaveAgent(Input):
    """Save the agent of this conversation as a draft: the first call makes it, later ones change
    only the fields that are given. Answers what is saved now and what is still missing; without
    any field nothing is changed. Call it as soon as you know what the agent is to do."""

    name: Annotated[
        str | None,
        Field(min_length=1, max_length=120, description="What people call it, a few words."),
    ] = None
    description: Annotated[
        str | None, Field(max_length=1024, description="What it is for, one sentence for people.")
    ] = None
    prompt: Annotated[
        str | None,
        Field(max_length=65536, description="The whole task, in words that need no context."),
    ] = None
    model: Annotated[
        str | None,
        Field(max_length=128, description="Name of the model; leave it out for the usual one."),
    ] = None
    spec: Annotated[
        Mapping[str, JsonValue] | None,
        Field(
            description="Other fields of the agent, as a JSON merge patch: tools {allow, deny} in "
            "Claude Code's permission rules, limits {timeoutSeconds, maxTurns, maxTokens, "
            "maxCostMicros}, retry {limit, backoffSeconds}, verify {command | files}, workspace "
            "{env, secretRefs, egress [{host, ports}], resources, storage}, priority, "
            "maxConcurrentExecutions. null takes a field out."
        ),
    ] = None


class SetSchedule(Input):
    """Set when the agent starts by itself; save_agent must have been called before. Draft only:
    nothing starts before the person activates the agent."""

    schedule: Annotated[
        Mapping[str, JsonValue] | None,
        Field(
            description="Either cron ('0 9 * * 1-5'), or frequency (hourly, daily, weekly, "
            "monthly) with time ('09:00'), weekday ('Monday') and monthDay where they apply; "
            "timeZone (IANA name, the person's own when left out). null: no schedule."
        ),
    ]


class PreviewSchedule(Input):
    """Show the person what a schedule means, in words and as the next times. Without a schedule:
    the agent's own. Changes nothing."""

    schedule: Annotated[
        Mapping[str, JsonValue] | None,
        Field(description="As set_schedule takes it; left out: the one that is saved."),
    ] = None


class RunTest(Input):
    """Run the draft once, now, and wait for its end. It really works and costs what a run costs.
    When it takes long the answer says that it goes on; read_result then tells more."""

    input: Annotated[
        str, Field(max_length=65536, description="What this run gets beside the prompt.")
    ] = ""
    parameters: Annotated[
        Mapping[str, str],
        Field(max_length=64, description="Values of ${parameters.NAME} in the prompt."),
    ] = {}


class ReadResult(Input):
    """How a run of the agent is: phase, result, why it failed, files, cost. Without an id: the
    newest one."""

    execution: Annotated[
        str | None, Field(max_length=253, description="Uid of the run, as run_test told it.")
    ] = None


class ListModels(Input):
    """Models that an agent may use here."""


class EstimateCost(Input):
    """What a run of the agent may cost, from what its runs cost so far, and what it may touch.
    The person sees a chart of past cost where there is any."""


INPUTS: Final[Mapping[str, type[Input]]] = {
    "save_agent": SaveAgent,
    "set_schedule": SetSchedule,
    "preview_schedule": PreviewSchedule,
    "run_test": RunTest,
    "read_result": ReadResult,
    "list_models": ListModels,
    "estimate_cost": EstimateCost,
}


def tool_of(name: str) -> Tool:
    """The model is offered the tool like this; its description is the docstring of its input."""
    kind = INPUTS[name]
    schema: dict[str, object] = kind.model_json_schema(by_alias=True)
    described = " ".join((kind.__doc__ or "").split())
    return Tool(name, described, {k: v for k, v in schema.items() if k not in _NOT_SHOWN})


TOOLS: Final = tuple(map(tool_of, INPUTS))
