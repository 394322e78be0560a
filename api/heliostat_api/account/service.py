"""The account of a person, as they see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.base.person import Person, view_person
from heliostat_api.base.views import PersonView
from heliostat_api.usage.spending import Spending


@dataclass(frozen=True)
class Account:
    """Tells a person who they are; `can_sign_in`: whether there is a provider to sign in at."""

    spending: Spending
    clock: Callable[[], datetime]
    can_sign_in: bool

    async def view(self, person: Person) -> PersonView:
        """Returns the person with what they may spend today."""
        spending = await self.spending.of(person)
        return view_person(person, self.clock(), spending, can_sign_in=self.can_sign_in)
