"""One attempt: asks one candidate, passes its answer on and says what became of it."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol

from heliostat_gateway.breakers import Admission, Breakers, Limited, Result
from heliostat_gateway.calls.failure_classification import (
    AttemptFailedError,
    Failure,
    Verdict,
    id_headers,
    is_free,
    judge_error,
    judge_fault,
    judge_refusal,
    result_of,
)
from heliostat_gateway.calls.lifecycle import CallLifecycle
from heliostat_gateway.calls.outgoing import Outgoing
from heliostat_gateway.calls.provider_attempt import ResponseReader
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.signature_marks import mark_event, mark_message
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError, error_event, translate_error
from heliostat_gateway.dialects.translation import stream_translation, translate_answer
from heliostat_gateway.headers import Headers
from heliostat_gateway.meter import Meter, is_usage_chunk
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.routes.plans import Candidate, Deadlines
from heliostat_gateway.sse import Event, EventReader, EventTooLongError
from heliostat_json.objects import JsonObject, dump_object, object_at, parse_object

_EVENT_STREAM: Final = "text/event-stream"
_OUTCOMES: Final = {
    Verdict.NOT_SENT: "provider_unreachable",
    Verdict.REFUSED: "provider_refused",
    Verdict.REJECTED: "provider_refused",
    Verdict.UNCERTAIN: "provider_cut",
    Verdict.VISIBLE: "provider_cut",
}


class ResponseWriter(Protocol):
    """Writes the stream that the caller gets."""

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """What the caller gets for an event that the meter has just read."""
        ...

    def finish(self, rest: bytes) -> list[bytes]:
        """What the caller gets after the provider's stream ended well; `rest` is white space
        behind its last event."""
        ...


class PassthroughWriter:
    """Passes the bytes on as they came, without a usage chunk that only the gateway asked for."""

    def __init__(self, *, hides_usage: bool) -> None:
        self._hides_usage = hides_usage

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """The event itself."""
        if self._hides_usage and meter.final and is_usage_chunk(event):
            return []
        return [event.raw]

    def finish(self, rest: bytes) -> list[bytes]:
        """The rest: the provider said its last word."""
        return [rest] if rest else []


class TranslatingWriter:
    """Translates the stream into the caller's own dialect."""

    def __init__(self, request: ModelRequest, source: Dialect) -> None:
        self._source = source
        self._target = request.dialect
        self._translation = stream_translation(
            source, request.dialect, request.document, int(time.time())
        )

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """The caller's events for one of the provider's. Raises MalformedAnswerError."""
        if meter.error is not None:
            fault = translate_error(0, parse_object(event.data), self._source)
            return [error_event(self._target, fault.kind, fault.message, "")]
        return self._translation.feed(event)

    def finish(self, rest: bytes) -> list[bytes]:  # noqa: ARG002
        """The end, as the caller's dialect says it."""
        return self._translation.finish()


def new_writer(request: ModelRequest, source: Dialect, outgoing: Outgoing) -> ResponseWriter:
    """The writer of one stream: of the same bytes in the same dialect, else of a translation."""
    if source is request.dialect:
        return PassthroughWriter(hides_usage=outgoing.hides_usage)
    return TranslatingWriter(request, source)


def render_whole(message: JsonObject, source: Dialect, request: ModelRequest) -> bytes:
    """A whole answer in the caller's dialect. Raises MalformedAnswerError."""
    now = int(time.time())
    return dump_object(translate_answer(message, source, request.dialect, request.document, now))


@dataclass(frozen=True)
class Whole:
    """A complete answer in the caller's dialect."""

    status: int
    headers: Headers
    body: bytes


class Failed(Protocol):
    """Decides after a failure whether the next candidate is asked."""

    def failed(self, failure: Failure) -> bool:
        """Takes note of a failure. Returns whether the next candidate may be asked."""
        ...


class Attempt:
    """Runs the call to one candidate. Leaving it books the attempt and tells the breaker.

    A failure inside is swallowed where the next candidate may be asked, else it is raised as
    AttemptFailedError.
    """

    def __init__(
        self,
        chain: Failed,
        lifecycle: CallLifecycle,
        breakers: Breakers,
        candidate: Candidate,
        outgoing: Outgoing,
        admission: Admission,
        deadlines: Deadlines,
    ) -> None:
        self._chain = chain
        self._lifecycle = lifecycle
        self._breakers = breakers
        self._candidate = candidate
        self._outgoing = outgoing
        self._admission = admission
        self._attempt = lifecycle.begin(candidate, len(outgoing.call.body))
        self._is_judged = False
        self._is_shown = False  # whether the caller has seen output
        self._reader = ResponseReader(self._attempt, deadlines)
        lifecycle.drop(outgoing.dropped)

    async def __aenter__(self) -> "Attempt":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._reader.close()
        meter = self._attempt.meter
        failure = None if error is None else self._judge_error(error)
        if failure is None:
            if error is None:
                outcome = "answered" if meter.error is None else "provider_error"
                await self._attempt.end(outcome, free=False)
                await self._judge(Result.OK if meter.error is None else Result.FAILED)
            else:
                await self._judge(Result.UNKNOWN)  # ended from outside: settlement ends the attempt
            return False
        self._attempt.verdict = failure.verdict
        free = is_free(failure.verdict) and not meter.began
        is_late = isinstance(error, TimeoutError)
        outcome = "provider_timeout" if is_late else _OUTCOMES[failure.verdict]
        await self._attempt.end(outcome, free=free)
        await self._judge(result_of(failure))
        self._lifecycle.decide(
            f"{self._candidate.provider.name} {failure.verdict} {failure.status}"
        )
        if self._chain.failed(failure):
            return True
        raise AttemptFailedError(failure) from error

    async def whole(self) -> Whole:
        """The whole answer."""
        answer = await self._ask()
        if answer.content_type == _EVENT_STREAM:
            raise MalformedAnswerError("The provider streamed its answer, unasked.")
        body = await self._reader.body(answer)
        message = self._read_message(body)
        if mark := self._candidate.provider.signature_mark:
            body = mark_message(body, message, mark)
            message = parse_object(body) or message
        self._lifecycle.answered()
        request = self._lifecycle.request
        if self._attempt.dialect is request.dialect:
            return Whole(answer.status, answer.headers, body)
        return Whole(
            200,
            [
                ("content-type", "application/json"),
                *id_headers(answer, request.dialect, self._lifecycle.id),
            ],
            render_whole(message, self._attempt.dialect, request),
        )

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The stream, in the caller's dialect; nothing before there is output to see."""
        answer = await self._ask()
        if answer.content_type != _EVENT_STREAM:
            raise MalformedAnswerError(
                f"The provider answered a stream with {answer.content_type or 'no content-type'}."
            )
        self._lifecycle.stream_headers = self._stream_headers(answer)
        writer = new_writer(self._lifecycle.request, self._attempt.dialect, self._outgoing)
        reader = EventReader()
        held: list[bytes] = []
        async for chunk in self._reader.chunks(answer):
            trouble = self._read(reader, chunk, writer, held)
            if held and self._attempt.meter.visible:
                await self._show()
                yield b"".join(held)
                held.clear()
            if trouble is not None:
                raise trouble
        if self._attempt.meter.error is not None:
            return  # the caller has been told
        if not self._attempt.meter.stopped:
            raise ProviderError(
                "The provider's stream ended in the middle of the answer.", sent=True
            )
        held += writer.finish(reader.held)
        await self._show()
        if held:
            yield b"".join(held)

    async def _ask(self) -> ProviderAnswer:
        """An answer with status 200."""
        answer = await self._reader.send(self._outgoing.call)
        if 200 < answer.status < 300:
            raise MalformedAnswerError(f"The provider answered with status {answer.status}.")
        if answer.status != 200:
            body = await self._reader.error_body(answer)
            source, target = self._attempt.dialect, self._lifecycle.request.dialect
            failure = judge_refusal(answer, body, source, target, datetime.now(UTC))
            raise AttemptFailedError(failure)
        if answer.is_compressed:
            raise MalformedAnswerError("The provider compressed its answer, unasked.")
        return answer

    def _read_message(self, body: bytes) -> JsonObject:
        try:
            return self._attempt.meter.read_message(body)
        except MalformedAnswerError as error:
            document = parse_object(body) or {}
            if object_at(document, "error"):
                fault = translate_error(200, document, self._attempt.dialect)
                raise AttemptFailedError(judge_fault(fault)) from error
            raise

    def _read(
        self, reader: EventReader, chunk: bytes, writer: ResponseWriter, into: list[bytes]
    ) -> Exception | None:
        """Renders the events that `chunk` completes; what stops it comes after what was good."""
        meter, mark = self._attempt.meter, self._candidate.provider.signature_mark
        try:
            for event in reader.feed(chunk):
                meter.read_event(event)
                if meter.error is not None and not meter.visible:
                    fault = translate_error(0, parse_object(event.data), self._attempt.dialect)
                    return AttemptFailedError(judge_fault(fault))
                into += writer.event(mark_event(event, mark), meter)
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
            self._lifecycle.answered()
            await self._judge(Result.OK)

    async def _judge(self, result: Result | Limited) -> None:
        """Tells the breaker; a failure after an early success is told as well."""
        if self._is_judged and result in (Result.OK, Result.UNKNOWN):
            return
        self._is_judged = True
        if self._candidate.breaker_enabled:
            await self._breakers.record(self._candidate.breaker_key, result, self._admission)

    def _judge_error(self, error: BaseException) -> Failure | None:
        name, seconds = self._candidate.provider.name, self._attempt.elapsed()
        return judge_error(error, name, seconds=seconds, is_shown=self._is_shown)

    def _stream_headers(self, answer: ProviderAnswer) -> Headers:
        if self._attempt.dialect is self._lifecycle.request.dialect:
            return answer.headers
        return [
            ("content-type", "text/event-stream; charset=utf-8"),
            *id_headers(answer, self._lifecycle.request.dialect, self._lifecycle.id),
        ]
