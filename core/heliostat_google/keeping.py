"""Answers of a service that is not asked each time and may be away for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from heliostat_google.problems import SecretProblem, SecretUnavailableError

_REST_SECONDS = 5.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ages:
    """An answer is asked for anew after `refresh` seconds, and used for at most `keep` seconds
    after it was given, while the service is away."""

    refresh: float
    keep: float

    @property
    def pinned(self) -> float:
        """When to ask anew for what never changes: early enough that an absence that begins then
        finds an answer to live on."""
        return self.keep / 2


@dataclass(frozen=True)
class _Kept(Generic[Answer]):
    answer: Answer
    asked: float


@dataclass(frozen=True)
class _Failed:
    problem: SecretProblem
    asked: float


class KeptAnswers(Generic[Answer]):
    """Answers by name. What the service refuses is forgotten at once."""

    def __init__(self, ages: Ages, clock: Callable[[], float] = time.monotonic) -> None:
        self._ages = ages
        self._clock = clock
        self._kept: dict[str, _Kept[Answer]] = {}
        self._failed: dict[str, _Failed] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(
        self, name: str, ask: Callable[[], Awaitable[Answer]], refresh: float | None = None
    ) -> Answer:
        """The answer; `refresh` instead of the usual one. Raises SecretUnavailableError."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            try:
                return await self._get(
                    name, ask, self._ages.refresh if refresh is None else refresh
                )
            finally:
                self._forget_old()

    async def _get(self, name: str, ask: Callable[[], Awaitable[Answer]], refresh: float) -> Answer:
        now = self._clock()
        kept = self._kept.get(name)
        if kept is not None and now - kept.asked < refresh:
            return kept.answer
        failed = self._failed.get(name)
        if failed is None or now - failed.asked >= min(_REST_SECONDS, refresh):
            failed = await self._ask(name, ask, now)
        if failed is None:
            return self._kept[name].answer
        if kept is not None and failed.problem.may_pass and now - kept.asked < self._ages.keep:
            return kept.answer
        self._kept.pop(name, None)
        raise SecretUnavailableError(failed.problem)

    async def _ask(
        self, name: str, ask: Callable[[], Awaitable[Answer]], now: float
    ) -> _Failed | None:
        try:
            self._kept[name] = _Kept(await ask(), now)
        except SecretUnavailableError as error:
            failed = self._failed[name] = _Failed(error.problem, now)
            return failed
        self._failed.pop(name, None)
        return None

    def _forget_old(self) -> None:
        """Names come from many specs over the months: nothing stays for longer than it serves."""
        now = self._clock()
        for name, kept in list(self._kept.items()):
            if now - kept.asked >= self._ages.keep:
                del self._kept[name]
        for name, failed in list(self._failed.items()):
            if now - failed.asked >= _REST_SECONDS:
                del self._failed[name]
        for name in self._locks.keys() - self._kept.keys() - self._failed.keys():
            if not self._locks[name].locked():
                del self._locks[name]
