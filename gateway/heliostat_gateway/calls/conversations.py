"""Model calls and token counts, in the dialect of the one who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request, Response

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.access.revocations import Revocations
from heliostat_gateway.breakers import Breakers
from heliostat_gateway.caching.answers import AnswerCache
from heliostat_gateway.calls.asks import Ask
from heliostat_gateway.calls.cached import Cached, may_be_kept
from heliostat_gateway.calls.chain import Chain
from heliostat_gateway.calls.counting import count_tokens
from heliostat_gateway.calls.entrance import Entrance
from heliostat_gateway.calls.exchange import Books, Exchange
from heliostat_gateway.calls.governor import Governor
from heliostat_gateway.calls.intake import forwarded_headers, parse_document, read_body
from heliostat_gateway.calls.replies import REVOKED, StreamReply, WholeReply
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError, invalid_request, key_refused
from heliostat_gateway.headers import header_text
from heliostat_gateway.routes.plans import NotServed, Plan, RouteReason
from heliostat_gateway.routes.routing import Router
from heliostat_json.objects import text_at


@dataclass(frozen=True)
class Conversations:
    """The endpoints' collaborators."""

    keys: KeyRing
    revocations: Revocations
    router: Router
    governor: Governor
    breakers: Breakers
    books: Books
    answers: AnswerCache
    ping_seconds: float

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of a good, unrevoked key. Raises RefusalError (401)."""
        caller = self.keys.caller(headers)
        self._check_revoked(caller)
        return caller

    async def create(self, request: Request, dialect: Dialect, known: dict[str, str]) -> Response:
        """A model call. `known` gets what is found out, for refusals too. Raises RefusalError."""
        ask = await self._read(request, dialect, known)
        plan = self._plan(ask, known)
        exchange = Exchange(self.books, ask, plan, known)
        try:
            # From here on a revocation finds the call; one that came before is seen now.
            self._check_revoked(ask.caller)
            chain = await self._chain(exchange)
        except BaseException:
            exchange.close()
            raise
        if ask.is_stream:
            return StreamReply(exchange, chain, self.ping_seconds)
        return WholeReply(exchange, chain)

    async def count(self, request: Request, known: dict[str, str]) -> Response:
        """The token count of a request; costs nothing. Raises RefusalError."""
        ask = await self._read(request, Dialect.MESSAGES, known)
        return await count_tokens(ask, self._plan(ask, known), known)

    async def _chain(self, exchange: Exchange) -> Chain | Cached:
        """Who answers: the providers, with a reservation made, or first the exact cache."""
        entrance = Entrance(self.governor, self.breakers)
        policy = exchange.plan.cache
        if policy is None:
            return await entrance.open(exchange)
        if not may_be_kept(exchange.ask, exchange.plan):
            exchange.cached("off")
            return await entrance.open(exchange)
        self.governor.check(exchange.ask)
        return Cached(exchange, self.answers, policy, entrance)

    async def _read(self, request: Request, dialect: Dialect, known: dict[str, str]) -> Ask:
        caller = self.authenticate(request.headers)
        if caller.execution:
            known["x-heliostat-execution"] = header_text(caller.execution)
        body = await read_body(request)
        return Ask(
            dialect=dialect,
            path=request.scope["path"],
            query=request.scope["query_string"].decode(errors="replace"),
            headers=forwarded_headers(request),
            body=body,
            document=parse_document(body),
            caller=caller,
        )

    def _check_revoked(self, caller: Caller) -> None:
        if caller.key in self.revocations:
            raise key_refused(REVOKED.message)

    def _plan(self, ask: Ask, known: dict[str, str]) -> Plan:
        model = text_at(ask.document, "model")
        if not model:
            raise invalid_request("model: must name the model that shall answer.")
        plan = self.router.plan(model, ask.caller, datetime.now(UTC))
        if isinstance(plan, NotServed):
            raise _not_served(plan)
        known["x-heliostat-model"] = header_text(model)
        if plan.persona is not None:
            known["x-heliostat-persona"] = plan.persona.name
        return plan


def _not_served(found: NotServed) -> RefusalError:
    match found.reason:
        case RouteReason.PROVIDER_KEY_MISSING:
            return RefusalError(503, "api_error", found.message, DO_NOT_RETRY)
        case RouteReason.MODEL_NOT_ALLOWED:
            return RefusalError(403, "permission_error", found.message, DO_NOT_RETRY)
        case _:
            return RefusalError(404, "not_found_error", found.message)
