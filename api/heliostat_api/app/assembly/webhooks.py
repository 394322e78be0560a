"""Who may start agents from elsewhere, and who is called."""

from dataclasses import dataclass, replace

from heliostat_api.agents.reading import Agents
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.changes import Changes
from heliostat_api.executions.commands import Commands
from heliostat_api.web.dependencies import Access
from heliostat_api.web.idempotency import Idempotency
from heliostat_api.web.secret_replay import SecretReplay
from heliostat_api.web.vaults import Vault
from heliostat_api.webhooks.addresses import PRIVATE, build_addresses
from heliostat_api.webhooks.calls import DELIVERIES, KEPT, Calls
from heliostat_api.webhooks.delivery_planner import DeliveryPlanner
from heliostat_api.webhooks.sending import Sending
from heliostat_api.webhooks.subscriptions import Subscriptions
from heliostat_api.webhooks.targets import Target, Targets
from heliostat_api.webhooks.trigger_keys import TriggerKeys


@dataclass(frozen=True)
class WebhookServices:
    """What works beside everything else."""

    keys: TriggerKeys
    subscriptions: Subscriptions
    planner: DeliveryPlanner
    sending: Sending
    deliveries: Idempotency
    """Calls that were taken."""

    async def forget_agent(self, owner: str, agent_id: str) -> None:
        """An agent is gone; may be repeated. Raises StoreError."""
        await self.keys.forget(owner, agent_id)
        await self.subscriptions.forget(owner, agent_id)


@dataclass(frozen=True)
class WebhookEndpointServices:
    """What endpoints call."""

    calls: Calls
    keys: TriggerKeys
    subscriptions: Subscriptions
    sending: Sending

    @property
    def services(self) -> tuple[object, ...]:
        """What endpoints may ask for: all of it."""
        return self.calls, self.keys, self.subscriptions, self.sending


def build_hooks(
    dependencies: Dependencies, agents: Agents, secret_replay: SecretReplay, changes: Changes
) -> WebhookServices:
    """Before whoever tells them of something."""
    documents, clock = dependencies.documents, dependencies.clock
    vault = secret_replay.vault
    # Where there is one person, it is their own machine that is called.
    networks = dependencies.settings.webhook_networks if dependencies.settings else PRIVATE
    addresses = build_addresses(networks)
    targets = Targets(documents, vault, clock, target_for_all(dependencies.settings))
    public_url = dependencies.settings.public_url if dependencies.settings else ""
    planner = DeliveryPlanner(documents, changes, clock, public_url)
    return WebhookServices(
        keys=TriggerKeys(documents, vault, secret_replay, changes, clock),
        subscriptions=Subscriptions(
            documents, agents, vault, secret_replay, addresses, planner, changes, clock
        ),
        planner=planner,
        sending=Sending(documents, targets, addresses, changes, planner.news, clock),
        deliveries=Idempotency(documents, clock, DELIVERIES, KEPT),
    )


def build_webhooks(
    hooks: WebhookServices, agents: Agents, access: Access, commands: Commands
) -> WebhookEndpointServices:
    """Once there is somebody who starts runs."""
    starting = replace(commands, idempotency=hooks.deliveries)
    calls = Calls(agents, hooks.keys, access, starting)
    return WebhookEndpointServices(calls, hooks.keys, hooks.subscriptions, hooks.sending)


def build_secret_replay(dependencies: Dependencies) -> SecretReplay:
    """Of secrets that were told once."""
    return SecretReplay(
        Idempotency(dependencies.documents, dependencies.clock), Vault(dependencies.session_secrets)
    )


def target_for_all(settings: ApiSettings | None) -> Target | None:
    """None where no setting names it."""
    if settings is None or not settings.webhook_url:
        return None
    return Target(settings.webhook_url, settings.webhook_secret.get_secret_value())
