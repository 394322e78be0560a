"""`POST /v1/messages` and `/v1/messages/count_tokens`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import Request, Response

from heliostat_core.money import format_micros, micros_from_nanos
from heliostat_gateway.bookings import CapReachedError
from heliostat_gateway.callers import Caller
from heliostat_gateway.calls import CallEndedError, EndReason
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError, invalid_request, key_refused
from heliostat_gateway.exchange import Books, Exchange
from heliostat_gateway.intake import parse_document, provider_call, read_body
from heliostat_gateway.keyring import KeyRing
from heliostat_gateway.meter import MalformedAnswerError
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.relay import (
    ENDED,
    RelayResponse,
    client_watched,
    read_stream,
    relayed_headers,
)
from heliostat_gateway.reports.gates import AgentGate, pass_gate
from heliostat_gateway.revocations import Revocations
from heliostat_gateway.routing import NotServed, Route, Router, RouteReason
from heliostat_gateway.wire import JsonObject, text_at

_STATUS_OF_ERROR: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class Messages:
    """The endpoints' collaborators."""

    keys: KeyRing
    revocations: Revocations
    router: Router
    books: Books
    gate: AgentGate

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of a good, unrevoked key. Raises RefusalError (401)."""
        caller = self.keys.caller(headers)
        self._check_revoked(caller)
        return caller

    async def create(self, request: Request, known: dict[str, str]) -> Response:
        """A model call. `known` gets what is found out, for refusals too. Raises RefusalError."""
        caller = self._identify(request, known)
        body = await read_body(request)
        await pass_gate(self.gate, caller.agent)
        document = parse_document(body)
        route = self._route(document, known)
        call = provider_call(request, body, document, route, caller)
        exchange = Exchange(self.books, caller, route, known, len(body))
        try:
            # From here on a revocation finds the call; one that came before is seen now.
            self._check_revoked(caller)
            await exchange.open(request.headers.get("x-claude-code-session-id", ""))
        except CapReachedError as reached:
            exchange.forget()
            raise _cap_refusal(reached) from reached
        except BaseException:
            exchange.forget()
            raise
        return await _converse(exchange, call, request)

    async def count_tokens(self, request: Request, known: dict[str, str]) -> Response:
        """The provider's own count; costs nothing. Raises RefusalError."""
        caller = self._identify(request, known)
        body = await read_body(request)
        document = parse_document(body)
        route = self._route(document, known)
        call = provider_call(request, body, document, route, caller)
        try:
            answer = await route.provider.send(call)
            return _whole_response(answer, await _read_whole(answer), known)
        except ProviderError as error:
            raise RefusalError(502, "api_error", str(error)) from error

    def _check_revoked(self, caller: Caller) -> None:
        if caller.key in self.revocations:
            raise key_refused(ENDED[EndReason.REVOKED][1])

    def _identify(self, request: Request, known: dict[str, str]) -> Caller:
        caller = self.authenticate(request.headers)
        known["x-heliostat-execution"] = caller.execution
        return caller

    def _route(self, document: JsonObject, known: dict[str, str]) -> Route:
        model = text_at(document, "model")
        if not model:
            raise invalid_request("model: must name the model that shall answer.")
        route = self.router.route(model, datetime.now(UTC))
        if isinstance(route, NotServed):
            if route.reason is RouteReason.PROVIDER_KEY_MISSING:
                raise RefusalError(503, "api_error", route.message, DO_NOT_RETRY)
            raise RefusalError(404, "not_found_error", route.message)
        known["x-heliostat-provider"] = route.provider.name
        known["x-heliostat-model"] = model.encode("ascii", "replace").decode()
        return route


async def _converse(exchange: Exchange, call: ProviderCall, request: Request) -> Response:
    """Asks the provider; a 200 is only committed to once it has answered."""
    outcome, free = "gateway_failed", False
    relayed = False
    try:
        async with client_watched(exchange, request.receive), exchange.call.scope():
            answer = exchange.answer = await exchange.route.provider.send(call)
            if answer.status == 200 and answer.is_compressed:
                raise MalformedAnswerError("The provider compressed its answer, unasked.")
            if answer.status == 200 and answer.content_type == "text/event-stream":
                rest = exchange.events = read_stream(exchange, answer)
                ahead = await _first_events(rest)
                exchange.answered()
                if not exchange.meter.has_report and exchange.meter.error is not None:
                    outcome, free = "provider_refused", True
                    raise _refusal_of_error(*exchange.meter.error)
                relayed = True
                return RelayResponse(exchange, answer, ahead, rest)
            body = await _read_whole(answer)
            exchange.answered()
            outcome, free = _read_outcome(exchange, answer, body)
        return _whole_response(answer, body, exchange.headers)
    except CallEndedError as ended:
        outcome = ended.reason.value
        raise _ended_refusal(ended.reason) from ended
    except ProviderError as error:
        outcome, free = ("provider_cut", False) if error.sent else ("provider_unreachable", True)
        raise RefusalError(502, "api_error", str(error)) from error
    except MalformedAnswerError as error:
        outcome = "provider_cut"
        raise RefusalError(502, "api_error", str(error)) from error
    finally:
        if not relayed:
            await exchange.settle(outcome, free=free)
            exchange.close()


def _read_outcome(exchange: Exchange, answer: ProviderAnswer, body: bytes) -> tuple[str, bool]:
    """Outcome of a whole answer, and whether it is free. Raises MalformedAnswerError."""
    if answer.status != 200:
        return "provider_refused", True
    exchange.meter.read_message(body)
    return "answered", False


async def _first_events(events: AsyncIterator[bytes]) -> list[bytes]:
    """Events up to the first one that says something (pings do not)."""
    ahead: list[bytes] = []
    async for raw in events:
        ahead.append(raw)
        if not raw.startswith((b"event: ping", b":")):
            break
    return ahead


async def _read_whole(answer: ProviderAnswer) -> bytes:
    async with aclosing(answer.chunks) as chunks:
        return b"".join([chunk async for chunk in chunks])


def _whole_response(answer: ProviderAnswer, body: bytes, ours: dict[str, str]) -> Response:
    response = Response(body, answer.status)
    own = [(name, value) for name, value in response.raw_headers if name == b"content-length"]
    response.raw_headers = own + [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in relayed_headers(answer, ours)
    ]
    return response


def _cap_refusal(reached: CapReachedError) -> RefusalError:
    if reached.what == "cost":
        cap = format_micros(micros_from_nanos(reached.cap))
        spent = format_micros(micros_from_nanos(reached.spent))
        message = (
            f"The execution has reached its cost limit: {spent} of {cap} is spent or reserved. "
            "Raise limits.maxCostMicros of the Agent for the next run."
        )
    else:
        message = (
            f"The execution has reached its token limit: {reached.spent} of {reached.cap} tokens "
            "are used or reserved. Raise limits.maxTokens of the Agent for the next run."
        )
    return RefusalError(402, "billing_error", message, DO_NOT_RETRY)


def _ended_refusal(reason: EndReason) -> RefusalError:
    kind, message = ENDED[reason]
    if reason is EndReason.REVOKED:
        return key_refused(message)
    return RefusalError(503, kind, message)


def _refusal_of_error(kind: str, message: str) -> RefusalError:
    """An error event before any answer is told as the HTTP error that it is."""
    return RefusalError(_STATUS_OF_ERROR.get(kind, 500), kind, message or "The provider failed.")
