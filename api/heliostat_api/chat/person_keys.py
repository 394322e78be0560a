"""Keys on which a person's chat calls models."""

from dataclasses import dataclass

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.base.person import Person
from heliostat_api.chat.keys import NoKeyError
from heliostat_api.chat.views import StatusCode
from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.web.problems import ProblemError


@dataclass(frozen=True)
class SignedPersonKeys:
    """Signed by the api, whose public key the gateway believes. Implements chat.keys.PersonKeys."""

    gateway: Gateway
    caps: Caps

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """See PersonKeys."""
        try:
            budgets = await self.caps.admit(person)
            return self.gateway.person_key(person.id, conversation_id, budgets)
        except ProblemError as error:
            raise NoKeyError(str(error), StatusCode.CAP_REACHED) from error
        except GatewayAwayError as error:
            raise NoKeyError(str(error), StatusCode.UNAVAILABLE) from error
