"""Where agents are drafted, tried and put to work."""

from dataclasses import dataclass
from time import monotonic

from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.mending import Mending
from heliostat_api.agents.policy import AgentPolicy
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.assembly.webhooks import WebhookServices
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.changes import Changes
from heliostat_api.executions.bulk_cancel import BulkCancel
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.trace_spans import TriggerSpans
from heliostat_api.gateway.models import Routes
from heliostat_api.quotas.counting import build_run_quotas, build_schedule_quotas
from heliostat_api.quotas.service import Quotas
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.trials import Trials
from heliostat_api.records import managers
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_api.secrets.service import Secrets
from heliostat_api.secrets.uses import Uses
from heliostat_api.web.idempotency import Idempotency
from heliostat_core.worlds import World


@dataclass(frozen=True)
class AgentServices:
    """What commands on agents and runs call."""

    drafts: Drafts
    activation: Activation
    deletion: Deletion
    trying: Trying
    samples: SampleAgents
    previews: Previews
    schedules: SchedulePreviews
    secrets: Secrets
    routes: Routes
    commands: Commands
    bulk_cancel: BulkCancel
    mending: Mending

    @property
    def services(self) -> tuple[object, ...]:
        """What endpoints may ask for."""
        return (
            self.drafts,
            self.activation,
            self.deletion,
            self.trying,
            self.samples,
            self.previews,
            self.schedules,
            self.secrets,
            self.routes,
            self.commands,
            self.bulk_cancel,
        )


def build_agents(
    dependencies: Dependencies,
    world: World,
    recorder: Recorder,
    agents: Agents,
    money: Money,
    hooks: WebhookServices,
) -> AgentServices:
    """`world` is written to under the name that applies agents."""
    documents, clock, caps = dependencies.documents, dependencies.clock, money.caps
    is_confined = dependencies.settings is not None and dependencies.settings.network_policies
    runs, schedules = build_quotas(dependencies)
    secrets = Secrets(
        documents,
        world,
        Uses(documents),
        clock,
        dependencies.namespace,
        Changes(dependencies.log, clock),
    )
    routes, idempotency = Routes(money.gateway, monotonic), Idempotency(documents, clock)
    policy = build_policy(dependencies.settings, secrets, routes)
    drafts = Drafts(
        documents, agents, recorder.announcer, idempotency, clock, dependencies.namespace, policy
    )
    suspender, canceller = (
        dependencies.world(managers.SUSPENDER),
        dependencies.world(managers.CANCELLER),
    )
    activation = Activation(
        world,
        suspender,
        recorder.see,
        drafts,
        caps,
        schedules,
    )
    deletion = Deletion(world, drafts, recorder.announcer, hooks.forget_agent)
    triggers = TriggerSpans(clock, dependencies.spans)
    commands = Commands(
        world,
        canceller,
        recorder.see,
        idempotency,
        caps,
        runs,
        triggers,
    )
    return AgentServices(
        drafts=drafts,
        activation=activation,
        deletion=deletion,
        trying=Trying(world, drafts, commands, caps),
        samples=SampleAgents(drafts, activation, commands),
        previews=Previews(documents, agents, policy, clock, is_confined=is_confined),
        schedules=SchedulePreviews(clock),
        secrets=secrets,
        routes=routes,
        commands=commands,
        bulk_cancel=BulkCancel(documents, canceller, idempotency, clock),
        mending=Mending(drafts, deletion, Trials(world), (idempotency, hooks.deliveries)),
    )


def build_policy(settings: ApiSettings | None, secrets: Secrets, routes: Routes) -> AgentPolicy:
    """Alone on a machine of one's own everything is allowed."""
    if settings is None:
        return AgentPolicy(secrets, None, None, None, routes)
    allowed = settings.images, settings.allowed_hosts, settings.allowed_secrets
    return AgentPolicy(secrets, *allowed, routes)


def build_quotas(dependencies: Dependencies) -> tuple[Quotas, Quotas]:
    """Builds the quotas of runs and of schedules; one local person has no limits."""
    documents, clock, settings = dependencies.documents, dependencies.clock, dependencies.settings
    if settings is None:
        return build_run_quotas(documents, clock), build_schedule_quotas(documents, clock)
    return (
        build_run_quotas(documents, clock, settings.runs_guest, settings.runs_person),
        build_schedule_quotas(
            documents, clock, settings.schedules_guest, settings.schedules_person
        ),
    )
