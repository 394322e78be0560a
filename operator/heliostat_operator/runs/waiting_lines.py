"""Waiting lines: who starts before whom, kept in order while requests come and go.

The order does not depend on the clock: waiting raises a priority by one each `aging_seconds`, for
all alike, so that each request has one rank for good. What it costs to find the first does not
depend on how many wait.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from heapq import merge
from typing import TypeAlias

from heliostat_operator.model.keys import Key
from heliostat_operator.runs.slots import SlotRequest

Entry: TypeAlias = tuple[float, str, Key]
"""Rank, uid and key: the smallest goes first."""
Line: TypeAlias = tuple[Key, bool]
"""The requests of an Agent that are not admitted, and apart from them those between attempts."""


class WaitingLines:
    """One sorted line for each Agent, found by namespace."""

    def __init__(self, aging_seconds: float) -> None:
        self._aging_seconds = aging_seconds
        self._lines: dict[Line, list[Entry]] = {}
        self._namespaces: dict[str, set[Line]] = {}
        self._places: dict[Key, tuple[Line, Entry]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def add(self, request: SlotRequest, priority: int) -> None:
        """Puts a request in its place; its own priority comes before its Agent's."""
        own = request.priority if request.priority is not None else priority
        rank = request.created.timestamp() - own * self._aging_seconds
        line, entry = (request.agent, request.admitted), (rank, request.uid, request.key)
        insort(self._lines.setdefault(line, []), entry)
        self._namespaces.setdefault(request.namespace, set()).add(line)
        self._places[request.key] = line, entry

    def remove(self, key: Key) -> None:
        """Takes a request out, if it is there."""
        place = self._places.pop(key, None)
        if place is None:
            return
        line, entry = place
        entries = self._lines[line]
        del entries[bisect_left(entries, entry)]
        if not entries:
            del self._lines[line]
            of_namespace = self._namespaces[key[0]]
            of_namespace.discard(line)
            if not of_namespace:
                del self._namespaces[key[0]]

    def ahead(self, key: Key) -> int:
        """How many of its namespace stand before it."""
        place = self._places.get(key)
        if place is None:
            return 0
        lines = self._namespaces[key[0]]
        return sum(bisect_left(self._lines[line], place[1]) for line in lines)

    def namespaces(self) -> Iterator[str]:
        """Those in which a request waits."""
        return iter(self._namespaces)

    def candidates(self, namespace: str, is_open: Callable[[Line], bool]) -> Iterator[Entry]:
        """The requests of a namespace in their order, from each line as long as it is open."""
        lines = sorted(self._namespaces.get(namespace, ()))
        return merge(*(self._from(line, is_open) for line in lines))

    def _from(self, line: Line, is_open: Callable[[Line], bool]) -> Iterator[Entry]:
        for entry in self._lines[line]:
            if not is_open(line):
                return
            yield entry
