"""The Agent resource: what a team declares."""

from typing import Annotated, Literal

from pydantic import Field

from heliostat_core.agents.approvals import Approvals
from heliostat_core.agents.limits import History, Limits, Retry
from heliostat_core.agents.models import Model, Tools
from heliostat_core.agents.pod_template import PodTemplate
from heliostat_core.agents.runtime import (
    Runtime,
    Verify,
)
from heliostat_core.agents.status import AgentStatus
from heliostat_core.agents.workspace import Workspace
from heliostat_core.resources import (
    ObjectMeta,
    Part,
    ShortText,
    Text,
)
from heliostat_core.schedules.model import Schedule


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
    pod_template: Annotated[
        PodTemplate | None,
        Field(description="What the pods of runs have beside what Heliostat gives them."),
    ] = None
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
    approvals: Annotated[
        Approvals | None,
        Field(description="Which actions wait for a person, and who may decide."),
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
    start_timeout_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=604800,
            description="How long the pod of an attempt may take to start (room on a node, image, "
            "Secrets, volumes); then the run fails as StartTimedOut. A Job that another program "
            "suspends is not counted meanwhile.",
        ),
    ] = 3600
    history: Annotated[
        History, Field(description="How many finished Executions are kept, and how long.")
    ] = History()


class Agent(Part):
    """An agent: what it does, with what, within which limits. Executions run it."""

    api_version: str = "heliostat.dev/v1alpha1"
    kind: Literal["Agent"] = "Agent"
    metadata: ObjectMeta
    spec: AgentSpec
    status: AgentStatus = AgentStatus()
