"""Budgets that Agents name stay defined, with the caps of the settings as they are now.

An agent runs by its schedule while its person is away: a gateway that lost its budgets would refuse
every run, and one that has an older cap would hold to that.
"""

from dataclasses import dataclass
from typing import Final

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.gateway.caps import Caps
from heliostat_api.web.background import repeat
from heliostat_core.keys import is_of_people
from heliostat_core.names import BUDGETS_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, World, WorldError

PAUSE_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Keeping:
    """Looks at every Agent of the world, now and then."""

    world: World
    caps: Caps

    async def keep(self) -> None:
        """Defines what is named. Raises WorldError, GatewayAwayError."""
        names: set[str] = set()
        async for found in self.world.list(AGENT):
            annotations = ObjectHead.model_validate(found).metadata.annotations
            named = annotations.get(BUDGETS_ANNOTATION, "").split(",")
            names.update(each.strip() for each in named if is_of_people(each.strip()))
        for name in sorted(names):
            await self.caps.define(name)

    async def run(self) -> None:
        """Until it is cancelled."""
        errors = (WorldError, GatewayAwayError)
        await repeat(self.keep, PAUSE_SECONDS, errors, "budgets are looked after again later")
