"""The Agent resource: what a team declares."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.conditions import Condition
from heliostat_core.resources import (
    EnvName,
    Instant,
    ObjectMeta,
    ObjectName,
    Part,
    Quantity,
    ShortText,
    Text,
    rules,
)

DEFAULT_MODEL = "claude-sonnet-5-5"
DEFAULT_TOOLS = ("Bash", "Edit", "Glob", "Grep", "Read", "Write")

_RESERVED = ("HELIOSTAT_", "ANTHROPIC_", "OPENAI_", "CLAUDE_")
_NOT_RESERVED = " && ".join(f"!self.{{0}}.startsWith('{prefix}')" for prefix in _RESERVED)
_RESERVED_MESSAGE = (
    "{0} must not begin with HELIOSTAT_, ANTHROPIC_, OPENAI_ or CLAUDE_: Heliostat sets those"
)

Argument = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Command = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]
ToolRule = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\([^\n]+\))?$"
    ),
]
RelativePath = Annotated[
    str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^/\n][^\n]*$")
]
Micros = Annotated[int, Field(ge=0, le=1_000_000_000_000, json_schema_extra={"format": "int64"})]


class ClaudeCode(Part):
    """Claude Code, headless."""


class Runtime(Part):
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.claudeCode) != has(self.command)",
                "must set exactly one of claudeCode and command",
            )
        )
    )

    claude_code: Annotated[
        ClaudeCode | None, Field(description="Run Claude Code with the Agent's prompt.")
    ] = None
    command: Annotated[
        Command | None,
        Field(
            description="Run this command instead of Claude Code. It gets the gateway's address "
            "and the execution's key as ANTHROPIC_* and OPENAI_* variables."
        ),
    ] = None
    stall_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=86400,
            description="Without an event for so long the run counts as hung: it is ended, "
            "resumed once, then given up as Stalled.",
        ),
    ] = 600


class Model(Part):
    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"),
        Field(description="Name of the model as the gateway knows it; scripted/NAME for trials."),
    ] = DEFAULT_MODEL


class Tools(Part):
    allow: Annotated[
        tuple[ToolRule, ...],
        Field(
            max_length=64,
            description="Tools that the agent may use, as Claude Code's own rules, for example "
            "Bash(python3:*). What is not allowed is refused; nobody is asked.",
        ),
    ] = DEFAULT_TOOLS
    deny: Annotated[
        tuple[ToolRule, ...],
        Field(max_length=64, description="Tools that the agent must not use; wins over allow."),
    ] = ()


class EnvVar(Part):
    model_config = ConfigDict(
        json_schema_extra=rules((_NOT_RESERVED.format("name"), _RESERVED_MESSAGE.format("name")))
    )

    name: Annotated[EnvName, Field(description="Name of the variable.")]
    value: Annotated[str, StringConstraints(max_length=4096), Field(description="Its value.")] = ""


class SecretRef(Part):
    model_config = ConfigDict(
        json_schema_extra=rules(
            (_NOT_RESERVED.format("envName"), _RESERVED_MESSAGE.format("envName"))
        )
    )

    name: Annotated[ObjectName, Field(description="Name of a Secret in the same namespace.")]
    key: Annotated[
        str,
        StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$"),
        Field(description="Key in that Secret."),
    ]
    env_name: Annotated[EnvName, Field(description="Variable that gets the value.")]


class Resources(Part):
    cpu: Annotated[Quantity, Field(description="Processors that are reserved for the run.")] = (
        "500m"
    )
    memory: Annotated[
        Quantity, Field(description="Memory that is reserved and at the same time the limit.")
    ] = "1Gi"


class Storage(Part):
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "(self.type == 'Volume') == has(self.size)",
                "must set size with type Volume, and only then",
            )
        )
    )

    type: Annotated[
        Literal["Ephemeral", "Volume"],
        Field(
            description="Ephemeral: the workspace goes with the pod and a further attempt starts "
            "again. Volume: a claim owned by the Execution; a further attempt goes on in the same "
            "session."
        ),
    ] = "Ephemeral"
    size: Annotated[Quantity | None, Field(description="Size of the volume, for example 1Gi.")] = (
        None
    )


class Workspace(Part):
    image: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$"),
        Field(description="Image with the runner in it; the operator's default when not given."),
    ] = None
    resources: Annotated[Resources, Field(description="What the run may use.")] = Resources()
    storage: Annotated[Storage, Field(description="Where the working folder lives.")] = Storage()
    env: Annotated[
        tuple[EnvVar, ...],
        Field(
            max_length=64,
            description="Variables for the agent and its commands.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = ()
    secret_refs: Annotated[
        tuple[SecretRef, ...],
        Field(
            max_length=64,
            description="Values of Secrets that become variables. Never a provider's key: the "
            "gateway holds those.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["envName"],
            },
        ),
    ] = ()


class Limits(Part):
    timeout_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=604800,
            description="Running time of all attempts together; queue, image pull and backoff do "
            "not count.",
        ),
    ] = 3600
    max_turns: Annotated[
        int, Field(ge=1, le=10000, description="Turns of the model in one attempt.")
    ] = 200
    max_tokens: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000_000_000,
            json_schema_extra={"format": "int64"},
            description="Tokens of all attempts together, of every kind. No limit when not given.",
        ),
    ] = None
    max_cost_micros: Annotated[
        Micros,
        Field(description="Micro-dollars that all attempts together may cost; default 5 dollars."),
    ] = 5_000_000


class Retry(Part):
    limit: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="Further attempts after a failure of the agent. What the infrastructure "
            "breaks is tried again without counting here.",
        ),
    ] = 0
    backoff_seconds: Annotated[
        tuple[Annotated[int, Field(ge=0, le=86400)], ...],
        Field(
            min_length=1,
            max_length=20,
            description="Wait before the first, second, ... further attempt; the last one repeats.",
        ),
    ] = (5, 30, 300)


class Verify(Part):
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.command) != has(self.files)",
                "must set exactly one of command and files",
            )
        )
    )

    command: Annotated[
        Command | None,
        Field(description="Run in the workspace after the agent; exit code 0 means verified."),
    ] = None
    files: Annotated[
        tuple[RelativePath, ...] | None,
        Field(
            min_length=1,
            max_length=64,
            description="Files, relative to the workspace, that must be there and not empty.",
        ),
    ] = None


class History(Part):
    successful: Annotated[
        int, Field(ge=0, le=100_000, description="Succeeded Executions to keep.")
    ] = 10
    failed: Annotated[int, Field(ge=0, le=100_000, description="Failed Executions to keep.")] = 10
    ttl_seconds: Annotated[
        int | None,
        Field(
            ge=0, le=31_536_000, description="Delete a finished Execution after so many seconds."
        ),
    ] = None


class AgentSpec(Part):
    description: Annotated[ShortText, Field(description="What this agent is for, for people.")] = ""
    prompt: Annotated[
        Text,
        Field(
            min_length=1,
            description="What the agent is to do, in natural language. ${parameters.NAME} stands "
            "for a parameter of the Execution.",
        ),
    ]
    suspend: Annotated[
        bool,
        Field(description="While true, new Executions wait and say so; running ones go on."),
    ] = False
    runtime: Annotated[Runtime, Field(description="What runs in the workspace.")] = Runtime(
        claude_code=ClaudeCode()
    )
    model: Annotated[Model, Field(description="Which model answers.")] = Model()
    tools: Annotated[Tools, Field(description="What the agent may do.")] = Tools()
    workspace: Annotated[Workspace, Field(description="Where the agent works.")] = Workspace()
    limits: Annotated[Limits, Field(description="What ends a run.")] = Limits()
    retry: Annotated[Retry, Field(description="What happens after the agent's failure.")] = Retry()
    verify: Annotated[
        Verify | None,
        Field(description="How success is checked; without it a success is Unverified."),
    ] = None
    priority: Annotated[
        int, Field(ge=0, le=10, description="Higher starts first; waiting raises it slowly.")
    ] = 5
    max_concurrent_executions: Annotated[
        int, Field(ge=1, le=10_000, description="Executions of this Agent that may run at once.")
    ] = 10
    history: Annotated[History, Field(description="How many finished runs are kept.")] = History()


class LastExecution(Part):
    name: Annotated[ObjectName, Field(description="Name of the Execution.")]
    phase: Annotated[
        str, StringConstraints(max_length=32), Field(description="Its phase, for people.")
    ]
    time: Annotated[Instant, Field(description="When it last changed.")]


class AgentStatus(Part):
    observed_generation: Annotated[
        int, Field(ge=0, description="The generation of the spec that this status is about.")
    ] = 0
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            description="Ready says whether the Agent could run now.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        ),
    ] = ()
    active: Annotated[int, Field(ge=0, description="Executions that are admitted now.")] = 0
    last_execution: Annotated[
        LastExecution | None, Field(description="The Execution that changed last.")
    ] = None
    cost_micros: Annotated[
        Micros, Field(description="Micro-dollars of all its runs, from the gateway's ledger.")
    ] = 0


class Agent(Part):
    """An agent: what it does, with what, within which limits. Executions run it."""

    api_version: str = "heliostat.dev/v1alpha1"
    kind: Literal["Agent"] = "Agent"
    metadata: ObjectMeta
    spec: AgentSpec
    status: AgentStatus = AgentStatus()
