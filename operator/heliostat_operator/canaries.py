"""The canary of the watches: what they bring is compared with what there is, for each kind.

A watch may be dead without an error: kopf never watches a kind whose CRD was away when it began,
and a connection may stay and bring nothing more. Silence alone says nothing, for nothing may have
happened; so the heads of what is silent are listed now and then. What a list shows and the watch
does not bring for long ends the operator, whose successor watches from the beginning.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from heliostat_core.reading import part, text
from heliostat_core.worlds import Change, JsonObject, Kind, Selection, WorldError
from heliostat_operator.model.keys import Key

_LOOKS = 4
"""A watch is looked at so often in the time after which it counts as dead."""
_NEVER = float("-inf")

logger = logging.getLogger(__name__)


class WatchDeadError(Exception):
    """A watch does not bring what is there."""


class Heads(Protocol):
    """Lists the metadata of objects, which is less to read than the objects."""

    def list_heads(self, kind: Kind, selection: Selection) -> AsyncIterator[JsonObject]: ...


class WatchCanary:
    """Knows which version of each object a watch brought last."""

    def __init__(
        self,
        heads: Heads,
        watched: Mapping[Kind, Selection],
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heads = heads
        self._watched = watched
        self._seconds = seconds
        self._monotonic = monotonic
        self._brought: dict[Kind, dict[Key, str]] = {kind: {} for kind in watched}
        self._heard: dict[Kind, float] = {}
        self._behind: dict[Kind, tuple[float, str]] = {}

    def see(self, kind: Kind, change: Change) -> None:
        """A watch brought something, so it lives."""
        self._heard[kind] = self._monotonic()
        self._behind.pop(kind, None)
        if change.type == "DELETED":
            self._brought[kind].pop(change.key, None)
        else:
            self._brought[kind][change.key] = _version(change.object)

    @property
    def silent_seconds(self) -> float:
        """Says for how long the watch that is furthest behind has not brought what is there."""
        oldest = min((since for since, _ in self._behind.values()), default=None)
        return 0.0 if oldest is None else self._monotonic() - oldest

    async def keep(self) -> None:
        """Looks until cancelled; raises WatchDeadError."""
        while True:
            await asyncio.sleep(self._seconds / _LOOKS)
            for kind in self._watched:
                await self._look(kind)
            self._check()

    async def _look(self, kind: Kind) -> None:
        began = self._monotonic()
        if began - self._heard.get(kind, _NEVER) < self._seconds / _LOOKS:
            return
        listed: dict[Key, str] = {}
        try:
            async for head in self._heads.list_heads(kind, self._watched[kind]):
                listed[Change("ADDED", head).key] = _version(head)
        except WorldError as error:
            logger.debug("the watch of %s is compared later: %r", kind.plural, error)
            return
        if self._heard.get(kind, _NEVER) >= began:
            return  # it lives, and may know more than the list
        brought = self._brought[kind]
        # A deletion that came while there was no connection is never told: it accuses nobody.
        self._brought[kind] = {key: each for key, each in brought.items() if key in listed}
        missed = [key for key, version in listed.items() if brought.get(key) != version]
        if not missed:
            self._behind.pop(kind, None)
        elif kind not in self._behind:
            self._behind[kind] = (began, "/".join(missed[0]))

    def _check(self) -> None:
        for kind, (since, name) in self._behind.items():
            silent = self._monotonic() - since
            if silent >= self._seconds:
                raise WatchDeadError(
                    f"The watch did not bring {kind.plural} that are there, such as {name}, for "
                    f"{silent:.0f} s"
                )


def _version(obj: JsonObject) -> str:
    return text(part(obj, "metadata"), "resourceVersion")
