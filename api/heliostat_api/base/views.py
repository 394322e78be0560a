"""What clients see of agents, executions and reports: the shapes of REST and of the stream.

camelCase outside. Instants are RFC 3339 in UTC, money is micro-dollars, durations are seconds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from heliostat_core.schedules.status import Outcome, RunResult


class View(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid"
    )


class BlockedView(View):
    """One reason why it does not run now, most important first."""

    reason: str
    message: str
    estimated_time: datetime | None


class AttemptView(View):
    """One attempt: one pod."""

    number: int
    start_time: datetime | None
    end_time: datetime | None
    reason: str | None
    message: str
    cause: str | None
    cost_micros: int


class UsageView(View):
    """Tokens by kind."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class ExecutionView(View):
    """One run. `id` is the Execution's uid; what follows `result` is for a page of its own.

    One that is not `isOwned` was made with kubectl for nobody: it is looked at here, not commanded.
    `testOf` is the id of the agent that a test run tried; its `agent` is a resource of its own.
    """

    id: str
    namespace: str
    name: str
    agent: str
    test_of: str | None = None
    phase: str
    reason: str
    message: str
    trigger: str
    scheduled_time: datetime | None = None
    correlation_id: str
    created_time: datetime
    start_time: datetime | None
    completion_time: datetime | None
    duration_seconds: int | None
    model: str | None
    cost_micros: int
    usage: UsageView
    result: str | None
    blocked_by: tuple[BlockedView, ...]
    attempts: tuple[AttemptView, ...]
    is_finished: bool
    is_owned: bool = True


class TotalsView(View):
    """What all runs of an agent came to, test runs included."""

    executions: int = 0
    usage: UsageView = UsageView()
    cost_micros: int = 0


class WordsView(View):
    """The same in each language of the dashboard."""

    en: str
    ko: str


class PauseView(View):
    """Since when a schedule stands still, why, and what ends that."""

    time: datetime
    reason: str
    message: str


class ReceiptView(View):
    """What became of a time of the schedule, or of `count` in a row until `lastTime`.

    `execution` is the name of the Execution that was made, `result` how it ended; Gone: it was
    deleted before that was seen.
    """

    scheduled_time: datetime
    last_time: datetime | None
    count: int
    outcome: Outcome
    reason: str
    message: str
    time: datetime
    execution: str | None
    result: RunResult | None


class AgentView(View):
    """One agent. `managedBy` says whose it is to edit: the dashboard's or kubectl's (read-only).

    `name` is what people call it; `resource` is the name of its Agent resource, which executions
    give as their `agent` (empty before it was activated). Where `appliedRevision` is older than
    `revision`, edits wait for an activation. `drift` are fields of the resource that somebody else
    changed since, `missing` those without which it can't be activated. `schedule` is its schedule
    in words, `scheduleZone` the time zone that it is read in, `nextTime` when it starts next; null
    where it starts by hand only, and while it is not active. `readyReason` is the reason of the
    condition Ready, or ResourceDeleted where somebody deleted the resource. `scheduleMissed`
    are those of its last times that could not be kept, newest first.
    One that is not `isOwned` was made with kubectl for nobody: whoever operates its
    namespace looks at it here.
    """

    id: str
    namespace: str
    name: str
    description: str
    model: str
    status: Literal["draft", "active", "inactive"]
    managed_by: Literal["dashboard", "kubectl"]
    is_ready: bool | None
    ready_message: str
    active_executions: int
    created_time: datetime
    resource: str = ""
    revision: int | None = None
    applied_revision: int | None = None
    missing: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    totals: TotalsView = TotalsView()
    is_owned: bool = True
    schedule: WordsView | None = None
    next_time: datetime | None = None
    schedule_paused: PauseView | None = None
    schedule_missed: tuple[ReceiptView, ...] = ()
    schedule_zone: str | None = None
    ready_reason: str = ""


class AgentDetailView(AgentView):
    """One agent with all of it. `yaml` is what `kubectl apply -f` takes as it is, `wholeYaml` the
    same with every default, as `kubectl get -o yaml` says it (empty where something is missing);
    `scheduleRecent` what became of the last times of its schedule, newest first."""

    spec: Mapping[str, JsonValue]
    yaml: str
    whole_yaml: str = ""
    schedule_recent: tuple[ReceiptView, ...] = ()


class FieldChangeView(View):
    """A field that differs; null where it is not there."""

    field: str
    before: JsonValue
    after: JsonValue


class RevisionView(View):
    """One saved state of an agent. `note` says how it came about."""

    number: int
    name: str
    note: str
    created_time: datetime


class RevisionDetailView(RevisionView):
    """A saved state with all of it, and what changed since the one before."""

    description: str
    spec: Mapping[str, JsonValue]
    changes: tuple[FieldChangeView, ...]


class SpendingView(View):
    """What you may spend a day, and what you have spent of it; `untilTime` is when it starts anew.

    `reached` says of which cap nothing is left: your own, or that of all guests together.
    """

    cap_micros: int | None
    spent_micros: int
    until_time: datetime | None
    reached: Literal["own", "guests"] | None = None


class PersonView(View):
    """Who you are. `expiresTime` is when a guest's agents stop unless the guest comes again (null
    for others); `isExpiring` says that this is near. `GET /api/me` alone tells `spending`, null
    while the gateway is away, and `canSignIn`: whether there is a provider to sign in at.
    """

    id: str
    kind: Literal["local", "guest", "user"]
    is_admin: bool
    expires_time: datetime | None = None
    is_expiring: bool = False
    spending: SpendingView | None = None
    can_sign_in: bool | None = None


class OutputView(View):
    """Payload of `execution.output`: events of an attempt's transcript, as Claude Code wrote them.

    `first` is the sequence number (from 0) of the first of them in that attempt.
    """

    attempt: int
    first: int
    events: tuple[Mapping[str, JsonValue], ...]


class PiecesView(View):
    """Payload of `execution.pieces`: an answer while it comes, as Claude Code's `stream_event`s.

    Screens may miss them: the whole answer follows as output.
    """

    attempt: int
    events: tuple[Mapping[str, JsonValue], ...]


class GoneView(View):
    """Payload of `agent.deleted`."""

    id: str
    namespace: str
    name: str


class ConversationView(View):
    """A conversation. `agentId` is the agent that it is about, once there is one."""

    id: str
    title: str
    agent_id: str | None
    created_time: datetime
    changed_time: datetime
    state: Literal["idle", "answering", "interrupted"]


class GoneConversationView(View):
    """Payload of `conversation.deleted`."""

    id: str


class ThingsView(View):
    """Payload of `things.changed`: what is to be read anew."""

    what: Literal["keys", "secrets", "triggers", "webhooks", "deliveries"]


class TranscriptView(View):
    """A page of a transcript. `next` is the cursor of what follows, None at the (present) end."""

    attempt: int
    first: int
    events: tuple[Mapping[str, JsonValue], ...]
    next: str | None
