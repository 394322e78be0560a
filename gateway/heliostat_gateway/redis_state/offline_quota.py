"""Caps while Redis is away: each of N gateways may use 1/N of what was left when it last looked.

An account that this gateway has never seen counts as unused: 1/N of its whole cap.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from heliostat_gateway.money.bookings import Estimate, Reserved
from heliostat_gateway.money.reservations import Counted, Used, reserve

_KNOWN: Final = 10_000


@dataclass(frozen=True)
class _Hold:
    keys: tuple[str, ...]
    nanos: int
    tokens: int


class OfflineQuota:
    """Keeps what this gateway knew of each sum, and what it has used of it on its own since."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Used] = OrderedDict()
        self._spent: dict[str, Used] = {}
        self._holds: dict[str, _Hold] = {}

    def saw(self, key: str, used: Used) -> None:
        """What the shared ledger said last; the longest unseen are forgotten."""
        self._known[key] = used
        self._known.move_to_end(key)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    def reserve(
        self, request: str, counted: Sequence[Counted], estimate: Estimate, gateways: int
    ) -> Reserved:
        """Reserves on this gateway's share. Raises CapReachedError."""
        quota = [self._share(one, max(1, gateways)) for one in counted]
        used = {one.key: self._used(one.key) for one in quota}
        reserved = reserve(quota, used, estimate, strict=False)
        keys = tuple(one.key for one in quota)
        self._holds[request] = _Hold(keys, reserved.nanos, reserved.tokens)
        return reserved

    def settle(self, request: str, nanos: int, tokens: int, turns: int) -> None:
        """What a request that was reserved here has used."""
        hold = self._holds.pop(request, None)
        for key in () if hold is None else hold.keys:
            spent = self._spent.get(key, Used())
            self._spent[key] = Used(spent.nanos + nanos, spent.tokens + tokens, spent.turns + turns)

    def clear(self) -> None:
        """The shared ledger knows everything again."""
        self._spent.clear()
        self._holds.clear()

    def _share(self, one: Counted, gateways: int) -> Counted:
        known = self._known.get(one.key, Used())

        def share(cap: int | None, used: int) -> int | None:
            return None if cap is None else min(cap, used + max(0, cap - used) // gateways)

        return replace(
            one,
            nanos=share(one.nanos, known.nanos),
            tokens=share(one.tokens, known.tokens),
            turns=share(one.turns, known.turns),
        )

    def _used(self, key: str) -> Used:
        known, spent = self._known.get(key, Used()), self._spent.get(key, Used())
        held = [hold for hold in self._holds.values() if key in hold.keys]
        return Used(
            known.nanos + spent.nanos + sum(hold.nanos for hold in held),
            known.tokens + spent.tokens + sum(hold.tokens for hold in held),
            known.turns + spent.turns + len(held),
        )
