"""Load on the API server, and who sees what of it when. Instants are time.monotonic() seconds."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from heliostat_core.agents import Agent
from heliostat_core.worlds import (
    AlreadyExistsError,
    Change,
    JsonObject,
    Kind,
    Selection,
    UnavailableError,
    World,
)
from heliostat_kubernetes.cluster import KubernetesWorld
from support.control_plane import Address
from support.objects import make_agent, make_execution, name_of, uid_of
from support.worlds import make_namespace

BARE_WORKERS = 16
"""As many requests at once as the operator has workers."""


@dataclass
class Arrivals:
    """When each object of a kind first showed what was asked for."""

    shows: Callable[[JsonObject], bool]
    seen: dict[str, float] = field(default_factory=dict)
    uids: dict[str, set[str]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, change: Change) -> None:
        now = time.monotonic()
        if change.type == "DELETED" or not self.shows(change.object):
            return
        name = name_of(change.object)
        self.seen.setdefault(name, now)
        self.uids.setdefault(name, set()).add(uid_of(change.object))
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, names: Iterable[str], seconds: float) -> None:
        """Until all were seen; raises AssertionError with what is missing."""
        wanted = set(names)
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: wanted <= self.seen.keys())
        except TimeoutError:
            missing = sorted(wanted - self.seen.keys())
            raise AssertionError(
                f"{len(missing)} of {len(wanted)} not seen after {seconds} s: {missing[:5]}"
            ) from None


@asynccontextmanager
async def arrivals(
    world: World, kind: Kind, namespace: str, shows: Callable[[JsonObject], bool] = lambda _: True
) -> AsyncIterator[Arrivals]:
    """Watches a namespace while the block runs."""
    found = Arrivals(shows)

    async def follow() -> None:
        changes = world.watch(kind, Selection(namespace=namespace))
        assert isinstance(changes, AsyncGenerator)
        async with aclosing(changes):
            async for change in changes:
                await found.take(change)

    async def keep_following() -> None:
        """What a new kind's storage is not ready for is asked again."""
        while True:
            with suppress(UnavailableError):
                await follow()
            await asyncio.sleep(0.1)

    async with beside(keep_following()):
        yield found


@asynccontextmanager
async def beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """The work goes on while the block runs; if it fails, so does the block's end."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True)
class Ground:
    """A world with a namespace and an Agent of its own."""

    world: KubernetesWorld
    namespace: str
    agent: Agent


@asynccontextmanager
async def open_ground(address: Address) -> AsyncIterator[Ground]:
    """As many Executions at once as one likes, and all are kept."""
    async with await open_world(address.kubeconfig) as world:
        yield await make_ground(world, address)


async def make_ground(world: KubernetesWorld, address: Address) -> Ground:
    """A further namespace with an Agent of its own."""
    namespace = make_namespace(address)
    found = await world.create(
        make_agent(
            namespace,
            model={"name": "scripted/hello"},
            maxConcurrentExecutions=10_000,
            history={"successful": 100_000, "failed": 100_000},
        )
    )
    return Ground(world, namespace, Agent.model_validate(found))


async def open_world(kubeconfig: Path) -> KubernetesWorld:
    return await KubernetesWorld.connect(kubeconfig=kubeconfig, field_manager="bench")


async def create_execution(ground: Ground, name: str) -> None:
    """Asks again while an overloaded API server does not answer."""
    while True:
        try:
            await ground.world.create(make_execution(ground.namespace, name))
        except UnavailableError:
            continue
        except AlreadyExistsError:
            return
        return


async def at_rate(per_second: float, count: int, work: Callable[[int], Awaitable[None]]) -> None:
    """Starts the works evenly, whether the earlier ones are done or not; ends with the last."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            group.create_task(_await(work(number)))


async def at_once(
    count: int, work: Callable[[int], Awaitable[None]], workers: int = BARE_WORKERS
) -> float:
    """As fast as so many workers can; the seconds that it took."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await work(number)

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(worker())
    return time.monotonic() - began


async def _await(work: Awaitable[None]) -> None:
    await work


async def timed(work: Awaitable[object]) -> float:
    """Seconds that it took."""
    began = time.monotonic()
    await work
    return time.monotonic() - began
