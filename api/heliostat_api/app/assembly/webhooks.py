"""Who may start agents from elsewhere, and who is called."""

from dataclasses import dataclass, replace

from heliostat_api.agents.reading import Agents
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.changes import Changes
from heliostat_api.executions.commands import Commands
from heliostat_api.web.access import Access
from heliostat_api.web.idempotency import Repeats
from heliostat_api.web.secret_replay import Retelling
from heliostat_api.web.vaults import Vault
from heliostat_api.webhooks.addresses import EVERYWHERE, open_addresses
from heliostat_api.webhooks.calls import DELIVERIES, KEPT, Calls
from heliostat_api.webhooks.delivery_planner import Occasions
from heliostat_api.webhooks.sending import Sending
from heliostat_api.webhooks.subscriptions import Subscriptions
from heliostat_api.webhooks.targets import Target, Targets
from heliostat_api.webhooks.trigger_keys import TriggerKeys


@dataclass(frozen=True)
class Hooks:
    """What works beside everything else."""

    keys: TriggerKeys
    subscriptions: Subscriptions
    occasions: Occasions
    sending: Sending
    deliveries: Repeats
    """Calls that were taken."""

    async def forget_agent(self, owner: str, agent_id: str) -> None:
        """An agent is gone; may be repeated. Raises StoreError."""
        await self.keys.forget(owner, agent_id)
        await self.subscriptions.forget(owner, agent_id)


@dataclass(frozen=True)
class Webhooks:
    """What endpoints call."""

    calls: Calls
    keys: TriggerKeys
    subscriptions: Subscriptions
    sending: Sending

    @property
    def services(self) -> tuple[object, ...]:
        """What endpoints may ask for: all of it."""
        return self.calls, self.keys, self.subscriptions, self.sending


def open_hooks(
    around: Surroundings, agents: Agents, retelling: Retelling, changes: Changes
) -> Hooks:
    """Before whoever tells them of something."""
    documents, clock = around.documents, around.clock
    vault = retelling.vault
    # Where there is one person, it is their own machine that is called.
    networks = around.settings.webhook_networks if around.settings else EVERYWHERE
    addresses = open_addresses(networks)
    targets = Targets(documents, vault, clock, target_for_all(around.settings))
    occasions = Occasions(documents, changes, clock)
    return Hooks(
        keys=TriggerKeys(documents, vault, retelling, changes, clock),
        subscriptions=Subscriptions(
            documents, agents, vault, retelling, addresses, occasions, changes, clock
        ),
        occasions=occasions,
        sending=Sending(documents, targets, addresses, changes, occasions.news, clock),
        deliveries=Repeats(documents, clock, DELIVERIES, KEPT),
    )


def open_webhooks(hooks: Hooks, agents: Agents, access: Access, commands: Commands) -> Webhooks:
    """Once there is somebody who starts runs."""
    starting = replace(commands, repeats=hooks.deliveries)
    calls = Calls(agents, hooks.keys, access.people, access.limits, starting)
    return Webhooks(calls, hooks.keys, hooks.subscriptions, hooks.sending)


def open_retelling(around: Surroundings) -> Retelling:
    """Of secrets that were told once."""
    return Retelling(Repeats(around.documents, around.clock), Vault(around.session_secrets))


def target_for_all(settings: ApiSettings | None) -> Target | None:
    """None where no setting names it."""
    if settings is None or not settings.webhook_url:
        return None
    return Target(settings.webhook_url, settings.webhook_secret.get_secret_value())
