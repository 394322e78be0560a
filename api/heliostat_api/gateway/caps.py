"""What people may spend a day: kept as budgets of the gateway, which binds chat and runs alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Protocol

from heliostat_api.base.person import GUEST_PREFIX, Person, PersonKind
from heliostat_api.base.texts import bilingual
from heliostat_api.gateway.documents import Budget
from heliostat_api.web.problems import ProblemError
from heliostat_core.keys import GUESTS_BUDGET, person_budget
from heliostat_core.money import NANOS_PER_MICRO, format_micros, micros_from_nanos

PERIOD: Final = "day"
_NO_CAP: Final = 2**53
"""What a budget gets that Agents still name when its cap was taken away."""


@dataclass(frozen=True)
class DailyCaps:
    """In micro-dollars; 0 is no cap."""

    guest: int = 0
    guests: int = 0
    person: int = 0

    def of(self, person: Person) -> dict[str, int]:
        """Caps by name of budget, the person's own first. A cap that is none has no budget."""
        is_guest = person.kind is PersonKind.GUEST
        names = (person_budget(person.id), *([GUESTS_BUDGET] if is_guest else []))
        return {name: cap for name in names if (cap := self.named(name))}

    def named(self, budget: str) -> int:
        """The cap of a budget of people."""
        if budget == GUESTS_BUDGET:
            return self.guests
        return self.guest if budget.startswith(person_budget(GUEST_PREFIX)) else self.person


class BudgetStore(Protocol):
    """Keeps budgets: the gateway. Raises GatewayAwayError."""

    async def budget(self, name: str) -> Budget | None:
        """Returns a budget; None for one that is not defined."""

    async def put_budget(self, name: str, cap_nanos: int, period: str) -> Budget:
        """Defines a budget, or defines it again: what is spent stays spent."""

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""


@dataclass(frozen=True)
class Caps:
    """Budgets are defined when a person first needs them, and again when the gateway lost them."""

    gateway: BudgetStore
    daily: DailyCaps
    clock: Callable[[], datetime]

    def names(self, person: Person) -> tuple[str, ...]:
        """The budgets that all model calls of a person count on."""
        return tuple(self.daily.of(person))

    async def ensure(self, person: Person) -> tuple[Budget, ...]:
        """The person's budgets, as they are now. Raises GatewayAwayError."""
        return tuple([await self.define(name) for name in self.names(person)])

    async def define(self, name: str) -> Budget:
        """A budget of people with its cap of today. Raises GatewayAwayError."""
        micros = self.daily.named(name)
        cap = micros * NANOS_PER_MICRO if micros else _NO_CAP
        found = await self.gateway.budget(name)
        if found is not None and (found.cap_nanos, found.period) == (cap, PERIOD):
            return found
        return await self.gateway.put_budget(name, cap, PERIOD)

    async def admit(self, person: Person) -> tuple[str, ...]:
        """The names of their budgets, if there is something left of each.

        Raises GatewayAwayError, and a problem with status 429 that says when the next day begins.
        """
        for budget in await self.ensure(person):
            if is_reached(budget):
                raise self._reached(budget)
        return self.names(person)

    async def forget(self, person_id: str) -> None:
        """The person is gone. Raises GatewayAwayError."""
        await self.gateway.drop_budget(person_budget(person_id))

    def _reached(self, budget: Budget) -> ProblemError:
        until = instant_of(budget.until_ms)
        of_all = budget.name == GUESTS_BUDGET
        cap = format_micros(micros_from_nanos(budget.cap_nanos or 0))
        anew = f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
        left = int((until - self.clock()).total_seconds()) if until else 0
        return ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            bilingual(
                en=f"The daily limit {'of all guests together' if of_all else 'of yours'} is used "
                f"up: {cap}." + (f" It starts anew at {anew}." if anew else ""),
                ko=f"{'모든 게스트의' if of_all else '나의'} 하루 한도를 다 썼습니다: {cap}."
                + (f" {anew}에 새로 시작합니다." if anew else ""),
            ),
            headers={"Retry-After": str(max(1, left))},
        )


def is_reached(budget: Budget) -> bool:
    """Whether the gateway would let no call through."""
    return budget.cap_nanos is not None and budget.spent_nanos >= budget.cap_nanos


def instant_of(milliseconds: int | None) -> datetime | None:
    """An instant that the gateway gave in milliseconds."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds // 1000, UTC)
