"""One attempt: asks one candidate and says what became of it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol

from heliostat_gateway.breakers import Admission, Breakers, Limited, Result
from heliostat_gateway.calls.exchange import Exchange
from heliostat_gateway.calls.judging import (
    id_headers,
    judge_error,
    judge_fault,
    judge_refusal,
    result_of,
)
from heliostat_gateway.calls.outgoing import Outgoing
from heliostat_gateway.calls.reading import Reading
from heliostat_gateway.calls.rendering import Rendering, new_rendering, render_whole
from heliostat_gateway.calls.verdicts import AttemptFailedError, Failure, Verdict, is_free
from heliostat_gateway.dialects.faults import MalformedAnswerError, translate_error
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.routes.plans import Candidate
from heliostat_gateway.sse import EventReader, EventTooLongError
from heliostat_json.encoding import parse_object
from heliostat_json.objects import JsonObject, object_at

_EVENT_STREAM: Final = "text/event-stream"
_OUTCOMES: Final = {
    Verdict.NOT_SENT: "provider_unreachable",
    Verdict.REFUSED: "provider_refused",
    Verdict.REJECTED: "provider_refused",
    Verdict.UNCERTAIN: "provider_cut",
    Verdict.VISIBLE: "provider_cut",
}


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
        self._is_shown = False  # whether the caller has seen output
        self._reading = Reading(self._part)
        exchange.drop(outgoing.dropped)

    async def __aenter__(self) -> "Attempt":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._reading.close()
        meter = self._part.meter
        failure = judge_error(
            error,
            self._candidate.provider.name,
            seconds=self._part.elapsed(),
            is_shown=self._is_shown,
        )
        if failure is None:
            if error is None:
                outcome = "answered" if meter.error is None else "provider_error"
                await self._part.end(outcome, free=False)
                await self._judge(Result.OK if meter.error is None else Result.FAILED)
            else:
                await self._judge(Result.UNKNOWN)  # ended from outside: settlement ends the part
            return False
        self._part.verdict = failure.verdict
        free = is_free(failure.verdict) and not meter.began
        await self._part.end(_OUTCOMES[failure.verdict], free=free)
        await self._judge(result_of(failure))
        self._exchange.decide(f"{self._candidate.provider.name} {failure.verdict} {failure.status}")
        if self._chain.failed(failure):
            return True
        raise AttemptFailedError(failure) from error

    async def whole(self) -> Whole:
        """The whole answer."""
        answer = await self._ask()
        if answer.content_type == _EVENT_STREAM:
            raise MalformedAnswerError("The provider streamed its answer, unasked.")
        body = await self._reading.body(answer)
        message = self._read_message(body)
        self._exchange.answered()
        ask = self._exchange.ask
        if self._part.dialect is ask.dialect:
            return Whole(answer.status, answer.headers, body)
        return Whole(
            200,
            [
                ("content-type", "application/json"),
                *id_headers(answer, ask.dialect, self._exchange.id),
            ],
            render_whole(message, self._part.dialect, ask),
        )

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The stream, in the caller's dialect; nothing before there is output to see."""
        answer = await self._ask()
        if answer.content_type != _EVENT_STREAM:
            raise MalformedAnswerError(
                f"The provider answered a stream with {answer.content_type or 'no content-type'}."
            )
        self._exchange.stream_headers = self._stream_headers(answer)
        rendering = new_rendering(self._exchange.ask, self._part.dialect, self._outgoing)
        reader = EventReader()
        held: list[bytes] = []
        async for chunk in self._reading.chunks(answer):
            trouble = self._read(reader, chunk, rendering, held)
            if held and self._part.meter.visible:
                await self._show()
                yield b"".join(held)
                held.clear()
            if trouble is not None:
                raise trouble
        if self._part.meter.error is not None:
            return  # the caller has been told
        if not self._part.meter.stopped:
            raise ProviderError(
                "The provider's stream ended in the middle of the answer.", sent=True
            )
        held += rendering.finish(reader.held)
        await self._show()
        if held:
            yield b"".join(held)

    async def _ask(self) -> ProviderAnswer:
        """An answer with status 200."""
        answer = await self._reading.ask(self._outgoing.call)
        if 200 < answer.status < 300:
            raise MalformedAnswerError(f"The provider answered with status {answer.status}.")
        if answer.status != 200:
            body = await self._reading.error_body(answer)
            source, target = self._part.dialect, self._exchange.ask.dialect
            failure = judge_refusal(answer, body, source, target, datetime.now(UTC))
            raise AttemptFailedError(failure)
        if answer.is_compressed:
            raise MalformedAnswerError("The provider compressed its answer, unasked.")
        return answer

    def _read_message(self, body: bytes) -> JsonObject:
        try:
            return self._part.meter.read_message(body)
        except MalformedAnswerError as error:
            document = parse_object(body) or {}
            if object_at(document, "error"):
                fault = translate_error(200, document, self._part.dialect)
                raise AttemptFailedError(judge_fault(fault)) from error
            raise

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
                    return AttemptFailedError(judge_fault(fault))
                into += rendering.event(event, meter)
                if meter.error is not None:
                    return None
        except EventTooLongError as error:
            return MalformedAnswerError(str(error))
        except MalformedAnswerError as error:
            return error
        return None

    async def _show(self) -> None:
        """The first output: from here on no other provider is asked."""
        self._is_shown = True
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

    def _stream_headers(self, answer: ProviderAnswer) -> Headers:
        if self._part.dialect is self._exchange.ask.dialect:
            return answer.headers
        return [
            ("content-type", "text/event-stream; charset=utf-8"),
            *id_headers(answer, self._exchange.ask.dialect, self._exchange.id),
        ]
