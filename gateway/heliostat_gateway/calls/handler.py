"""Handles model calls and token counts, in the dialect of the one who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request, Response

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.access.keyring import KeyRing, Revocations
from heliostat_gateway.breakers import Breakers
from heliostat_gateway.caching.answers import AnswerCache
from heliostat_gateway.calls.cached import Cached, may_be_kept
from heliostat_gateway.calls.chain import AdmissionControl, Chain, open_chain
from heliostat_gateway.calls.counting import count_tokens
from heliostat_gateway.calls.lifecycle import CallDependencies, CallLifecycle
from heliostat_gateway.calls.replies import REVOKED, StreamReply, WholeReply
from heliostat_gateway.calls.requests import (
    ModelRequest,
    forwarded_headers,
    known_headers,
    parse_document,
    read_body,
)
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError, invalid_request, key_refused
from heliostat_gateway.headers import header_text
from heliostat_gateway.routes.plans import NotServed, Plan, RouteReason
from heliostat_gateway.routes.routing import Router
from heliostat_json.objects import text_at


@dataclass(frozen=True)
class ModelCallHandler:
    """Answers model calls and counts tokens; its public coroutines are the endpoints."""

    keys: KeyRing
    revocations: Revocations
    router: Router
    admission: AdmissionControl
    breakers: Breakers
    dependencies: CallDependencies
    answers: AnswerCache
    ping_seconds: float

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of a good, unrevoked key. Raises RefusalError (401)."""
        caller = self.keys.caller(headers)
        self._check_revoked(caller)
        return caller

    async def create_message(self, request: Request) -> Response:
        """A model call in the Anthropic dialect, streaming or not."""
        return await self._create(request, Dialect.MESSAGES)

    async def create_completion(self, request: Request) -> Response:
        """A model call in the OpenAI dialect, streaming or not."""
        return await self._create(request, Dialect.CHAT)

    async def count_tokens(self, request: Request) -> Response:
        """The tokens of a request in the Anthropic dialect; costs nothing."""
        known = known_headers(request)
        model_request = await self._read(request, Dialect.MESSAGES, known)
        return await count_tokens(model_request, self._plan(model_request, known), known)

    async def _create(self, request: Request, dialect: Dialect) -> Response:
        """Answers a model call. Raises RefusalError, which leaves with what is known by then."""
        known = known_headers(request)
        model_request = await self._read(request, dialect, known)
        plan = self._plan(model_request, known)
        lifecycle = CallLifecycle(self.dependencies, model_request, plan, known)
        try:
            # From here on a revocation finds the call; one that came before is seen now.
            self._check_revoked(model_request.caller)
            chain = await self._chain(lifecycle)
        except BaseException:
            lifecycle.close()
            raise
        if model_request.is_stream:
            return StreamReply(lifecycle, chain, self.ping_seconds)
        return WholeReply(lifecycle, chain)

    async def _chain(self, lifecycle: CallLifecycle) -> Chain | Cached:
        """Who answers: the providers, with a reservation made, or first the exact cache."""
        policy = lifecycle.plan.cache
        if policy is None:
            return await open_chain(lifecycle, self.admission, self.breakers)
        if not may_be_kept(lifecycle.request, lifecycle.plan):
            lifecycle.cached("off")
            return await open_chain(lifecycle, self.admission, self.breakers)
        self.admission.check(lifecycle.request)
        return Cached(
            lifecycle,
            self.answers,
            policy,
            lambda: open_chain(lifecycle, self.admission, self.breakers),
        )

    async def _read(
        self, request: Request, dialect: Dialect, known: dict[str, str]
    ) -> ModelRequest:
        caller = self.authenticate(request.headers)
        if caller.execution:
            known["x-heliostat-execution"] = header_text(caller.execution)
        body = await read_body(request)
        return ModelRequest(
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

    def _plan(self, model_request: ModelRequest, known: dict[str, str]) -> Plan:
        model = text_at(model_request.document, "model")
        if not model:
            raise invalid_request("model: must name the model that shall answer.")
        plan = self.router.plan(model, model_request.caller, datetime.now(UTC))
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
