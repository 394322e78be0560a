"""Where a soak takes place, and what may be broken and read there."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from soak.programs import Use
from soak.restarts import Part
from soak.seen import Run
from support.kubectl import Kubectl

NAMESPACE = "soak"
Ledger = Mapping[str, Mapping[int, int]]
"""Uid of an Execution -> attempt -> nano-dollars."""


class Place(Protocol):
    """A cluster with the platform in it."""

    @property
    def kubectl(self) -> Kubectl:
        """The administrator's."""

    @property
    def gateway_url(self) -> str: ...

    @property
    def signing_key(self) -> str:
        """The operator's private key."""

    @property
    def parts(self) -> frozenset[Part]:
        """Those that can be broken here."""

    async def evict(self, pod: str) -> bool:
        """By the eviction API; whether it was taken."""

    async def restart(self, part: Part, times: int) -> None:
        """`kill -9` and a start; a node loses all of its pods. `times` it happened before."""

    def measure_operator(self) -> Use | None:
        """None where it does not run, or not on this machine."""

    def revive_operator(self) -> bool:
        """As a Deployment does; whether it had ended by itself."""

    async def read_ledger(self, runs: Iterable[Run]) -> Ledger:
        """Once every call is booked."""
