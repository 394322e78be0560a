"""Background work runs beside the requests, and is known to have failed when it did."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

_LOG = logging.getLogger(__name__)


class Background:
    """Runs the work of a process beside its requests. Work lets an error through that only a fault
    of ours can cause: then the process has to be started again."""

    def __init__(self) -> None:
        self._failed: list[str] = []

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of what ended with an error."""
        return tuple(self._failed)

    @asynccontextmanager
    async def going_on(self, *work: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """As long as the block runs; work may be done before."""
        tasks = [asyncio.create_task(each, name=_name_of(each)) for each in work]
        for task in tasks:
            task.add_done_callback(self._see_end)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _see_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed.append(task.get_name())
            _LOG.error("%s ended with an error", task.get_name(), exc_info=error)


def _name_of(work: Coroutine[None, None, None]) -> str:
    return str(getattr(work, "__qualname__", work))


async def repeat(
    work: Callable[[], Awaitable[float | None]],
    seconds: float,
    errors: type[Exception] | tuple[type[Exception], ...],
    later: str,
    asked: asyncio.Event | None = None,
) -> None:
    """Does the work again and again, until it is cancelled.

    Between two times it pauses for as long as the work returned, else for `seconds`, or until it is
    `asked` to begin sooner. One of `errors` is logged with the words `later`, and the work is done
    again; any other ends it.
    """
    asked = asked or asyncio.Event()
    while True:
        asked.clear()  # before the work: who asks while it goes on asks for another time
        pause: float | None = None
        try:
            pause = await work()
        except errors as error:
            _LOG.warning("%s: %s", later, error)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds if pause is None else pause):
                await asked.wait()


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits for its end. To await the task itself and suppress its cancellation
    would also lose one of the caller that comes meanwhile."""
    task.cancel()
    await asyncio.wait([task])
