"""The answer to a caller: whatever becomes of the chain is sent, booked once, and never silent."""

import asyncio
import time
from abc import abstractmethod
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from heliostat_gateway.calls.cached import Cached
from heliostat_gateway.calls.chain import Chain
from heliostat_gateway.calls.failure_classification import AttemptFailedError, Failure, Verdict
from heliostat_gateway.calls.lifecycle import CallEndedError, CallLifecycle, EndReason
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import error_document, error_event
from heliostat_gateway.errors import REQUEST_ID_HEADERS
from heliostat_gateway.headers import Headers, raw_headers, relayed
from heliostat_json.objects import dump_object

_LAST_WORD_SECONDS = 1.0
_UNWATCHED_SECONDS = 0.02  # how late it may be seen that the client has gone
_PINGS: Final = {
    Dialect.MESSAGES: b'event: ping\ndata: {"type": "ping"}\n\n',
    Dialect.CHAT: b": ping\n\n",
}
_STREAM: Final[Headers] = [
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
]
REVOKED: Final = Failure(
    Verdict.REJECTED,
    401,
    "authentication_error",
    "The execution key was revoked: the run has ended or goes on under another key.",
    (("x-should-retry", "false"),),
)
_ENDED: Final[dict[EndReason, Failure]] = {
    EndReason.REVOKED: REVOKED,
    EndReason.SHUTDOWN: Failure(
        Verdict.REFUSED, 503, "api_error", "The gateway is shutting down. Ask again in a moment."
    ),
    EndReason.CLIENT_GONE: Failure(Verdict.REFUSED, 499, "api_error", "The client has gone."),
}
_GATEWAY_FAILED: Final = Failure(Verdict.UNCERTAIN, 500, "api_error", "The gateway failed.")


class Sender:
    """Sends the caller one start, whole events, and pings in between."""

    def __init__(self, send: Send, lifecycle: CallLifecycle) -> None:
        self.is_started = False
        self._send = send
        self._lifecycle = lifecycle
        self._dialect = lifecycle.request.dialect
        self._last = time.monotonic()
        self._turn = asyncio.Lock()

    async def piece(self, raw: bytes) -> None:
        """Some whole events of the stream."""
        async with self._turn:
            await self._stream(self._lifecycle.stream_headers, raw)

    async def ping(self, silence: float) -> None:
        """Shows that we are alive, if nothing was sent for so long. It commits to a 200."""
        async with self._turn:
            if time.monotonic() - self._last >= silence:
                await self._stream(_STREAM, _PINGS[self._dialect])

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """A complete answer."""
        await self._start(status, [*headers, ("content-length", str(len(body)))])
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def failure(self, failure: Failure) -> None:
        """The last word: an HTTP error, or an error event when the answer has begun."""
        if self.is_started:
            event = error_event(self._dialect, failure.kind, failure.message, self._lifecycle.id)
            await self.end(event)
        elif failure.body is not None:
            await self.whole(failure.status, list(failure.headers), failure.body)
        else:
            document = error_document(
                self._dialect, failure.status, failure.kind, failure.message, self._lifecycle.id
            )
            headers = [("content-type", "application/json"), *failure.headers]
            name = REQUEST_ID_HEADERS[self._dialect]
            if name not in dict(headers):
                headers.append((name, self._lifecycle.id))
            await self.whole(failure.status, headers, dump_object(document))

    async def end(self, last: bytes = b"") -> None:
        """Ends a stream."""
        await self._send({"type": "http.response.body", "body": last, "more_body": False})

    async def _stream(self, headers: Headers, raw: bytes) -> None:
        if not self.is_started:
            await self._start(HTTPStatus.OK, headers)
        self._last = time.monotonic()
        await self._send({"type": "http.response.body", "body": raw, "more_body": True})

    async def _start(self, status: int, headers: Headers) -> None:
        self.is_started = True
        kept = relayed(headers)
        kept += [(name, value) for name, value in headers if name == "content-length"][-1:]
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": raw_headers([*kept, *self._lifecycle.response_headers()]),
            }
        )


class Reply(Response):
    """Runs a request's chain while the client is there; settles before the last word."""

    def __init__(self, lifecycle: CallLifecycle, chain: Chain | Cached) -> None:
        super().__init__()
        self._lifecycle = lifecycle
        self._chain = chain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answers, whatever happens."""
        lifecycle, sender = self._lifecycle, Sender(send, self._lifecycle)
        outcome = "gateway_failed"
        last: Failure | None = _GATEWAY_FAILED
        try:
            with _ClientWatch(lifecycle, receive):
                outcome, last = await self._answer(sender)
        finally:
            await lifecycle.settle(outcome)
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LAST_WORD_SECONDS):
                    await self._finish(sender, last)
            lifecycle.close()

    async def _answer(self, sender: Sender) -> tuple[str, Failure | None]:
        """The outcome of what is still open, and the failure that the caller must hear."""
        try:
            with self._lifecycle.call.scope():
                await self._relay(sender)
        except CallEndedError as ended:
            return ended.reason.value, _ENDED[ended.reason]
        except AttemptFailedError as failed:
            return self._lifecycle.outcome_of(failed.failure), failed.failure
        except OSError:
            return EndReason.CLIENT_GONE.value, None
        return "answered", None

    @abstractmethod
    async def _relay(self, sender: Sender) -> None:
        """Sends what the chain gives. Raises AttemptFailedError."""

    @abstractmethod
    async def _finish(self, sender: Sender, failure: Failure | None) -> None:
        """Sends what is left to say once everything is booked."""


class StreamReply(Reply):
    """Answers event by event, with pings after each silence of `ping_seconds`."""

    def __init__(
        self, lifecycle: CallLifecycle, chain: Chain | Cached, ping_seconds: float
    ) -> None:
        super().__init__(lifecycle, chain)
        self._ping_seconds = ping_seconds

    async def _relay(self, sender: Sender) -> None:
        with _Pings(sender, self._ping_seconds):
            async with aclosing(self._chain.stream()) as pieces:
                async for piece in pieces:
                    await sender.piece(piece)

    async def _finish(self, sender: Sender, failure: Failure | None) -> None:
        if failure is not None:
            await sender.failure(failure)
        elif sender.is_started:
            await sender.end()


class WholeReply(Reply):
    """Answers all at once, with the final cost in its headers."""

    async def _relay(self, sender: Sender) -> None:  # noqa: ARG002
        self._whole = await self._chain.whole()

    async def _finish(self, sender: Sender, failure: Failure | None) -> None:
        if failure is not None:
            await sender.failure(failure)
        else:
            await sender.whole(self._whole.status, self._whole.headers, self._whole.body)


class _Pings:
    """Pings while the chain is silent. One timer, no task: most streams never need it."""

    def __init__(self, sender: Sender, silence: float) -> None:
        self._sender = sender
        self._silence = silence
        self._running: set[asyncio.Task[None]] = set()
        self._timer = asyncio.get_running_loop().call_later(silence, self._due)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for task in self._running:
            task.cancel()

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._ping())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        self._timer = loop.call_later(self._silence / 4, self._due)

    async def _ping(self) -> None:
        with suppress(OSError):  # the client has gone: the watcher ends the call
            await self._sender.ping(self._silence)


class _ClientWatch:
    """Ends the call when the client has gone. A timer first: a quick answer needs no task."""

    def __init__(self, lifecycle: CallLifecycle, receive: Receive) -> None:
        self._lifecycle = lifecycle
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_UNWATCHED_SECONDS, self._begin)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()  # it only waits; nobody needs to wait for its end

    def _begin(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._lifecycle.call.end(EndReason.CLIENT_GONE)
