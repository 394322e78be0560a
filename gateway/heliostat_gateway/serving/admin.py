"""What the operator asks and tells: revocations, sums, models. Needs the operator's own token."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliostat_core.keys import key_id
from heliostat_gateway.access.admin_keys import KeyAdmin
from heliostat_gateway.access.key_documents import RefusalDocument
from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.access.people_keys import PeopleKeys
from heliostat_gateway.access.revokers import Revoker
from heliostat_gateway.breakers import Breakers, BreakerState
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.limits.restrictions import AgentRestrictions, Kind, resuming
from heliostat_gateway.money.bookings import ExecutionTotal
from heliostat_gateway.money.budget_endpoints import Budgets
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.providers.scripted import ScriptedBill, ScriptedProvider
from heliostat_gateway.reports.calendars import instant
from heliostat_gateway.reports.desk import Desk
from heliostat_gateway.routes.plans import NotServed, RouteReason
from heliostat_gateway.routes.routing import ANYONE, Router
from heliostat_gateway.serving.admission import admits


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class RevocationRequest(_Document):
    """A key that must make no further call."""

    execution: Annotated[str, Field(min_length=1, max_length=200)]
    attempt: Annotated[int, Field(ge=1, le=2**31)]
    expires: Annotated[int, Field(ge=0, le=2**53)]  # seconds since the epoch, of the key itself


class RevocationAnswer(_Document):
    """The key is revoked for good and none of its streams goes on, here and where it says so."""

    revoked: bool
    streams_ended: int
    everywhere: bool  # all replicas have confirmed; those that have not hear it later


class TokenSums(_Document):
    """Tokens by kind."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class AttemptCost(_Document):
    """What one attempt cost, in nano-dollars."""

    attempt: int
    cost_nanos: int
    requests: int


class ExecutionCost(_Document):
    """What an execution cost so far; final once `settled` after its keys are revoked."""

    execution: str
    cost_nanos: int
    settled: bool
    estimated: bool
    requests: int
    usage: TokenSums
    provider: str | None
    model: str | None
    attempts: list[AttemptCost]


class AgentState(_Document):
    """What an agent cost so far, in nano-dollars, and whether its calls are refused or slowed."""

    cost_nanos: int
    requests: int
    paused: bool
    slowed_down: bool
    reason: str
    since: datetime | None
    resume_with: Annotated[str, Field(description="The request that lets it go on; else empty.")]


class ModelStatus(_Document):
    """Whether a model would be served now."""

    name: str
    served: bool
    provider: str | None
    reason: RouteReason
    message: str


class CatalogModel(_Document):
    """A model and who would be asked first."""

    name: str
    provider: str


class Catalog(_Document):
    """What is served."""

    models: list[CatalogModel]


class BreakerView(_Document):
    """A breaker that is not closed."""

    key: str  # provider/model/credential
    state: BreakerState
    until: datetime | None
    opened: int  # times in a row


class BreakerList(_Document):
    """All breakers that are not closed."""

    mode: str  # local, shared, or away: Redis can't be reached and this replica decides alone
    away: int  # how many times Redis was lost
    alone: int  # decisions made without it
    breakers: list[BreakerView]


@dataclass(frozen=True)
class Admin:
    """The endpoints' collaborators."""

    keys: KeyRing
    revoker: Revoker
    key_admin: KeyAdmin
    breakers: Breakers
    ledger: Ledger
    router: Router
    scripted: ScriptedProvider
    agent_restrictions: AgentRestrictions
    desk: Desk | None  # None: the writer of the shared ledger answers its questions

    def endpoints(self) -> APIRouter:
        """The routes under /admin, each behind the token."""

        router = APIRouter(
            prefix="/admin",
            dependencies=[Depends(admits(self.keys))],
            responses={"4XX": {"model": RefusalDocument}, "5XX": {"model": RefusalDocument}},
        )
        router.add_api_route(
            "/revocations", self.revoke, name="revoke_execution_key", methods=["POST"]
        )
        router.add_api_route(
            "/executions/{uid}", self.execution, name="get_execution", methods=["GET"]
        )
        router.add_api_route(
            "/agents/{namespace}/{name}", self.agent, name="get_agent", methods=["GET"]
        )
        router.add_api_route("/models", self.model, name="resolve_model", methods=["GET"])
        router.add_api_route("/catalog", self.catalog, name="list_catalog", methods=["GET"])
        router.add_api_route("/breakers", self.breaker_list, name="list_breakers", methods=["GET"])
        router.add_api_route(
            "/scripted/bill", self.scripted_bill, name="get_scripted_bill", methods=["GET"]
        )
        Budgets(self.ledger).add_to(router)
        router.include_router(PeopleKeys(self.keys, self.key_admin).endpoints())
        router.include_router(self.key_admin.endpoints())
        if self.desk is not None:
            router.include_router(self.desk.routes())
            return router
        for method, path in _OF_THE_WRITER:
            router.add_api_route(
                path, _ask_the_writer, methods=[method], include_in_schema=False, name=path
            )
        return router

    async def revoke(self, wanted: RevocationRequest) -> RevocationAnswer:
        """Revokes a key; answers when it is on the disk and its open streams are booked.

        Waits for the other replicas too, two seconds at most.
        """
        revoked = key_id(wanted.execution, wanted.attempt)
        done = await self.revoker.revoke(revoked, wanted.expires, int(time.time()))
        if self.desk is not None:
            self.desk.watch.finished(wanted.execution)
        return RevocationAnswer(
            revoked=True, streams_ended=done.streams_ended, everywhere=done.everywhere
        )

    async def execution(self, uid: str) -> ExecutionCost:
        """Sums of an execution."""
        return _execution_cost(uid, await self.ledger.execution(uid))

    async def agent(self, namespace: str, name: str) -> AgentState:
        """Sums of an agent, and whether it is held."""
        agent = f"{namespace}/{name}"
        cost, requests = await self.ledger.agent(agent)
        held = self.agent_restrictions.restriction(agent)
        return AgentState(
            cost_nanos=cost,
            requests=requests,
            paused=held is not None and held.kind is Kind.PAUSE,
            slowed_down=held is not None and held.kind is Kind.SLOW_DOWN,
            reason="" if held is None else held.reason,
            since=None if held is None else instant(held.since_ms),
            resume_with="" if held is None else resuming(agent, self.agent_restrictions.resumes),
        )

    async def model(self, name: str) -> ModelStatus:
        """Whether a model would be served now, and the remedy if not."""
        plan = self.router.plan(name, ANYONE, datetime.now(UTC))
        if isinstance(plan, NotServed):
            return ModelStatus(
                name=name, served=False, provider=None, reason=plan.reason, message=plan.message
            )
        provider = plan.candidates[0].provider.name
        return ModelStatus(
            name=name,
            served=True,
            provider=provider,
            reason=RouteReason.SERVED,
            message=f"Served by {provider}.",
        )

    async def catalog(self) -> Catalog:
        """Every model that would be served now, by the name that is asked for."""
        now = datetime.now(UTC)
        names = self.router.models(ANYONE, now)
        plans = {name: self.router.plan(name, ANYONE, now) for name in names}
        return Catalog(
            models=[
                CatalogModel(name=name, provider=plan.candidates[0].provider.name)
                for name, plan in plans.items()
                if not isinstance(plan, NotServed)
            ]
        )

    async def breaker_list(self) -> BreakerList:
        """What is not asked now, and until when."""
        state = self.breakers.state()
        return BreakerList(
            mode=state.mode,
            away=state.away,
            alone=state.decisions,
            breakers=[
                BreakerView(
                    key=each.key,
                    state=each.state,
                    until=None if each.until is None else datetime.fromtimestamp(each.until, UTC),
                    opened=each.opened,
                )
                for each in self.breakers.states()
            ],
        )

    async def scripted_bill(self, execution: str | None = None) -> ScriptedBill:
        """The invoice of the scripted provider, of one execution or in all."""
        return self.scripted.invoice(execution)


def _execution_cost(uid: str, total: ExecutionTotal) -> ExecutionCost:
    usage = total.usage
    return ExecutionCost(
        execution=uid,
        cost_nanos=total.cost_nanos,
        settled=total.settled,
        estimated=total.estimated,
        requests=total.requests,
        usage=TokenSums(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
        ),
        provider=total.provider,
        model=total.model,
        attempts=[
            AttemptCost(attempt=a.attempt, cost_nanos=a.cost_nanos, requests=a.requests)
            for a in total.attempts
        ],
    )


# What reads all rows of the ledger, which gateways on Redis do not have.
_OF_THE_WRITER: Final = (
    ("GET", "/usage"),
    ("GET", "/anomalies"),
    ("GET", "/forecast"),
    ("POST", "/agents/{namespace}/{name}/resume"),
    ("DELETE", "/users/{user}"),
)


async def _ask_the_writer(request: Request) -> None:
    """Names who answers this."""
    raise RefusalError(
        404,
        "not_found_error",
        f"{request.url.path} is answered by the writer of the shared ledger: ask the Service "
        "heliostat-gateway-writer, or where `heliostat gateway writer` runs.",
    )
