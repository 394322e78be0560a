"""The Agent resource: what a team declares."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.conditions import Condition
from heliostat_core.egress import Egress
from heliostat_core.resources import (
    ByteQuantity,
    Count,
    CpuQuantity,
    EnvName,
    Generation,
    Instant,
    Micros,
    ObjectMeta,
    ObjectName,
    Part,
    ShortText,
    Text,
    keyed_by,
    rules,
)
from heliostat_core.schedules.model import Schedule
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.secret_refs import SecretRef, not_reserved

DEFAULT_MODEL = "claude-sonnet-5-5"
DEFAULT_TOOLS = ("Bash", "Edit", "Glob", "Grep", "Read", "Write")

Argument = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Command = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]
ToolRule = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\([^\n]+\))?$"
    ),
]
RelativePath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^[^/\n][^\n]*$"),
    Field(
        json_schema_extra=rules(
            ("!('/' + self + '/').contains('/../')", "must stay in the workspace: no '..'")
        )
    ),
]


class ClaudeCode(Part):
    """Claude Code without a terminal, driven by the runner."""


class Runtime(Part):
    """What runs in the workspace: Claude Code when nothing is said, or a command of your own."""

    # Claude Code is the default by absence, not a default value: a value that the API server put
    # there would stay when somebody adds `command` later, and break the rule.
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!(has(self.claudeCode) && has(self.command))",
                "must set at most one of claudeCode and command; with neither, Claude Code runs",
            )
        )
    )

    claude_code: Annotated[
        ClaudeCode | None,
        Field(
            description="Says in so many words that Claude Code runs with the Agent's prompt, "
            "which is what happens without `command` too."
        ),
    ] = None
    command: Annotated[
        Command | None,
        Field(
            description="Program and arguments to run instead of Claude Code. It finds the "
            "gateway's address and the execution's key in ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, "
            "OPENAI_BASE_URL and OPENAI_API_KEY, the prompt in HELIOSTAT_PROMPT. Exit code 0 is "
            "success."
        ),
    ] = None
    stall_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=86400,
            description="When no event comes for so many seconds, the run counts as hung: it is "
            "ended, resumed once, and given up as Stalled when it hangs again.",
        ),
    ] = 600

    @property
    def is_claude_code(self) -> bool:
        return self.command is None


class Model(Part):
    """Which model answers."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"),
        Field(
            description="Name of the model as the gateway knows it, for example "
            "claude-sonnet-5-5; scripted/NAME answers from a scenario, for trials without a "
            "provider."
        ),
    ] = DEFAULT_MODEL


class Tools(Part):
    """What the agent may do, in Claude Code's own permission rules."""

    allow: Annotated[
        tuple[ToolRule, ...],
        Field(
            max_length=64,
            description="Tools that the agent may use, in Claude Code's own permission rules, for "
            "example Read or Bash(python3:*). What no rule allows is refused; nobody is asked.",
        ),
    ] = DEFAULT_TOOLS
    deny: Annotated[
        tuple[ToolRule, ...],
        Field(
            max_length=64,
            description="Tools that the agent must not use, in the same form; wins over allow.",
        ),
    ] = ()


class EnvVar(Part):
    """A variable with a plain value."""

    model_config = ConfigDict(json_schema_extra=rules(not_reserved("name")))

    name: Annotated[
        EnvName, Field(description="Name of the variable, for example REPORT_LANGUAGE.")
    ]
    value: Annotated[
        str, StringConstraints(max_length=4096), Field(description="Its value, as it stands.")
    ] = ""


class Resources(Part):
    """What the run may use of the machine."""

    cpu: Annotated[
        CpuQuantity,
        Field(
            description="Processor time that is reserved, in cores: 500m is half a core, 2 two "
            "cores. A run may use more when the machine is idle."
        ),
    ] = "500m"
    memory: Annotated[
        ByteQuantity,
        Field(
            description="Memory that is reserved and at the same time the limit of all processes "
            "together, for example 512Mi or 2Gi. A run that needs more ends as OutOfMemory."
        ),
    ] = "1Gi"


class Storage(Part):
    """Where the working folder lives."""

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
    size: Annotated[
        ByteQuantity | None,
        Field(description="Size of the volume, for example 1Gi; only with type Volume."),
    ] = None


class Workspace(Part):
    """Where and with what the agent works."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!self.env.exists(e, self.secretRefs.exists(s, s.envName == e.name))",
                "must name a variable in env or in secretRefs, not in both",
            )
        )
    )

    image: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$"),
        Field(
            description="Container image that holds the Heliostat runner; the operator's own "
            "workspace image when not given."
        ),
    ] = None
    resources: Annotated[Resources, Field(description="Processor time and memory of a run.")] = (
        Resources()
    )
    storage: Annotated[Storage, Field(description="Where the working folder lives.")] = Storage()
    env: Annotated[
        tuple[EnvVar, ...],
        Field(
            max_length=64,
            description="Variables for the agent and for every command that it runs.",
            json_schema_extra=keyed_by("name"),
        ),
    ] = ()
    secret_refs: Annotated[
        tuple[SecretRef, ...],
        Field(
            max_length=64,
            description="Values of Secrets in the same namespace, or of Google's Secret Manager, "
            "that become variables. A model provider's key does not belong here: only the gateway "
            "holds those.",
            json_schema_extra=keyed_by("envName"),
        ),
    ] = ()
    egress: Annotated[
        tuple[Egress, ...],
        Field(
            max_length=32,
            description="Hosts outside that runs may reach, beside the gateway and the api. "
            "Nothing else when none is given, where the network enforces it.",
            json_schema_extra=keyed_by("host"),
        ),
    ] = ()


class Limits(Part):
    """What ends a run; each limit holds for all attempts together where nothing else is said."""

    timeout_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=604800,
            description="Seconds that the agent may run, all attempts together. Waiting in the "
            "queue, for the image or between attempts does not count.",
        ),
    ] = 3600
    max_turns: Annotated[
        int,
        Field(ge=1, le=10000, description="Turns that the model may take in one attempt."),
    ] = 200
    max_tokens: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000_000_000,
            description="Tokens of every kind (input, output, cache) that all attempts together "
            "may use. No limit when not given.",
        ),
    ] = None
    max_cost_micros: Annotated[
        Micros,
        Field(
            description="Micro-dollars that all attempts together may cost: 1000000 is one dollar. "
            "Once they are spent, the gateway refuses further calls; those in flight finish and "
            "may exceed it."
        ),
    ] = 5_000_000


class Retry(Part):
    """What happens after a failure."""

    limit: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="How many further attempts follow when the agent fails. An attempt that "
            "the infrastructure broke (eviction, lost node) is made again without counting here.",
        ),
    ] = 0
    backoff_seconds: Annotated[
        tuple[Annotated[int, Field(ge=0, le=86400, description="Seconds.")], ...],
        Field(
            min_length=1,
            max_length=20,
            description="Seconds to wait before the first, second, ... further attempt; the last "
            "number repeats.",
        ),
    ] = (5, 30, 300)


class Verify(Part):
    """How success is checked: by a command or by files that must be there."""

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
        Field(
            description="Program and arguments, run in the workspace when the agent says that it "
            "is done; exit code 0 means verified."
        ),
    ] = None
    files: Annotated[
        tuple[RelativePath, ...] | None,
        Field(
            min_length=1,
            max_length=64,
            description="Files that must be there and not be empty, relative to the workspace.",
        ),
    ] = None


class History(Part):
    """How long finished Executions are kept; the oldest go first, running ones never."""

    successful: Annotated[
        int, Field(ge=0, le=100_000, description="How many succeeded Executions are kept.")
    ] = 10
    failed: Annotated[
        int,
        Field(ge=0, le=100_000, description="How many failed and cancelled Executions are kept."),
    ] = 10
    ttl_seconds: Annotated[
        int | None,
        Field(
            ge=0,
            le=31_536_000,
            description="Finished Executions are deleted after so many seconds, however few there "
            "are. No such limit when not given.",
        ),
    ] = None


class AgentSpec(Part):
    """What the agent is to do, with what, and within which limits."""

    description: Annotated[
        ShortText, Field(description="What this agent is for, in a sentence for people.")
    ] = ""
    prompt: Annotated[
        Text,
        Field(
            min_length=1,
            description="What the agent is to do, in natural language. ${parameters.NAME} is "
            "replaced by that parameter of the Execution.",
        ),
    ]
    suspend: Annotated[
        bool, Field(description="While true, no Execution starts; those that run go on.")
    ] = False
    runtime: Annotated[
        Runtime,
        Field(description="What runs: Claude Code when nothing is said, or your own command."),
    ] = Runtime()
    model: Annotated[Model, Field(description="Which model answers.")] = Model()
    tools: Annotated[
        Tools, Field(description="What the agent may do; everything else is refused.")
    ] = Tools()
    workspace: Annotated[
        Workspace,
        Field(
            description="Where the agent works: image, resources, storage, variables and network."
        ),
    ] = Workspace()
    schedule: Annotated[
        Schedule | None,
        Field(description="When the Agent starts by itself. Only by hand when not given."),
    ] = None
    limits: Annotated[
        Limits, Field(description="What ends a run: time, turns, tokens and money.")
    ] = Limits()
    retry: Annotated[
        Retry, Field(description="Whether and when a failed attempt is followed by another.")
    ] = Retry()
    verify: Annotated[
        Verify | None,
        Field(
            description="How success is checked once the agent says that it is done. Without it a "
            "success counts on the agent's word and is marked Unverified."
        ),
    ] = None
    priority: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="Among waiting Executions the higher priority starts first; waiting "
            "raises it slowly, so that none waits for ever.",
        ),
    ] = 5
    max_concurrent_executions: Annotated[
        int,
        Field(ge=1, le=10_000, description="How many Executions of this Agent may run at once."),
    ] = 10
    history: Annotated[
        History, Field(description="How many finished Executions are kept, and how long.")
    ] = History()


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


class Agent(Part):
    """An agent: what it does, with what, within which limits. Executions run it."""

    api_version: str = "heliostat.dev/v1alpha1"
    kind: Literal["Agent"] = "Agent"
    metadata: ObjectMeta
    spec: AgentSpec
    status: AgentStatus = AgentStatus()
