"""The services of an app under short names, for tests that look behind its endpoints."""

from dataclasses import dataclass

from fastapi import FastAPI

from heliostat_api.account.archive import Archive
from heliostat_api.account.erasing import Erasing
from heliostat_api.account.expiring import Expiring
from heliostat_api.account.sign_in import SignIn
from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.assembly.webhooks import WebhookEndpointServices
from heliostat_api.app.entrance import Entrance
from heliostat_api.chat.sockets import Chat
from heliostat_api.documents.files import Files
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.gateway.models import Routes
from heliostat_api.people.credentials import People
from heliostat_api.recording.recorder import Recorder
from heliostat_api.secrets.service import Secrets
from heliostat_api.web.provide import services_of
from heliostat_api.webhooks.calls import Calls
from heliostat_api.webhooks.sending import Sending
from heliostat_api.webhooks.subscriptions import Subscriptions
from heliostat_api.webhooks.trigger_keys import TriggerKeys


@dataclass(frozen=True)
class AppServices:
    """Each attribute is the app's service of its type."""

    app: FastAPI

    @property
    def archive(self) -> Archive:
        return services_of(self.app).get(Archive)

    @property
    def activation(self) -> Activation:
        return services_of(self.app).get(Activation)

    @property
    def chat(self) -> Chat:
        return services_of(self.app).get(Chat)

    @property
    def commands(self) -> Commands:
        return services_of(self.app).get(Commands)

    @property
    def deletion(self) -> Deletion:
        return services_of(self.app).get(Deletion)

    @property
    def drafts(self) -> Drafts:
        return services_of(self.app).get(Drafts)

    @property
    def revocations(self) -> SessionRevocations:
        return services_of(self.app).get(SessionRevocations)

    @property
    def erasing(self) -> Erasing:
        return services_of(self.app).get(Erasing)

    @property
    def expiring(self) -> Expiring:
        return services_of(self.app).get(Expiring)

    @property
    def files(self) -> Files:
        return services_of(self.app).get(Files)

    @property
    def money(self) -> Money:
        return services_of(self.app).get(Money)

    @property
    def recorder(self) -> Recorder:
        return services_of(self.app).get(Recorder)

    @property
    def routes(self) -> Routes:
        return services_of(self.app).get(Routes)

    @property
    def samples(self) -> SampleAgents:
        return services_of(self.app).get(SampleAgents)

    @property
    def secrets(self) -> Secrets:
        return services_of(self.app).get(Secrets)

    @property
    def streams(self) -> Streams:
        return services_of(self.app).get(Streams)

    @property
    def transcripts(self) -> Transcripts:
        return services_of(self.app).get(Transcripts)

    @property
    def trying(self) -> Trying:
        return services_of(self.app).get(Trying)

    @property
    def people(self) -> People:
        return services_of(self.app).get(Entrance).people

    @property
    def sign_in(self) -> SignIn | None:
        return services_of(self.app).get(Entrance).sign_in

    @property
    def webhooks(self) -> WebhookEndpointServices:
        found = services_of(self.app)
        return WebhookEndpointServices(
            found.get(Calls),
            found.get(TriggerKeys),
            found.get(Subscriptions),
            found.get(Sending),
        )
