"""A provider's answer, asked for and read piece by piece, each in time."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from heliostat_gateway.calls.parts import Part
from heliostat_gateway.calls.patience import Patience
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError

_LARGEST_ANSWER: Final = 32 * 1024 * 1024  # as much as one event of a stream
_LARGEST_ERROR: Final = 1024 * 1024
_ERROR_SECONDS: Final = 5.0  # for the body of an error: the next provider waits for it
_END_SECONDS: Final = 1.0  # between the last word of an answer and the end of its stream


class Reading:
    """The answer of one attempt; its deadlines count from here."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._timeouts = part.candidate.timeouts
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._patience = Patience()

    def close(self) -> None:
        """Nothing more is read."""
        self._patience.close()

    async def ask(self, call: ProviderCall) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError, TimeoutError."""
        patience = self._timeouts.first_token if call.stream else self._timeouts.total
        with self._patience.until(self._began + patience):
            answer = await self._part.candidate.provider.send(call)
        self._part.answer = answer
        return answer

    async def body(self, answer: ProviderAnswer) -> bytes:
        """The whole body. Raises ProviderError, TimeoutError, MalformedAnswerError."""
        body = bytearray()
        with self._patience.until(self._deadline(is_stream=False)) as patience:
            async for chunk in answer.chunks:
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise MalformedAnswerError(
                        f"The provider's answer is longer than {_LARGEST_ANSWER} bytes."
                    )
                patience.until(self._deadline(is_stream=False))
        return bytes(body)

    async def chunks(self, answer: ProviderAnswer) -> AsyncGenerator[bytes, None]:
        """The stream, up to an error event. Raises ProviderError, TimeoutError.

        Once the answer is complete, it does not matter how its stream ends.
        """
        meter = self._part.meter
        while True:
            try:
                with self._patience.until(self._deadline(is_stream=True)):
                    chunk = await anext(answer.chunks, None)
            except (ProviderError, TimeoutError):
                if not meter.stopped:
                    raise
                return
            if chunk is None:
                return
            yield chunk
            if meter.error is not None:
                return

    async def error_body(self, answer: ProviderAnswer) -> bytes | None:
        """The body of an error; None when it breaks off, takes too long or has no end."""
        body = bytearray()
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                async for chunk in answer.chunks:
                    body += chunk
                    if len(body) > _LARGEST_ERROR:
                        return None
        except (ProviderError, TimeoutError):
            return None
        return bytes(body)

    def _deadline(self, *, is_stream: bool) -> float:
        """When the next piece must be here."""
        timeouts, meter = self._timeouts, self._part.meter
        is_over = meter.stopped and meter.final
        silence = min(timeouts.idle, _END_SECONDS) if is_over else timeouts.idle
        deadline = self._loop.time() + silence
        if is_stream and not meter.visible:
            deadline = min(deadline, self._began + timeouts.first_token)
        return min(deadline, self._began + timeouts.total)
