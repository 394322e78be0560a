"""One leader among replicas that were started by mistake, and a canary for the watch.

The Lease is renewed by its holder and brought back by kopf's watch. A holder that can't renew stops
writing before another one may begin; one whose own touch does not come back ends, for its watch is
dead (kopf drops bookmarks before any handler, so silence alone says nothing).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from heliostat_core.names import CANARY_LABEL, MANAGED_BY, MANAGED_BY_LABEL
from heliostat_core.resources import ObjectMeta, Part
from heliostat_core.worlds import (
    EVERYTHING,
    LEASE,
    AlreadyExistsError,
    Change,
    ConflictError,
    ForbiddenError,
    JsonObject,
    Kind,
    Ref,
    Selection,
    UnavailableError,
    World,
)
from heliostat_operator.canaries import WatchDeadError

LEASE_NAME = "heliostat-operator"

logger = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """This replica may not write any more."""


class _LeaseSpec(Part):
    holder_identity: str = ""
    renew_time: str = ""


class _Lease(Part):
    metadata: ObjectMeta
    spec: _LeaseSpec = _LeaseSpec()


class Leadership:
    """Holds the Lease for one identity."""

    def __init__(
        self,
        world: World,
        namespace: str,
        identity: str,
        lease_seconds: int,
        canary_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._world = world
        self._ref = Ref(LEASE, namespace, LEASE_NAME)
        self._identity = identity
        self._seconds = lease_seconds
        self._canary_seconds = canary_seconds
        self._monotonic = monotonic
        self._now = now
        self._renewed: float | None = None
        self._touched: dict[str, float] = {}
        self._seen: tuple[str, float] | None = None
        self._renewed_at = datetime.min.replace(tzinfo=UTC)
        self._renew_time = ""

    @property
    def is_leader(self) -> bool:
        """Whether a write now is certainly ours to make."""
        if self._renewed is None:
            return False
        return self._monotonic() - self._renewed < self._seconds * 2 / 3

    @property
    def was_acquired(self) -> bool:
        """Whether this replica led at some time."""
        return self._renewed is not None

    async def acquire(self) -> None:
        """Returns once this replica leads."""
        while not await self.renew():
            await asyncio.sleep(self._seconds / 5)
        logger.info("%s leads", self._identity)

    async def keep(self) -> None:
        """Renews until cancelled; raises LeadershipLostError or WatchDeadError."""
        while True:
            await asyncio.sleep(self._seconds / 5)
            if not await self.renew() and not self.is_leader:
                raise LeadershipLostError(f"{self._identity} lost the Lease {LEASE_NAME!r}")
            self._check_canary()

    async def release(self) -> None:
        """Let another replica begin at once."""
        if self._renewed is None:
            return
        self._renewed = None
        found = await self._world.get(self._ref)
        if found is not None:
            lease = _Lease.model_validate(found)
            if lease.spec.holder_identity == self._identity:
                await self._apply(lease.metadata.resource_version, "")

    def see(self, change: Change) -> None:
        """The watch brought a Lease: what we touched with that renewTime has come back."""
        renew_time = _Lease.model_validate(change.object).spec.renew_time
        for known in [key for key in self._touched if key <= renew_time]:
            del self._touched[known]

    @property
    def silent_seconds(self) -> float:
        """For how long the oldest of our touches has not come back."""
        oldest = min(self._touched.values(), default=None)
        return 0.0 if oldest is None else self._monotonic() - oldest

    def _check_canary(self) -> None:
        if self.silent_seconds > self._canary_seconds:
            raise WatchDeadError(
                f"The watch did not bring back our own Lease for {self.silent_seconds:.0f} s"
            )

    async def renew(self) -> bool:
        """One look at the Lease; whether it is ours now."""
        began = self._monotonic()
        try:
            found = await self._world.get(self._ref)
            if found is None:
                await self._create()
            else:
                lease = _Lease.model_validate(found)
                if not self._may_take(lease):
                    return False
                await self._apply(lease.metadata.resource_version, self._identity)
        except (ConflictError, AlreadyExistsError, UnavailableError) as error:
            logger.debug("the Lease was not renewed: %r", error)
            return False
        except ForbiddenError as error:
            # An API server that has just started does not know its roles for a moment.
            logger.warning("the Lease was not renewed: %s", error)
            return False
        self._renewed = began
        self._touched[self._renew_time] = began
        return True

    def _may_take(self, lease: _Lease) -> bool:
        """Ours, free, or seen unchanged for longer than its holder may be silent.

        Another holder's clock is not trusted: what counts is how long we saw no renewal.
        """
        spec = lease.spec
        if spec.holder_identity in ("", self._identity):
            return True
        if self._seen is None or self._seen[0] != spec.renew_time:
            self._seen = spec.renew_time, self._monotonic()
        return self._monotonic() - self._seen[1] > self._seconds

    async def _create(self) -> None:
        await self._world.create(self._object(None, self._identity))

    async def _apply(self, resource_version: str, holder: str) -> None:
        await self._world.apply(self._object(resource_version, holder))

    def _object(self, resource_version: str | None, holder: str) -> JsonObject:
        # Strictly later than the last one, also when the wall clock went back: an unchanged time
        # would look like silence to the other replica, and both would lead.
        self._renewed_at = max(self._now(), self._renewed_at + timedelta(microseconds=1))
        self._renew_time = _micro_time(self._renewed_at)
        metadata: dict[str, str | dict[str, str]] = {
            "name": self._ref.name,
            "namespace": self._ref.namespace,
            "labels": {CANARY_LABEL: "true", MANAGED_BY_LABEL: MANAGED_BY},
        }
        if resource_version is not None:
            metadata["resourceVersion"] = resource_version
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": self._seconds,
                "renewTime": self._renew_time,
            },
        }


def _micro_time(instant: datetime) -> str:
    """Kubernetes' MicroTime; as text it sorts by time."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class FencedWorld:
    """A world that refuses writes as soon as the Lease is not certainly ours."""

    def __init__(self, world: World, leadership: Leadership) -> None:
        self._world = world
        self._leadership = leadership

    @property
    def name(self) -> str:
        return self._world.name

    async def get(self, ref: Ref) -> JsonObject | None:
        return await self._world.get(ref)

    def list(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[JsonObject]:
        return self._world.list(kind, selection)

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        return self._world.watch(kind, selection)

    async def create(self, obj: JsonObject) -> JsonObject:
        self._check()
        return await self._world.create(obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        self._check()
        return await self._world.apply(obj)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self._check()
        return await self._world.patch_status(obj)

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self._check()
        return await self._world.delete(ref, uid=uid, grace_seconds=grace_seconds)

    def _check(self) -> None:
        if not self._leadership.is_leader:
            raise LeadershipLostError("Another replica may lead now")
