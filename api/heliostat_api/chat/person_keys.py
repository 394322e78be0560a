"""The keys of the gateway on which a person's chat calls models."""

from dataclasses import dataclass
from typing import Protocol

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.base.person import Person
from heliostat_api.chat.schemas import StatusCode
from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.web.problems import ProblemError


class NoKeyError(Exception):
    """There is no key for this person; the text says why, with the remedy."""

    def __init__(self, said: str, code: StatusCode = StatusCode.FAILED) -> None:
        super().__init__(said)
        self.code = code


class PersonKeys(Protocol):
    """Issues keys: the person who talks pays, within their cap."""

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """Returns a short-lived key of that person for one conversation. Raises NoKeyError."""


class NoPersonKeys:
    """Implements PersonKeys where there is no gateway: no person has a key."""

    async def key_for(self, person: Person, conversation_id: str) -> str:  # noqa: ARG002
        raise NoKeyError(
            "This server has no gateway, so nobody can answer: its owner sets where one is."
        )


@dataclass(frozen=True)
class SignedPersonKeys:
    """Implements PersonKeys with keys that the api signs: the gateway trusts its public key."""

    gateway: Gateway
    caps: Caps

    async def key_for(self, person: Person, conversation_id: str) -> str:
        try:
            budgets = await self.caps.admit(person)
            return self.gateway.person_key(person.id, conversation_id, budgets)
        except ProblemError as error:
            raise NoKeyError(str(error), StatusCode.CAP_REACHED) from error
        except GatewayAwayError as error:
            raise NoKeyError(str(error), StatusCode.UNAVAILABLE) from error
