"""Puts together what the api has at the gateway."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.account.erased_keys import ErasingKeys, ErasingName
from heliostat_api.agents.reading import Agents
from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.model_connection import (
    ModelConnection,
    NoPersonKeys,
    SignedPersonKeys,
)
from heliostat_api.events.changes import Changes
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.gateway.api_keys import GatewayKeys
from heliostat_api.gateway.caps import Caps, DailyCaps
from heliostat_api.gateway.client import Gateway, GatewayPlace
from heliostat_api.gateway.keeping import Keeping
from heliostat_api.gateway.own_keys import OwnKeys
from heliostat_api.gateway.publishing import Publishing
from heliostat_api.people.api_keys import ApiKeys, NoApiKeys
from heliostat_api.people.repository import PersonRepository
from heliostat_api.usage.labels import Labels
from heliostat_api.usage.service import Usage
from heliostat_api.usage.spending import Spending
from heliostat_api.web.secret_replay import SecretReplay
from heliostat_core.worlds import World


@dataclass(frozen=True)
class Money:
    """The parts. Where there is no gateway nobody has a cap, and all else says that it is away."""

    place: GatewayPlace | None
    gateway: Gateway
    caps: Caps
    own_keys: OwnKeys
    spending: Spending
    usage: Usage

    @property
    def api_keys(self) -> ApiKeys:
        """Keys that open the api."""
        return self.own_keys.checked if self.place else NoApiKeys()

    @property
    def stopping(self) -> tuple[ErasingKeys, ...]:
        """Of what a person may still spend with."""
        return (ErasingKeys(self.own_keys),) if self.place else ()

    @property
    def removing(self) -> tuple[ErasingName, ...]:
        """Of what the gateway knows them by."""
        return (ErasingName(self.gateway, self.caps, self.usage.register),) if self.place else ()

    def model_connection(self, model: str, test_seconds: int) -> ModelConnection:
        """The chat's way to a model: through the gateway, on keys that the api signs."""
        if self.place is None:
            return ModelConnection("", NoPersonKeys(), model, test_seconds)
        keys = SignedPersonKeys(self.gateway, self.caps)
        return ModelConnection(self.place.url, keys, model, test_seconds)

    def work(self, world: World, settings: ApiSettings | None) -> list[Coroutine[None, None, None]]:
        """What goes on as long as the api runs."""
        if self.place is None:
            return []
        work = [Keeping(world, self.caps).run()]
        if settings is not None and settings.public_key_map:
            work.append(Publishing(world, settings.public_key_map, self.place.identity).run())
        return work


def build_money(
    place: GatewayPlace | None,
    settings: ApiSettings | None,
    register: PersonRepository,
    revocations: SessionRevocations,
    secret_replay: SecretReplay,
    changes: Changes,
    owner: str | None,
    clock: Callable[[], datetime],
) -> Money:
    """`owner`: whose calls are that name nobody. The one person of `heliostat dev` has no cap."""
    gateway = Gateway(place)
    caps = Caps(gateway, daily_caps(settings) if place and settings else DailyCaps(), clock)
    labels = Labels(register.documents, Agents(register.documents))
    return Money(
        place=place,
        gateway=gateway,
        caps=caps,
        own_keys=OwnKeys(gateway, caps, GatewayKeys(gateway), revocations, secret_replay, changes),
        spending=Spending(gateway, caps, clock),
        usage=Usage(gateway, register, labels, owner, clock),
    )


def daily_caps(settings: ApiSettings) -> DailyCaps:
    """Those of the settings."""
    return DailyCaps(
        guest=settings.guest_daily_micros,
        guests=settings.guests_daily_micros,
        person=settings.person_daily_micros,
    )
