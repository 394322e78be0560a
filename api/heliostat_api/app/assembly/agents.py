"""Where agents are drafted, tried and put to work."""

from dataclasses import dataclass
from time import monotonic

from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.mending import Mending
from heliostat_api.agents.permits import Permits
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.assembly.webhooks import Hooks
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.changes import Changes
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.trace_spans import Triggers
from heliostat_api.gateway.models import Routes
from heliostat_api.quotas.counting import build_run_quotas, build_schedule_quotas
from heliostat_api.quotas.service import Places
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.trials import Trials
from heliostat_api.records import managers
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_api.secrets.service import Secrets
from heliostat_api.secrets.uses import Uses
from heliostat_api.web.idempotency import Repeats
from heliostat_core.worlds import World


@dataclass(frozen=True)
class Workshop:
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
        )


def open_workshop(
    around: Surroundings,
    world: World,
    recorder: Recorder,
    agents: Agents,
    money: Money,
    hooks: Hooks,
) -> Workshop:
    """`world` is written to under the name that applies agents."""
    documents, clock, caps = around.documents, around.clock, money.caps
    is_confined = around.settings is not None and around.settings.network_policies
    runs, schedules = build_quotas(around)
    secrets = Secrets(
        documents, world, Uses(documents), clock, around.namespace, Changes(around.log, clock)
    )
    routes, repeats = Routes(money.gateway, monotonic), Repeats(documents, clock)
    permits = open_permits(around.settings, secrets, routes)
    drafts = Drafts(
        documents, agents, recorder.announcer, repeats, clock, around.namespace, permits
    )
    suspender, canceller = around.world(managers.SUSPENDER), around.world(managers.CANCELLER)
    activation = Activation(
        world,
        suspender,
        recorder.see,
        drafts,
        caps,
        schedules,
    )
    deletion = Deletion(world, drafts, recorder.announcer, hooks.forget_agent)
    triggers = Triggers(clock, around.spans)
    commands = Commands(
        world,
        canceller,
        recorder.see,
        repeats,
        caps,
        runs,
        triggers,
    )
    return Workshop(
        drafts=drafts,
        activation=activation,
        deletion=deletion,
        trying=Trying(world, drafts, commands, caps),
        samples=SampleAgents(drafts, activation, commands),
        previews=Previews(documents, agents, permits, clock, is_confined=is_confined),
        schedules=SchedulePreviews(clock),
        secrets=secrets,
        routes=routes,
        commands=commands,
        mending=Mending(drafts, deletion, Trials(world), (repeats, hooks.deliveries)),
    )


def open_permits(settings: ApiSettings | None, secrets: Secrets, routes: Routes) -> Permits:
    """Alone on a machine of one's own everything is allowed."""
    if settings is None:
        return Permits(secrets, None, None, None, routes)
    allowed = settings.images, settings.allowed_hosts, settings.allowed_secrets
    return Permits(secrets, *allowed, routes)


def build_quotas(around: Surroundings) -> tuple[Places, Places]:
    """Builds the quotas of runs and of schedules; one local person has no limits."""
    documents, clock, settings = around.documents, around.clock, around.settings
    if settings is None:
        return build_run_quotas(documents, clock), build_schedule_quotas(documents, clock)
    return (
        build_run_quotas(documents, clock, settings.runs_guest, settings.runs_person),
        build_schedule_quotas(
            documents, clock, settings.schedules_guest, settings.schedules_person
        ),
    )
