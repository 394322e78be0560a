"""Keys on which a person's chat calls models."""

from dataclasses import dataclass
from typing import Protocol

from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.people.person import Person


class PersonKeys(Protocol):
    """Where model calls of a chat go, and with which key."""

    @property
    def url(self) -> str:
        """The gateway's address. Raises GatewayAwayError where there is none."""

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """A key that is good for a quarter of an hour, charged to that person.

        Raises GatewayAwayError, and a problem with status 429 when nothing is left of a cap.
        """


@dataclass(frozen=True)
class SignedPersonKeys:
    """Signed by the api; the gateway believes its public key."""

    gateway: Gateway
    caps: Caps

    @property
    def url(self) -> str:
        """See PersonKeys."""
        return self.gateway.url

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """See PersonKeys."""
        budgets = await self.caps.admit(person)
        return self.gateway.person_key(person.id, conversation_id, budgets)
