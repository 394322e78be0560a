"""The account of a person, as they see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.base.person import Person, view_person
from heliostat_api.base.views import PersonView, SpendingView


@dataclass(frozen=True)
class Account:
    """Tells a person who they are; `can_sign_in`: whether there is a provider to sign in at."""

    spending: Callable[[Person], Awaitable[SpendingView | None]]
    """Tells what a person may spend today; None while the gateway is away."""
    clock: Callable[[], datetime]
    can_sign_in: bool

    async def view(self, person: Person) -> PersonView:
        """Returns the person with what they may spend today."""
        spending = await self.spending(person)
        return view_person(person, self.clock(), spending, can_sign_in=self.can_sign_in)
