"""What goes of a person at the gateway when all of theirs goes: keys, budget, name. Sums stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from heliostat_api.account.erasing import EraserAwayError
from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.gateway.own_keys import OwnKeys
from heliostat_api.people.repository import PersonRepository


@dataclass(frozen=True)
class ErasingKeys:
    """Keys that they made: from then on nobody calls a model in their name."""

    own_keys: OwnKeys

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        with _mapped():
            await self.own_keys.revoke_all(person_id)
        return True


@dataclass(frozen=True)
class ErasingName:
    """Their budget, and the name on what is booked on them and on the guests that they were."""

    gateway: Gateway
    caps: Caps
    register: PersonRepository

    async def erase(self, person_id: str) -> bool:
        """See Eraser. A call that is open is booked with the name at its end: asked again then."""
        names = (*await self.register.guests_of(person_id), person_id)
        with _mapped():
            await self.caps.forget(person_id)
            return all([await self.gateway.forget(each) for each in names])


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except GatewayAwayError as error:
        raise EraserAwayError(str(error)) from error
