"""Providers without a network, each of which answers or fails in one chosen way."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_json.objects import dump_object
from heliostat_scripted.rendering import Piece, Rendering, Report
from heliostat_scripted.rendering.chat import ChatRendering
from heliostat_scripted.rendering.gemini import GeminiRendering
from heliostat_scripted.rendering.messages import MessagesRendering
from heliostat_scripted.scenario import Pace, UsageSpec
from heliostat_scripted.script import Script, Text


class Ending(StrEnum):
    """How an answer ends."""

    WELL = "well"
    CUT = "cut"
    CLEAN = "clean"  # as if it were over
    STALL = "stall"
    BAD_JSON = "bad-json"
    OVERLOADED = "overloaded_error"  # an error event
    INVALID = "invalid_request_error"  # an error event that blames the request


@dataclass(frozen=True)
class Behaviour:
    """What a provider does. Only one of the first three, else an answer of status 200."""

    is_refused: bool = False  # no connection
    hangs_up: bool = False  # after the request, without an answer
    status: int = 200
    ending: Ending = Ending.WELL
    pieces: int = 0  # of the answer, before it ends otherwise than well
    chunk: int = 1000  # bytes that come at once


@dataclass
class PlayedProvider:
    """Speaks with one letter of its own, so that its words are known everywhere."""

    name: str
    dialect: Dialect
    letter: str
    behaviour: Behaviour
    target_is_model: bool = True
    counts_tokens: bool = False
    checks_signatures: bool = False
    signature_mark: str = ""
    takes_details: bool = False
    asked: int = 0
    request_bytes: int = 0

    @property
    def text(self) -> str:
        return self.letter * 12

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        self.asked += 1
        self.request_bytes = len(call.body)
        does = self.behaviour
        if does.is_refused:
            raise ProviderError("refused", sent=False)
        if does.hangs_up:
            raise ProviderError("hung up", sent=True)
        if does.status != 200:
            error = dump_object({"error": {"message": f"status {does.status}", "code": "x"}})
            return ProviderAnswer(does.status, [], self._once(error))
        kind = "text/event-stream" if call.stream else "application/json"
        headers: Headers = [("content-type", kind)]
        return ProviderAnswer(200, headers, self._body(is_stream=call.stream))

    async def close(self) -> None:
        return

    def told(self, *, is_stream: bool) -> list[Piece]:
        """The pieces of the answer that come before it ends."""
        rendering, does = self._rendering(), self.behaviour
        if does.is_refused or does.hangs_up or does.status != 200:
            return []
        if not is_stream:
            return [rendering.whole()] if does.ending is Ending.WELL else []
        pieces = list(self._streamed(rendering))
        return pieces if does.ending is Ending.WELL else pieces[: does.pieces]

    def usage(self, *, is_stream: bool) -> UsageSpec:
        """What is owed, by the rule in words (docs/gateway.md, Money)."""
        told = self.told(is_stream=is_stream)
        reports = [piece.report for piece in told]
        output = -(-sum(piece.characters for piece in told) // 4)
        if Report.FINAL in reports:
            return self._usage()
        if Report.INPUT in reports:
            return self._usage().model_copy(update={"output": output})
        return UsageSpec(input=-(-self.request_bytes // 4), output=output)

    def pieces(self) -> int:
        """How many pieces a whole stream has."""
        return len(list(self._streamed(self._rendering())))

    def _usage(self) -> UsageSpec:
        return UsageSpec(input=100 + ord(self.letter), output=9, cache_read=3)

    def _rendering(self) -> Rendering:
        script = Script(
            id="msg_1",
            model="m",
            actions=(Text(self.text),),
            usage=self._usage(),
            stop_reason="end_turn",
            pace=Pace(characters=5),
        )
        if self.dialect is Dialect.MESSAGES:
            return MessagesRendering(script)
        if self.dialect is Dialect.CHAT:
            return ChatRendering(script, include_usage=True)
        return GeminiRendering(script)

    def _streamed(self, rendering: Rendering) -> list[Piece]:
        block = rendering.block(Text(self.text), 0)
        return [*rendering.start(), *block, *rendering.end()]

    async def _body(self, *, is_stream: bool) -> AsyncGenerator[bytes, None]:
        told = self.told(is_stream=is_stream)
        raw = b"".join(piece.raw for piece in told) + self._trouble(is_stream=is_stream)
        size = self.behaviour.chunk
        for start in range(0, len(raw), size):
            yield raw[start : start + size]
        if self.behaviour.ending is Ending.CUT:
            raise ProviderError("cut", sent=True)
        if self.behaviour.ending is Ending.STALL:
            await asyncio.Event().wait()

    def _trouble(self, *, is_stream: bool) -> bytes:
        """What comes after the last good piece."""
        rendering, ending = self._rendering(), self.behaviour.ending
        if ending in (Ending.OVERLOADED, Ending.INVALID):
            event = rendering.error_event(ending.value, "told in the answer")
            return event if is_stream else event.partition(b"data: ")[2].strip()
        if ending is Ending.WELL:
            return b""
        if not is_stream:
            return rendering.whole().raw[:40]
        return rendering.bad_json() if ending is Ending.BAD_JSON else b""

    async def _once(self, body: bytes) -> AsyncGenerator[bytes, None]:
        yield body
