"""The notifier wakes those who wait for the next report of a topic."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress


class ChangeNotifier:
    """Wakes whatever waits in this process, by topic."""

    def __init__(self) -> None:
        self._by_audience: dict[str, set[asyncio.Event]] = {}

    async def wait(
        self, audiences: Collection[str], seconds: float, has_news: Callable[[], Awaitable[bool]]
    ) -> None:
        """Until one of them is rung for, at most so long; not at all where there is news already.

        The bell hangs before news is looked for, so that nothing comes in between.
        """
        with self._hung(audiences) as bell:
            if await has_news():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await bell.wait()

    @contextmanager
    def _hung(self, audiences: Collection[str]) -> Iterator[asyncio.Event]:
        """A bell for as long as the block runs."""
        bell = asyncio.Event()
        for audience in audiences:
            self._by_audience.setdefault(audience, set()).add(bell)
        try:
            yield bell
        finally:
            for audience in audiences:
                bells = self._by_audience[audience]
                bells.discard(bell)
                if not bells:
                    del self._by_audience[audience]

    def ring(self, audience: str) -> None:
        """For those who wait for this audience."""
        for bell in self._by_audience.get(audience, ()):
            bell.set()

    def ring_all(self) -> None:
        """For everybody."""
        for audience in self._by_audience:
            self.ring(audience)
