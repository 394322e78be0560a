"""The engine: queues and resync over the registered kinds, in any world.

Whoever watches (kopf in a cluster, the embedded world itself) hands every change to `see`. That
only puts keys into queues; what happens is decided from what is true when a key's turn comes.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from heliostat_core.kinds import REGISTRY, RegisteredKind, optional_kinds
from heliostat_core.worlds import (
    UNSERVED,
    Change,
    JsonObject,
    Kind,
    Selection,
    World,
    WorldError,
)
from heliostat_operator.controllers.base import Context, Controller
from heliostat_operator.controllers.registry import build_controllers
from heliostat_operator.gateway.ledgers import Gateway, KeySigner
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Follower, Meter, Unmetered
from heliostat_operator.queues import KeyQueue, Queues
from heliostat_operator.secrets.vaults import NoVault, Vault
from heliostat_operator.settings import OperatorSettings

# For so long everything else waits while times of schedules are due: thousands of them at once.
LONGEST_HURRY = 10.0  # seconds

logger = logging.getLogger(__name__)

Part = TypeVar("Part")


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


class Engine:
    """Queues, controllers and the slow resync over one world."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        signer: KeySigner,
        settings: OperatorSettings,
        clock: Callable[[], datetime] = utc_now,
        meter: Meter | None = None,
        followers: Sequence[Follower] = (),
        vault: Vault | None = None,
        parts: Sequence[object] = (),
        registry: Sequence[RegisteredKind] = REGISTRY,
    ) -> None:
        """Controllers find `parts` by their types: triggers of schedules beside the operator's own
        timer, where there are any."""
        self._world = world
        self._settings = settings
        self._meter = meter or Unmetered()
        self._registry = registry
        self._optional = optional_kinds(registry)
        self._queues = Queues()
        self._context = Context(
            world=world,
            gateway=gateway,
            signer=signer,
            settings=settings,
            clock=clock,
            queues=self._queues,
            meter=self._meter,
            vault=vault or NoVault(),
            followers=followers,
            parts={type(each): each for each in parts},
        )
        self.controllers = build_controllers(self._context, registry)
        self._watching = {
            each.kind: [one for one in self.controllers if each.kind in one.kinds]
            for each in registry
        }
        for each in self.controllers:
            turn = self._times_first if each.waits_for_schedules else None
            work = partial(self._work, each)
            queue = KeyQueue(work, each.depth, turn, each.rest, each.rank, namespace_of)
            self._queues.open(each.name, queue)

    def queue(self, name: str) -> KeyQueue[Key]:
        """The queue of the controller of that name."""
        return self._queues[name]

    def controller(self, name: str) -> Controller:
        """The controller of that name."""
        return next(each for each in self.controllers if each.name == name)

    def shared(self, type_: type[Part], make: Callable[[], Part]) -> Part:
        """What controllers use together, found by its type."""
        return self._context.shared(type_, make)

    def depths(self) -> Mapping[str, int]:
        """Keys that wait for a worker or are worked on, by controller."""
        return self._queues.depths()

    # ---- wakes ----------------------------------------------------------------------------------

    async def hear(self, kind: Kind, change: Change) -> None:
        """As `see`; what brings nothing new comes after the times that are due."""
        if any(each.may_wait(kind, change) for each in self._watching.get(kind, ())):
            await self._times_first()
        self.see(kind, change)

    def see(self, kind: Kind, change: Change) -> None:
        """Takes note of a change; never blocks, never fails on an object's content."""
        try:
            for each in self._watching.get(kind, ()):
                each.changed(kind, change)
        except ValidationError as error:
            _leave_alone(kind, error)

    # ---- work -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Lists everything first, so that limits count what runs already; then until cancelled."""
        await self.resync()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queues.run())
            group.create_task(self._resync_forever())
            for each in self.controllers:
                group.create_task(each.begin())

    async def resync(self) -> None:
        """Reads everything of our own kinds again: what a watch missed is found here."""
        ends = [each.begin_resync() for each in self.controllers]
        listed = {
            each.kind: [key async for key in self._listed(each.kind, each.watched)]
            for each in self._registry
            if each.is_ours
        }
        for end in ends:
            end(listed)

    async def _listed(self, kind: Kind, selection: Selection) -> AsyncIterator[Key]:
        async for found in self._found(kind, selection):
            change = Change("MODIFIED", found)
            try:
                for each in self._watching[kind]:
                    each.listed(kind, change)
            except ValidationError as error:
                _leave_alone(kind, error)
            yield change.key

    async def _found(self, kind: Kind, selection: Selection) -> AsyncIterator[JsonObject]:
        try:
            async for found in self._world.list(kind, selection):
                yield found
        except UNSERVED as error:
            if kind not in self._optional:
                raise
            logger.warning("%s are left out until manifests are up to date: %s", kind.plural, error)

    async def _resync_forever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds)
            try:
                await self.resync()
            except WorldError as error:
                logger.warning("the resync is made later: %r", error)

    async def _work(self, controller: Controller, key: Key) -> float | None:
        started = time.monotonic()
        try:
            return await controller.reconcile(key)
        except Exception:
            self._meter.failed(controller.name)
            raise
        finally:
            self._meter.reconciled(controller.name, time.monotonic() - started)

    async def _times_first(self) -> None:
        """What is due has a time to keep; the work that it makes comes after."""
        await self._queues["schedule"].calm(LONGEST_HURRY)


def namespace_of(key: Key) -> str:
    """The group of a key: namespaces take turns."""
    return key[0]


def _leave_alone(kind: Kind, error: ValidationError) -> None:
    """What an older schema let in must not end the operator for everybody else."""
    logger.warning("a %s that can't be read is left alone: %s", kind.name, error)
