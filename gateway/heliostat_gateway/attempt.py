"""One attempt: asks one candidate and says what became of it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol

from heliostat_gateway.breakers import Admission, Breakers, Limited, Result
from heliostat_gateway.dialects.faults import (
    ProviderFault,
    StreamFaultError,
    status_of_kind,
    translate_error,
)
from heliostat_gateway.errors import REQUEST_ID_HEADERS
from heliostat_gateway.exchange import Exchange
from heliostat_gateway.meter import MalformedAnswerError
from heliostat_gateway.outgoing import Outgoing
from heliostat_gateway.plans import Candidate
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.rendering import Rendering, new_rendering, render_whole
from heliostat_gateway.sse import EventReader, EventTooLongError
from heliostat_gateway.verdicts import (
    AttemptFailedError,
    Failure,
    Verdict,
    is_free,
    resumes_at,
    verdict_of_error,
    verdict_of_status,
)
from heliostat_gateway.wire import Headers, header_text, parse_object

_EVENT_STREAM: Final = "text/event-stream"
_LARGEST_ANSWER: Final = 64 * 1024 * 1024
_OUTCOMES: Final = {
    Verdict.NOT_SENT: "provider_unreachable",
    Verdict.REFUSED: "provider_refused",
    Verdict.REJECTED: "provider_refused",
    Verdict.UNCERTAIN: "provider_cut",
    Verdict.VISIBLE: "provider_cut",
}
# What a caller needs of a provider that speaks another dialect.
_KEPT_OF_OTHERS: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})


@dataclass(frozen=True)
class Whole:
    """A complete answer in the caller's dialect."""

    status: int
    headers: Headers
    body: bytes


class Failed(Protocol):
    """Who decides whether to go on."""

    def failed(self, failure: Failure) -> bool:
        """Takes note of a failure. Returns whether the next candidate may be asked."""
        ...


class Attempt:
    """A call to one candidate. Leaving it books the part and tells the breaker.

    A failure inside is swallowed where the next candidate may be asked, else it is raised as
    AttemptFailedError.
    """

    def __init__(
        self,
        chain: Failed,
        exchange: Exchange,
        breakers: Breakers,
        candidate: Candidate,
        outgoing: Outgoing,
        admission: Admission,
    ) -> None:
        self._chain = chain
        self._exchange = exchange
        self._breakers = breakers
        self._candidate = candidate
        self._outgoing = outgoing
        self._admission = admission
        self._part = exchange.begin(candidate, len(outgoing.call.body))
        self._is_judged = False
        self._began = asyncio.get_running_loop().time()
        if outgoing.dropped:
            exchange.headers["x-heliostat-dropped"] = header_text(", ".join(outgoing.dropped))

    async def __aenter__(self) -> "Attempt":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        meter = self._part.meter
        failure = self._failure_of(error)
        if failure is None:
            if error is None:
                outcome = "answered" if meter.error is None else "provider_error"
                await self._part.end(outcome, free=False)
                await self._judge(Result.OK if meter.error is None else Result.FAILED)
            else:
                await self._judge(Result.UNKNOWN)  # ended from outside: settlement ends the part
            return False
        free = is_free(failure.verdict) and not meter.has_report
        await self._part.end(_OUTCOMES[failure.verdict], free=free)
        await self._judge(self._result_of(failure))
        self._exchange.decide(f"{self._candidate.provider.name} {failure.verdict} {failure.status}")
        if self._chain.failed(failure):
            return True
        raise AttemptFailedError(failure) from error

    async def whole(self) -> Whole:
        """The whole answer."""
        timeouts = self._candidate.timeouts
        answer = await self._ask(self._began + timeouts.total)
        if answer.content_type == _EVENT_STREAM:
            raise MalformedAnswerError("The provider streamed its answer, unasked.")
        body = bytearray()
        async for chunk in self._chunks(answer, is_stream=False):
            body += chunk
            if len(body) > _LARGEST_ANSWER:
                raise MalformedAnswerError(
                    f"The provider's answer is longer than {_LARGEST_ANSWER} bytes."
                )
        message = self._part.meter.read_message(bytes(body))
        self._exchange.answered()
        ask = self._exchange.ask
        if self._part.dialect is ask.dialect:
            return Whole(answer.status, answer.headers, bytes(body))
        return Whole(
            200,
            [("content-type", "application/json"), *self._id_of(answer)],
            render_whole(message, self._part.dialect, ask),
        )

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The stream, in the caller's dialect; nothing before there is output to see."""
        answer = await self._ask(self._began + self._candidate.timeouts.first_token)
        if answer.content_type != _EVENT_STREAM:
            raise MalformedAnswerError(
                f"The provider answered a stream with {answer.content_type or 'no content-type'}."
            )
        self._exchange.stream_headers = self._stream_headers(answer)
        rendering = new_rendering(self._exchange.ask, self._part.dialect, self._outgoing)
        reader = EventReader()
        held: list[bytes] = []
        async for chunk in self._chunks(answer, is_stream=True):
            trouble = self._read(reader, chunk, rendering, held)
            if held and self._part.meter.visible:
                await self._show()
                yield b"".join(held)
                held.clear()
            if trouble is not None:
                raise trouble
        if self._part.meter.error is not None:
            return  # the caller has been told
        if reader.held.strip() or not self._part.meter.stopped:
            raise ProviderError(
                "The provider's stream ended in the middle of the answer.", sent=True
            )
        held += rendering.finish(reader.held)
        await self._show()
        if held:
            yield b"".join(held)

    async def _ask(self, deadline: float) -> ProviderAnswer:
        """An answer with status 200."""
        async with asyncio.timeout_at(deadline):
            answer = await self._candidate.provider.send(self._outgoing.call)
        self._part.answer = answer
        if answer.status != 200:
            raise AttemptFailedError(await self._refusal(answer))
        if answer.is_compressed:
            raise MalformedAnswerError("The provider compressed its answer, unasked.")
        return answer

    def _read(
        self, reader: EventReader, chunk: bytes, rendering: Rendering, into: list[bytes]
    ) -> Exception | None:
        """Renders the events that `chunk` completes; what stops it comes after what was good."""
        meter = self._part.meter
        try:
            for event in reader.feed(chunk):
                meter.read_event(event)
                if meter.error is not None and not meter.visible:
                    fault = translate_error(0, parse_object(event.data), self._part.dialect)
                    return AttemptFailedError(_told_failure(fault))
                into += rendering.event(event, meter)
                if meter.error is not None:
                    return None
        except EventTooLongError as error:
            return MalformedAnswerError(str(error))
        except MalformedAnswerError as error:
            return error
        return None

    async def _chunks(
        self, answer: ProviderAnswer, *, is_stream: bool
    ) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece, each in time. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        timeouts = self._candidate.timeouts
        total = self._began + timeouts.total
        first = self._began + (timeouts.first_token if is_stream else timeouts.total)
        while True:
            deadline = min(total, loop.time() + timeouts.idle)
            if not self._part.meter.visible and is_stream:
                deadline = min(deadline, first)
            async with asyncio.timeout_at(deadline):
                chunk = await anext(answer.chunks, None)
            if chunk is None:
                return
            yield chunk
            if self._part.meter.error is not None:
                return

    async def _show(self) -> None:
        """The first output: from here on no other provider is asked."""
        if not self._is_judged:
            self._exchange.answered()
            await self._judge(Result.OK)

    async def _judge(self, result: Result | Limited) -> None:
        """Tells the breaker; a failure after an early success is told as well."""
        if self._is_judged and result in (Result.OK, Result.UNKNOWN):
            return
        self._is_judged = True
        if self._candidate.may_rest:
            await self._breakers.record(self._candidate.breaker_key, result, self._admission)

    def _result_of(self, failure: Failure) -> Result | Limited:
        if failure.verdict is Verdict.REJECTED:
            return Result.OK
        if failure.status == 429:
            now = datetime.now(UTC)
            until = resumes_at(dict(failure.headers), now)
            if until is not None:
                return Limited(until.timestamp())
        return Result.FAILED

    def _failure_of(self, error: BaseException | None) -> Failure | None:
        """What an error says of the provider; None when it says nothing."""
        after = Verdict.VISIBLE if self._part.meter.visible else Verdict.UNCERTAIN
        name = self._candidate.provider.name
        match error:
            case AttemptFailedError():
                return error.failure
            case StreamFaultError():
                return _told_failure(error.fault)
            case ProviderError(sent=False):
                return Failure(Verdict.NOT_SENT, 502, "api_error", str(error))
            case ProviderError() | MalformedAnswerError():
                return Failure(after, 502, "api_error", str(error))
            case TimeoutError():
                seconds = self._part.elapsed()
                message = f"{name} did not go on with its answer in time ({seconds:.0f} s)."
                return Failure(after, 504, "timeout_error", message)
            case _:
                return None

    async def _refusal(self, answer: ProviderAnswer) -> Failure:
        """The failure that an HTTP error says."""
        body = b"".join([chunk async for chunk in self._chunks(answer, is_stream=False)])
        fault = translate_error(answer.status, parse_object(body), self._part.dialect)
        verdict = verdict_of_status(answer.status)
        # What says that our key is bad may repeat a part of it.
        is_ours = fault.kind == "authentication_error"
        if self._part.dialect is self._exchange.ask.dialect and not is_ours:
            headers = tuple(answer.headers)
            return Failure(verdict, answer.status, fault.kind, fault.message, headers, body)
        kept = [(name, value) for name, value in answer.headers if name in _KEPT_OF_OTHERS]
        return Failure(
            verdict,
            answer.status,
            fault.kind,
            fault.message,
            (*kept, *self._id_of(answer)),
        )

    def _stream_headers(self, answer: ProviderAnswer) -> Headers:
        if self._part.dialect is self._exchange.ask.dialect:
            return answer.headers
        return [("content-type", "text/event-stream; charset=utf-8"), *self._id_of(answer)]

    def _id_of(self, answer: ProviderAnswer) -> Headers:
        """The provider's id where the caller's SDK looks for one; ours if there is none."""
        name = REQUEST_ID_HEADERS[self._exchange.ask.dialect]
        return [(name, header_text(answer.request_id) or self._exchange.id)]


def _told_failure(fault: ProviderFault) -> Failure:
    """An error event before any output is told as the HTTP error that it stands for."""
    return Failure(
        verdict_of_error(fault.kind), status_of_kind(fault.kind), fault.kind, fault.message
    )
