"""`/admin/budgets`: caps that many keys share."""

import time
from dataclasses import dataclass
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.budgets import NAME, Budget, BudgetPeriod, BudgetTotal
from heliostat_gateway.money.ledger import Ledger

_Name = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class BudgetDefinition(_Document):
    """A cap in nano-dollars, tokens or both; `timeZone` is an IANA name."""

    model_config = ConfigDict(extra="forbid")

    cap_nanos: Annotated[int | None, Field(ge=0, le=2**53)] = None
    cap_tokens: Annotated[int | None, Field(ge=0, le=2**53)] = None
    period: BudgetPeriod = BudgetPeriod.NONE
    time_zone: Annotated[str, Field(max_length=64)] = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, LookupError) as error:
            raise ValueError("must be an IANA time zone such as Europe/Berlin") from error
        return value

    @model_validator(mode="after")
    def _has_a_cap(self) -> Self:
        if self.cap_nanos is None and self.cap_tokens is None:
            raise ValueError("capNanos or capTokens must be set")
        return self


class BudgetAnswer(BudgetDefinition):
    """A budget with what is spent or reserved in its present period, which ends at `until`."""

    name: str
    spent_nanos: int
    spent_tokens: int
    left_nanos: int | None
    left_tokens: int | None
    current: str
    until_ms: int | None


class BudgetList(_Document):
    """All budgets."""

    budgets: list[BudgetAnswer]


@dataclass(frozen=True)
class Budgets:
    """The endpoints' collaborators."""

    ledger: Ledger

    def add_to(self, router: APIRouter) -> None:
        """Adds the routes to the admin router, which asks for the token."""
        router.add_api_route("/budgets", self.all, name="list_budgets", methods=["GET"])
        router.add_api_route("/budgets/{name}", self.put, name="put_budget", methods=["PUT"])
        router.add_api_route("/budgets/{name}", self.get, name="get_budget", methods=["GET"])
        router.add_api_route(
            "/budgets/{name}",
            self.delete,
            name="delete_budget",
            methods=["DELETE"],
            status_code=204,
        )

    async def all(self) -> BudgetList:
        """All budgets, by name."""
        totals = await self.ledger.budgets(_now_ms())
        return BudgetList(budgets=[_answer(total) for total in totals])

    async def put(self, name: _Name, definition: BudgetDefinition) -> BudgetAnswer:
        """Defines a budget; in force when this returns."""
        await self.ledger.put_budget(
            Budget(
                name,
                definition.cap_nanos,
                definition.cap_tokens,
                definition.period,
                definition.time_zone,
            )
        )
        return await self.get(name)

    async def get(self, name: _Name) -> BudgetAnswer:
        """One budget."""
        total = await self.ledger.budget(name, _now_ms())
        if total is None:
            raise _unknown(name)
        return _answer(total)

    async def delete(self, name: _Name) -> None:
        """Takes a budget away; keys that still name it are refused."""
        if not await self.ledger.drop_budget(name):
            raise _unknown(name)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _unknown(name: str) -> RefusalError:
    return RefusalError(404, "not_found_error", f"There is no budget {name}.")


def _answer(total: BudgetTotal) -> BudgetAnswer:
    budget = total.budget
    return BudgetAnswer(
        name=budget.name,
        cap_nanos=budget.cap_nanos,
        cap_tokens=budget.cap_tokens,
        period=budget.period,
        time_zone=budget.zone,
        spent_nanos=total.spent_nanos,
        spent_tokens=total.spent_tokens,
        left_nanos=_left(budget.cap_nanos, total.spent_nanos),
        left_tokens=_left(budget.cap_tokens, total.spent_tokens),
        current=total.period.name,
        until_ms=total.period.end_ms,
    )


def _left(cap: int | None, spent: int) -> int | None:
    return None if cap is None else max(0, cap - spent)
