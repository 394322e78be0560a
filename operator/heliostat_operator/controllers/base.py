"""A controller looks after the objects of a kind; the context is what it is built from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, TypeAlias, TypeVar

from heliostat_core.worlds import Change, Kind, World
from heliostat_operator.gateway.ledgers import Gateway, KeySigner
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Follower, Meter
from heliostat_operator.queues import Queues, Rest
from heliostat_operator.secrets.vaults import Vault
from heliostat_operator.settings import OperatorSettings

Part = TypeVar("Part")
Listed: TypeAlias = Mapping[Kind, Sequence[Key]]
"""The keys that a resync found, by kind."""


class Controller(ABC):
    """Takes note of changes of the kinds that it watches, and brings one key at a time as far as it
    can go."""

    name: ClassVar[str]
    """Of its queue, in logs and metrics."""
    kinds: ClassVar[tuple[Kind, ...]] = ()
    """What it watches; the registry of kinds has the selectors. It may also live on keys alone
    that others put into its queue."""
    waits_for_schedules: ClassVar[bool] = True
    """Whether its keys come after the times of schedules that are due."""
    rest: ClassVar[Rest | None] = None
    """How long a key rests that is added as rested."""

    def __init__(self, depth: int) -> None:
        """`depth` is how many keys are worked on at once."""
        self.depth = depth

    @abstractmethod
    def changed(self, kind: Kind, change: Change) -> None:
        """Takes note of a change: puts keys into queues and never blocks. Raises ValidationError
        for an object that can't be read."""

    @abstractmethod
    async def reconcile(self, key: Key) -> float | None:
        """Works on one key. Returns in how many seconds to look again, or None for not by
        itself."""

    def rank(self, key: Key) -> int:  # noqa: ARG002
        """Which keys are worked on first: those of the lowest rank."""
        return 0

    def listed(self, kind: Kind, change: Change) -> None:
        """Takes note of an object that a resync found."""
        self.changed(kind, change)

    def may_wait(self, kind: Kind, change: Change) -> bool:  # noqa: ARG002
        """Whether a change brings nothing new, so that times of schedules come first."""
        return False

    def begin_resync(self) -> Callable[[Listed], None]:
        """Is called before everything is listed; what it returns is told what was found. It must
        not drop what came meanwhile."""
        return lambda _: None

    async def begin(self) -> None:
        """Does what is to be done once, when this process begins to lead."""
        return


class Build(Protocol):
    """What the module `controller` of a room offers by the name `build`."""

    def __call__(self, context: "Context") -> Sequence[Controller]: ...


@dataclass(frozen=True)
class Context:
    """What controllers are built from. What several of them use is made once, and found by its
    type."""

    world: World
    gateway: Gateway
    signer: KeySigner
    settings: OperatorSettings
    clock: Callable[[], datetime]
    queues: Queues
    meter: Meter
    vault: Vault
    followers: Sequence[Follower] = ()
    parts: dict[type, object] = field(default_factory=dict)

    def shared(self, type_: type[Part], make: Callable[[], Part]) -> Part:
        """The part of that type, made now if there is none."""
        known = self.find(type_)
        if known is None:
            self.parts[type_] = known = make()
        return known

    def find(self, type_: type[Part]) -> Part | None:
        """The part of that type; None where the engine was given none and no one made it."""
        known = self.parts.get(type_)
        return known if isinstance(known, type_) else None
