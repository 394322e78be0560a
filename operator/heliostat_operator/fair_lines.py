"""Fair lines: which key is worked on next, so that a crowd of one group keeps no other waiting.

Keys have a rank and a group. Within a rank the groups take turns; a lower rank goes first, but now
and then a higher one has its turn, so that none waits for ever.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)

URGENT: Final = -1
"""The rank of what goes before everything else, always."""
_SECOND_TURN: Final = 4  # each so many keys the second rank goes first
_LAST_TURN: Final = 8  # and each so many the last


class FairLines(Generic[_Key]):
    """Keys that wait for a worker, each once, and how many of each group are worked on."""

    def __init__(self, most_of_group: int) -> None:
        """`most_of_group` is how many keys of one group may be worked on at once: the workers that
        are left are there for whoever comes."""
        self._most = most_of_group
        self._ranks: dict[int, OrderedDict[Hashable, deque[_Key]]] = {}
        self._places: dict[_Key, int] = {}  # its rank; what else stands in a line is passed over
        self._active: Counter[Hashable] = Counter()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def rank_of(self, key: _Key) -> int | None:
        """The rank of a key that waits."""
        return self._places.get(key)

    def push(self, key: _Key, rank: int, group: Hashable) -> bool:
        """Adds a key, or lets it go before if it waits with a higher rank. Whether that changed
        anything."""
        known = self._places.get(key)
        if known is not None and known <= rank:
            return False
        self._places[key] = rank
        self._ranks.setdefault(rank, OrderedDict()).setdefault(group, deque()).append(key)
        return True

    def pop(self) -> _Key | None:
        """The next key, which counts as worked on from now; None when there is none for now."""
        for rank in self._order():
            key = self._pop_of(rank)
            if key is not None:
                return key
        return None

    def done(self, group: Hashable) -> None:
        """A key of that group is no longer worked on."""
        self._active[group] -= 1
        if not self._active[group]:
            del self._active[group]

    def _order(self) -> Iterator[int]:
        ranks = sorted(self._ranks)
        yield from [each for each in ranks if each == URGENT]
        ranks = [each for each in ranks if each != URGENT]
        if not ranks:
            return
        self._turn += 1
        first = 1 if self._turn % _SECOND_TURN == 0 else 0
        first = len(ranks) - 1 if self._turn % _LAST_TURN == 0 else first
        first = min(first, len(ranks) - 1)
        yield ranks[first]
        yield from ranks[:first] + ranks[first + 1 :]

    def _pop_of(self, rank: int) -> _Key | None:
        groups = self._ranks[rank]
        for group in list(groups):
            if self._active[group] >= self._most:
                continue
            line = groups[group]
            key = self._first(line, rank)
            if not line:
                del groups[group]
            else:
                groups.move_to_end(group)
            if key is not None:
                self._active[group] += 1
                if not groups:
                    del self._ranks[rank]
                return key
        if not groups:
            del self._ranks[rank]
        return None

    def _first(self, line: deque[_Key], rank: int) -> _Key | None:
        while line:
            key = line.popleft()
            if self._places.get(key) == rank:
                del self._places[key]
                return key
        return None
