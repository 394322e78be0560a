"""Caches save runs reads and writes: what the watch brought, what we wrote, the gateway's pauses.

An Execution as the watch brought it serves one look alone, and only while it is not admitted, or
once it is stopped. Each write of a look at such an Execution names the resource version that was
seen, so a stale one ends in a conflict and is read; a stop deletes by uid and revokes, which stays
right. What was admitted and goes on is always read: making its Job has no such condition.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import TTLCache

from heliostat_core.executions import Attempt, Execution, ExecutionStatus
from heliostat_operator.gateway.ledgers import AgentSum, Gateway, GatewayUnavailableError
from heliostat_operator.model.keys import Key

_MOST_KEPT = 1000  # some kilobytes each; the others are read


@dataclass(frozen=True)
class FreshExecution:
    """An Execution, and when it was seen (monotonic seconds)."""

    execution: Execution
    at: float


class FreshExecutions:
    """At most one a key: the newest that no look has taken."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._brought: dict[Key, FreshExecution] = {}

    def bring(self, key: Key, execution: Execution) -> None:
        """Keeps it when it may be of use."""
        is_of_use = execution.is_stopping or not execution.is_admitted
        if is_of_use and (len(self._brought) < _MOST_KEPT or key in self._brought):
            self._brought[key] = FreshExecution(execution, self._monotonic())
        else:
            self.forget(key)

    def take(self, key: Key) -> FreshExecution | None:
        """It is given once: after a conflict the next look reads."""
        return self._brought.pop(key, None)

    def forget(self, key: Key) -> None:
        self._brought.pop(key, None)


class OwnWrites:
    """What we wrote comes back through the watch, and is no reason for a further look.

    A look decides from what it writes; whatever others write meanwhile has a version of its own.
    """

    def __init__(self) -> None:
        self._expected: dict[str, None] = {}  # oldest first

    def expect(self, version: str) -> None:
        self._expected[version] = None
        if len(self._expected) > _MOST_KEPT:
            del self._expected[next(iter(self._expected))]

    def heard(self, version: str) -> bool:
        """Whether this version is our own write; each is said once."""
        return self._expected.pop(version, self) is None


@dataclass(frozen=True)
class _Made:
    """An attempt whose Job's uid is known, of the Execution with that uid."""

    uid: str
    attempt: Attempt

    def is_news_for(self, execution: Execution) -> bool:
        last = execution.current_attempt
        return (
            execution.metadata.uid == self.uid
            and last is not None
            and last.number == self.attempt.number
            and last.job_uid is None
        )


class PendingJobUids:
    """Remembers Jobs that this operator made and has not written down yet: without it, a Job that
    is deleted before its uid is written would be made again."""

    def __init__(self) -> None:
        self._made: dict[Key, _Made] = {}

    def keep(self, execution: Execution, status: ExecutionStatus) -> None:
        """The status is not written now; its last attempt has a Job."""
        self._made[_key(execution)] = _Made(execution.metadata.uid, status.attempts[-1])

    def forget(self, key: Key) -> None:
        self._made.pop(key, None)

    def recall(self, execution: Execution) -> Execution:
        """The Execution with what its status does not say yet."""
        made = self._made.get(_key(execution))
        if made is None:
            return execution
        if not made.is_news_for(execution):
            self.forget(_key(execution))
            return execution
        status = execution.status
        last = status.attempts[-1].model_copy(update={"job_uid": made.attempt.job_uid})
        status = status.model_copy(update={"attempts": (*status.attempts[:-1], last)})
        return execution.model_copy(update={"status": status})


def _key(execution: Execution) -> Key:
    return (execution.metadata.namespace, execution.metadata.name)


_REMEMBERED = timedelta(seconds=15)
_MOST_PAUSES = 10_000


class Pauses:
    """What the gateway last said of each Agent. A gateway that does not answer pauses nobody."""

    def __init__(self, gateway: Gateway, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._known: TTLCache[Key, tuple[AgentSum | None], datetime] = TTLCache(
            _MOST_PAUSES, _REMEMBERED, clock
        )

    async def of(self, agent: Key) -> AgentSum | None:
        """The pause of an Agent, at most 15 s old; None when it may run or nobody knows."""
        known = self._known.get(agent)
        if known is None:
            known = self._known[agent] = (await self._ask(agent),)
        return known[0]

    async def _ask(self, agent: Key) -> AgentSum | None:
        try:
            found = await self._gateway.agent_sum(*agent)
        except GatewayUnavailableError:
            return None
        return found if found.paused else None


_TERMINATING_SECONDS = 60.0
_MOST_NAMESPACES = 10_000


class TerminatingNamespaces:
    """Remembers where the API server refused an object because the namespace is being deleted, so
    that the other runs in it need not try. One of the same name may be made again before long."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._noted: TTLCache[str, None, float] = TTLCache(
            _MOST_NAMESPACES, _TERMINATING_SECONDS, monotonic
        )

    def note(self, namespace: str) -> None:
        self._noted[namespace] = None

    def holds(self, namespace: str) -> bool:
        """Whether that was not long ago."""
        return namespace in self._noted
