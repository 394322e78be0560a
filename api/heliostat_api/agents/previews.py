"""What an agent would be: what it may cost, what it may touch, what changed. Decisions are pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from heliostat_api.agents.edits import AgentPatch, edit_of
from heliostat_api.agents.policy import AgentPolicy, PolicyResult
from heliostat_api.agents.reading import Agents, spec_of, view_of
from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.person import Person
from heliostat_api.base.views import FieldChangeView, View
from heliostat_api.documents.port import OWNER, Document, Documents, Query
from heliostat_api.records.contents import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    Content,
    Name,
    Spec,
    completed,
    judge,
    whole_spec,
)
from heliostat_api.records.diffs import changes_between, changes_of
from heliostat_api.records.drafts import Draft, read_draft
from heliostat_api.records.loading import SPEC
from heliostat_api.records.schedules import SchedulePreviewView, look_ahead, starts_in_a_month
from heliostat_core.agents import AgentSpec
from heliostat_core.egress import HTTPS_PORT, Egress
from heliostat_core.secret_refs import SecretRef

HISTORY = 50
"""Runs that an estimate looks back on."""
AHEAD = 10
"""Times of a schedule that a preview names."""
ANYWHERE = "*"
COMMAND = "command"
_UNNAMED = "Unnamed"


class PreviewRequest(View):
    """What to look at: an agent as it is saved (`agent` alone: what its activation would do), that
    agent with a patch (what saving would change), or an agent that is not there yet."""

    agent: Annotated[str | None, Field(max_length=64)] = None
    name: Name | None = None
    description: Annotated[str | None, Field(max_length=1024)] = None
    spec: Spec | None = None


class CostView(View):
    """Micro-dollars of a run, from what its runs so far cost; `text` says it in words.

    Without history the sums are null. Once `limitMicros` is spent, no further model call starts.
    """

    executions: int
    average_micros: int | None
    highest_micros: int | None
    limit_micros: int | None
    text: str


class SecretVariableView(View):
    """A value that the agent gets as a variable: of a Secret by its key, or of Secret Manager by
    its version."""

    name: str
    key: str
    env_name: str


class TouchView(View):
    """What it may do. `hosts`: `*` is whatever its network lets through; ports but 443 follow a
    host after a blank. `redActions`: by what it may share, send, pay or delete outside of its
    workspace, with nobody's approval: rules of tools, or `command`."""

    tools: tuple[str, ...]
    denied: tuple[str, ...]
    hosts: tuple[str, ...]
    secrets: tuple[SecretVariableView, ...]
    red_actions: tuple[str, ...]


class MonthView(View):
    """What its schedule may cost in the next 30 days; null without history. `text` says it."""

    starts: int
    cost_micros: int | None
    text: str


class PreviewView(View):
    """`errors` are wrong fields, `missing` those without which it can't be activated, `warnings`
    what is saved all the same; `touches` is null where wrong fields leave it open, `schedule` and
    `month` where there is no schedule."""

    errors: tuple[FieldError, ...]
    missing: tuple[str, ...]
    warnings: tuple[FieldError, ...] = ()
    cost: CostView
    touches: TouchView | None
    changes: tuple[FieldChangeView, ...]
    schedule: SchedulePreviewView | None = None
    month: MonthView | None = None


@dataclass(frozen=True)
class Previews:
    """Looks up what previews are made of."""

    documents: Documents
    agents: Agents
    policy: AgentPolicy
    clock: Callable[[], datetime]
    is_confined: bool
    """Whether the network keeps a run to the hosts that it names."""

    async def look(self, person: Person, request: PreviewRequest) -> PreviewView:
        """Raises NotFoundProblem."""
        if request.agent is None:
            content = patched(Content(name=_UNNAMED), request)
            looked = await self.policy.look(person, content)
            return self._build(looked, changes_of(None, looked.content), [])
        document = await self.agents.document(person, request.agent)
        saved = saved_content(document)
        looked = await self.policy.look(person, patched(saved, request))
        is_edit = bool(request.model_fields_set - {"agent"})
        draft = read_draft(document)
        changes = (
            changes_of(saved, looked.content) if is_edit or draft is None else to_activate(draft)
        )
        costs = await self._costs(document)
        return self._build(looked, changes, costs)

    def _build(
        self, looked: PolicyResult, changes: tuple[FieldChangeView, ...], costs: Sequence[int]
    ) -> PreviewView:
        return build_preview(looked, changes, costs, self.clock(), is_confined=self.is_confined)

    async def _costs(self, agent: Document) -> Sequence[int]:
        owner = str(agent.fields[OWNER])
        query = Query("executions", owner, {"agentId": agent.id}, limit=HISTORY)
        page = await self.documents.query(query)
        return [cost for each in page.documents if (cost := cost_of(each)) is not None]


def patched(content: Content, request: PreviewRequest) -> Content:
    """The content with what the request says."""
    patch = AgentPatch(name=request.name, description=request.description, spec=request.spec)
    return edit_of(patch)(content)


def saved_content(document: Document) -> Content:
    """Of any agent."""
    view = view_of(document)
    return Content(
        name=view.name.strip()[:LONGEST_NAME] or _UNNAMED,
        description=view.description[:LONGEST_DESCRIPTION],
        spec=spec_of(document),
    )


def cost_of(run: Document) -> int | None:
    """Micro-dollars of a run that ended."""
    cost = run.fields.get("costMicros")
    return cost if isinstance(cost, int) and run.fields.get("isFinished") is True else None


def build_preview(
    looked: PolicyResult,
    changes: tuple[FieldChangeView, ...],
    costs: Sequence[int],
    now: datetime,
    *,
    is_confined: bool,
) -> PreviewView:
    """Of an agent with that content, whose runs cost that."""
    content = looked.content
    judgement = judge(content.spec)
    spec = None if judgement.faults else completed(content.spec)
    schedule = spec.schedule if spec else None
    cost = estimate(costs, spec.limits.max_cost_micros if spec else None)
    return PreviewView(
        errors=(*judgement.faults, *looked.faults),
        warnings=(*looked.hindrances, *looked.doubts),
        missing=judgement.missing,
        cost=cost,
        touches=touches_of(spec, is_confined=is_confined) if spec else None,
        changes=changes,
        schedule=look_ahead(schedule, now, AHEAD) if schedule else None,
        month=forecast(starts_in_a_month(schedule, now), cost) if schedule else None,
    )


def to_activate(draft: Draft) -> tuple[FieldChangeView, ...]:
    """From the resource as it is, or from nothing, to the newest revision with its defaults.

    A field that others set and this revision does not stays theirs.
    """
    spec = completed(whole_spec(draft.content))
    after = {**spec.to_json(), "suspend": False} if spec else whole_spec(draft.content)
    state = draft.state
    changes = changes_between(state.spec if state else {}, SPEC.validate_python(after), "spec")
    own = {"spec": {**whole_spec(draft.content), "suspend": False}}
    theirs = {field for field in state.drift if not has_field(own, field)} if state else set()
    return tuple(each for each in changes if each.field not in theirs)


def has_field(document: JsonValue | Mapping[str, JsonValue], path: str) -> bool:
    """Whether a document says something at `spec.limits.timeoutSeconds`."""
    for step in path.split("."):
        if not isinstance(document, Mapping) or step not in document:
            return False
        document = document[step]
    return True


def estimate(costs: Sequence[int], limit: int | None) -> CostView:
    """From what finished runs cost; the average is rounded up."""
    bound = f" A run stops at about {dollars(limit)}." if limit is not None else ""
    if not costs:
        return CostView(
            executions=0,
            average_micros=None,
            highest_micros=None,
            limit_micros=limit,
            text=f"No history: it has not run yet.{bound}",
        )
    average, highest = -(-sum(costs) // len(costs)), max(costs)
    runs = "run" if len(costs) == 1 else f"{len(costs)} runs"
    said = f"The last {runs} cost {dollars(average)} on average, {dollars(highest)} at most."
    return CostView(
        executions=len(costs),
        average_micros=average,
        highest_micros=highest,
        limit_micros=limit,
        text=said + bound,
    )


def forecast(starts: int, cost: CostView) -> MonthView:
    """So many starts at the average of its runs so far."""
    times = "once" if starts == 1 else f"{starts} times"
    said = f"Its schedule starts it {times} in the next 30 days."
    if cost.average_micros is None:
        text = f"{said} Without history nobody knows what that costs."
        return MonthView(starts=starts, cost_micros=None, text=text)
    total = starts * cost.average_micros
    text = f"{said} At the average so far that is {dollars(total)}."
    return MonthView(starts=starts, cost_micros=total, text=text)


def dollars(micros: int) -> str:
    """`$0.0312`: to the hundredth of a cent, rounded up."""
    hundredths = -(-micros // 100)
    return f"${hundredths // 10_000}.{hundredths % 10_000:04d}"


def touches_of(spec: AgentSpec, *, is_confined: bool = False) -> TouchView:
    """What the tools, the command and the Secrets of a spec reach."""
    denied = spec.tools.deny
    tools = tuple(each for each in spec.tools.allow if not {each, tool_of(each)} & set(denied))
    is_command = spec.runtime.command is not None
    by = {COMMAND: (ANYWHERE,)} if is_command else {each: hosts_of(each) for each in tools}
    reached = {host for each in by.values() for host in each}
    hosts = {named(each) for each in spec.workspace.egress} | (set() if is_confined else reached)
    return TouchView(
        tools=() if is_command else tools,
        denied=denied,
        hosts=tuple(sorted(hosts)),
        secrets=tuple(map(_secret_variable, spec.workspace.secret_refs)),
        red_actions=tuple(each for each, reach in by.items() if reach and hosts),
    )


def named(egress: Egress) -> str:
    """`api.example.com`, or `api.example.com 443 8443`."""
    ports = "" if egress.ports == (HTTPS_PORT,) else "".join(f" {each}" for each in egress.ports)
    return f"{egress.host}{ports}"


def _secret_variable(ref: SecretRef) -> SecretVariableView:
    managed = ref.secret_manager
    if managed is not None:
        return SecretVariableView(name=managed.secret, key=managed.version, env_name=ref.env_name)
    return SecretVariableView(name=ref.name or "", key=ref.key or "", env_name=ref.env_name)


def tool_of(rule: str) -> str:
    """`Bash` of `Bash(python3:*)`."""
    return rule.partition("(")[0]


def hosts_of(rule: str) -> tuple[str, ...]:
    """Hosts that a tool may talk to by itself. A command may talk to any."""
    tool, inside = tool_of(rule), rule.partition("(")[2].removesuffix(")")
    if tool == "WebFetch" and inside.startswith("domain:"):
        return (inside.removeprefix("domain:"),)
    reaches = tool in ("Bash", "WebFetch", "WebSearch") or tool.startswith("mcp__")
    return (ANYWHERE,) if reaches else ()
