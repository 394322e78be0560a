"""A provider's stream on its way to the client: whole events, unchanged, and never a silent end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from http import HTTPStatus

from fastapi import Response
from starlette.types import Receive, Scope, Send

from heliostat_gateway.calls import CallEndedError, EndReason
from heliostat_gateway.errors import error_event
from heliostat_gateway.exchange import Exchange
from heliostat_gateway.meter import MalformedAnswerError
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.sse import EventReader, EventTooLongError
from heliostat_gateway.wire import Headers

_LAST_WORD_SECONDS = 1.0
# Ours or the server's own; a cookie would be the gateway's session, not the caller's.
_NOT_RELAYED = frozenset({"content-length", "date", "server", "set-cookie"})
ENDED: dict[EndReason, tuple[str, str]] = {
    EndReason.REVOKED: (
        "authentication_error",
        "The execution key was revoked: the run has ended or goes on under another key.",
    ),
    EndReason.SHUTDOWN: ("api_error", "The gateway is shutting down. Ask again in a moment."),
    EndReason.CLIENT_GONE: ("api_error", "The client has gone."),
}


def relayed_headers(answer: ProviderAnswer, ours: dict[str, str]) -> Headers:
    """The provider's headers as the caller gets them, and the gateway's own."""
    kept = [(name, value) for name, value in answer.headers if name not in _NOT_RELAYED]
    return kept + list(ours.items())


async def read_stream(exchange: Exchange, answer: ProviderAnswer) -> AsyncGenerator[bytes, None]:
    """Bytes of whole events, metered. Raises ProviderError, MalformedAnswerError."""
    reader = EventReader()
    async with aclosing(answer.chunks) as chunks:
        async for chunk in chunks:
            try:
                for event in reader.feed(chunk):
                    exchange.meter.read_event(event)
                    yield event.raw
            except EventTooLongError as error:
                raise MalformedAnswerError(str(error)) from error
    if exchange.meter.error is None and (reader.held.strip() or not exchange.meter.stopped):
        raise ProviderError("The provider's stream ended in the middle of the answer.", sent=True)


@asynccontextmanager
async def client_watched(exchange: Exchange, receive: Receive) -> AsyncIterator[None]:
    """Ends the call as soon as the client has gone."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        exchange.call.end(EndReason.CLIENT_GONE)

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


class RelayResponse(Response):
    """Sends events that were read ahead, then the rest of the stream, then settles."""

    def __init__(
        self,
        exchange: Exchange,
        answer: ProviderAnswer,
        ahead: list[bytes],
        rest: AsyncIterator[bytes],
    ) -> None:
        super().__init__(status_code=HTTPStatus.OK)
        self._exchange = exchange
        self._ahead = ahead
        self._is_started = False
        self._rest = rest
        self.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in relayed_headers(answer, exchange.headers)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        exchange = self._exchange
        outcome = "gateway_failed"
        last: tuple[str, str] | None = ("api_error", "The gateway failed.")
        try:
            async with client_watched(exchange, receive):
                outcome, last = await self._relay(send)
        finally:
            await exchange.settle(outcome)
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LAST_WORD_SECONDS):
                    await self._finish(send, last)
            exchange.close()

    async def _relay(self, send: Send) -> tuple[str, tuple[str, str] | None]:
        """Relays until the end. Returns the outcome, and the error that the client must hear."""
        try:
            async with self._exchange.call.scope():
                await self._start(send)
                for raw in self._ahead:
                    await _send_body(send, raw)
                async for raw in self._rest:
                    await _send_body(send, raw)
        except CallEndedError as ended:
            return ended.reason.value, ENDED[ended.reason]
        except (ProviderError, MalformedAnswerError) as error:
            return "provider_cut", ("api_error", str(error))
        except OSError:
            return EndReason.CLIENT_GONE.value, None
        return (
            ("answered", None) if self._exchange.meter.error is None else ("provider_error", None)
        )

    async def _start(self, send: Send) -> None:
        self._is_started = True
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )

    async def _finish(self, send: Send, last: tuple[str, str] | None) -> None:
        if not self._is_started:  # ended between the provider's first event and ours
            await self._start(send)
        event = error_event(*last, self._exchange.id) if last is not None else b""
        await send({"type": "http.response.body", "body": event, "more_body": False})


async def _send_body(send: Send, raw: bytes) -> None:
    await send({"type": "http.response.body", "body": raw, "more_body": True})
