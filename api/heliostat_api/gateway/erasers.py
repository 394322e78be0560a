"""What goes of a person at the gateway when all of theirs goes: keys and budget. Rows stay."""

from dataclasses import dataclass

from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import GatewayAwayError
from heliostat_api.gateway.own_keys import OwnKeys
from heliostat_api.mine.erasing import EraserAwayError


@dataclass(frozen=True)
class ErasingMoney:
    """Implements mine.erasing.Eraser."""

    caps: Caps
    own_keys: OwnKeys

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        try:
            await self.own_keys.revoke_all(person_id)
            await self.caps.forget(person_id)
        except GatewayAwayError as error:
            raise EraserAwayError(str(error)) from error
        return True
