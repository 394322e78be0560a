"""What a person may spend today, and what they have spent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.base.person import Person
from heliostat_api.base.views import SpendingView
from heliostat_api.gateway.caps import Caps, instant_of, is_reached
from heliostat_api.gateway.client import Gateway, UsageQuestion, Users
from heliostat_api.gateway.documents import Budget
from heliostat_core.keys import GUESTS_BUDGET
from heliostat_core.money import micros_from_nanos


@dataclass(frozen=True)
class Spending:
    """Of budgets where there are some, else of the ledger."""

    gateway: Gateway
    caps: Caps
    clock: Callable[[], datetime]

    async def of(self, person: Person) -> SpendingView | None:
        """None while the gateway is away."""
        try:
            budgets = await self.caps.ensure(person)
            return view_capped(budgets) if budgets else await self._uncapped(person)
        except GatewayAwayError:
            return None

    async def _uncapped(self, person: Person) -> SpendingView:
        today = self.clock().astimezone(UTC).date()
        asked = UsageQuestion(Users(person.id), "", today, today, "UTC")
        _, total = await self.gateway.usage(asked)
        return SpendingView(
            cap_micros=None, spent_micros=micros_from_nanos(total.cost_nanos), until_time=None
        )


def view_capped(budgets: tuple[Budget, ...]) -> SpendingView:
    """Of a person's own budget; `reached` names the first one of which nothing is left."""
    own = next((each for each in budgets if each.name != GUESTS_BUDGET), None)
    reached = next((each for each in budgets if is_reached(each)), None)
    return SpendingView(
        cap_micros=micros_from_nanos(own.cap_nanos) if own and own.cap_nanos else None,
        spent_micros=micros_from_nanos(own.spent_nanos) if own else 0,
        until_time=instant_of((reached or budgets[0]).until_ms),
        reached=None if reached is None else "guests" if reached.name == GUESTS_BUDGET else "own",
    )
