"""The limits of each Agent and of the operator decide who may start next, by priority with aging.

The limiter holds the request of every unfinished Execution in memory, fed by the watch and by our
own writes. One leader at a time decides by it, and an admission is a status write with the resource
version that was read, so that a stale limiter can't start a run twice.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_operator.controllers.base import Context
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.observations import SlotStatus


@dataclass(frozen=True)
class SlotRequest:
    """One unfinished Execution asks for a slot, or has one."""

    uid: str
    key: Key
    agent: Key
    admitted: bool
    stopping: bool
    priority: int | None
    created: datetime


@dataclass(frozen=True)
class Rules:
    """What an Agent says about starting."""

    limit: int
    priority: int
    suspended: bool


@dataclass(frozen=True)
class Known:
    """The keys that the limiter knew at one time."""

    executions: frozenset[Key]
    agents: frozenset[Key]


class ConcurrencyLimiter:
    """Keeps requests and rules; answers how the limits stand for one Execution."""

    def __init__(self, total_limit: int, aging_seconds: float) -> None:
        self._total_limit = total_limit
        self._aging_seconds = aging_seconds
        self._requests: dict[Key, SlotRequest] = {}
        self._requested: Counter[Key] = Counter()  # requests by Agent
        self._rules: dict[Key, Rules] = {}
        self._paused: set[Key] = set()
        self._blocked: set[Key] = set()  # waiting runs that their schedule holds back
        self._held: set[Key] = set()
        self._order: list[SlotRequest] = []
        self._granted: frozenset[Key] = frozenset()
        self._taken: Counter[Key] = Counter()
        self._fresh_until: datetime | None = None

    def see_execution(self, execution: Execution) -> None:
        """Notes an Execution as it is now; a finished one gives its slot back.

        An admission is never taken back: the watch may still bring what was before our own write.
        """
        request = slot_request_of(execution)
        known = self._requests.get(request.key)
        if known is not None and known.uid == request.uid and known.admitted:
            request = replace(request, admitted=True)
        if execution.is_finished:
            self.forget_execution(request.key)
        elif known != request:
            self._drop(request.key)
            self._requests[request.key] = request
            self._requested[request.agent] += 1
            self._fresh_until = None

    def forget_execution(self, key: Key) -> None:
        self._held.discard(key)
        self._blocked.discard(key)
        self._drop(key)

    def _drop(self, key: Key) -> None:
        known = self._requests.pop(key, None)
        if known is None:
            return
        self._fresh_until = None
        self._requested[known.agent] -= 1
        if not self._requested[known.agent]:
            del self._requested[known.agent]

    def see_agent(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        rules = Rules(agent.spec.max_concurrent_executions, agent.spec.priority, agent.spec.suspend)
        if self._rules.get(key) != rules:
            self._rules[key] = rules
            self._fresh_until = None

    def see_pause(self, agent: Key, *, paused: bool) -> None:
        """Notes whether the gateway has paused an Agent: what it waits for takes no slot."""
        if paused == (agent in self._paused):
            return
        (self._paused.add if paused else self._paused.discard)(agent)
        self._fresh_until = None

    def block(self, key: Key, *, blocked: bool) -> None:
        """Notes whether a waiting run is held back by its schedule: it takes no slot."""
        if blocked == (key in self._blocked):
            return
        (self._blocked.add if blocked else self._blocked.discard)(key)
        self._fresh_until = None

    def forget_agent(self, key: Key) -> None:
        self._paused.discard(key)
        if self._rules.pop(key, None):
            self._fresh_until = None

    def slot_status(self, execution: Execution, now: datetime) -> SlotStatus:
        """How the limits stand for this Execution, which the limiter need not know yet.

        A granted slot is held, whoever else comes meanwhile, until `release` or its admission.
        """
        self.see_execution(execution)
        request = slot_request_of(execution)
        rules = self._rules.get(request.agent)
        if rules and (request.admitted or self._has_room_for_all(request, rules)):
            # Nobody has to stand back: the order need not be made, which costs time for each.
            self._held.add(request.key)
            running = self._requested[request.agent]
            return SlotStatus(True, running, rules.limit, len(self._requests), self._total_limit, 0)
        self._refresh(now)
        granted = request.key in self._granted
        if granted:
            self._held.add(request.key)
        return SlotStatus(
            granted=granted,
            agent_running=self._taken[request.agent],
            agent_limit=rules.limit if rules else 0,
            total_running=self._taken.total(),
            total_limit=self._total_limit,
            ahead=next((i for i, each in enumerate(self._order) if each.key == request.key), 0),
        )

    def _has_room_for_all(self, request: SlotRequest, rules: Rules) -> bool:
        return (
            len(self._requests) <= self._total_limit
            and self._requested[request.agent] <= rules.limit
            and not (rules.suspended or request.stopping or request.agent in self._paused)
            and request.key not in self._blocked
        )

    def release(self, key: Key) -> None:
        """A look at the Execution has ended; a slot that it did not take is free again."""
        if key in self._held:
            self._held.discard(key)
            self._fresh_until = None

    def granted(self, now: datetime) -> frozenset[Key]:
        """Waiting Executions that have a free slot now."""
        self._refresh(now)
        return self._granted

    def active(self, agent: Key) -> int:
        """Admitted Executions of an Agent."""
        return sum(each.admitted and each.agent == agent for each in self._requests.values())

    def waiting_for(self, agent: Key) -> list[Key]:
        """Executions of an Agent that are not admitted."""
        return [
            key for key, each in self._requests.items() if each.agent == agent and not each.admitted
        ]

    def __contains__(self, key: Key) -> bool:
        """Whether an unfinished Execution of that key is known."""
        return key in self._requests

    def known(self) -> Known:
        """What the limiter knows now; `keep_only` takes it."""
        return Known(frozenset(self._requests), frozenset(self._rules))

    def keep_only(self, before: Known, executions: Iterable[Key], agents: Iterable[Key]) -> None:
        """Drops what a full list no longer shows: a watch can miss a deletion.

        Only what was known before the list was read: it does not show what came meanwhile.
        """
        for gone in before.executions - set(executions):
            self.forget_execution(gone)
        for gone in before.agents - set(agents):
            self.forget_agent(gone)

    def _refresh(self, now: datetime) -> None:
        if self._fresh_until is not None and now < self._fresh_until:
            return
        requests = self._requests.values()
        self._taken = Counter(each.agent for each in requests if each.admitted)
        self._order = sorted(
            (each for each in requests if not each.admitted and not each.stopping),
            key=lambda each: (
                each.key not in self._held,
                -self._rank(each, now),
                each.created,
                each.uid,
            ),
        )
        self._granted = self._grant()
        self._fresh_until = _later(now, self._aging_seconds / 10)

    def _rank(self, request: SlotRequest, now: datetime) -> int:
        rules = self._rules.get(request.agent)
        priority = (
            request.priority if request.priority is not None else rules.priority if rules else 0
        )
        waited = max(0.0, (now - request.created).total_seconds())
        return priority + int(waited // self._aging_seconds)

    def _grant(self) -> frozenset[Key]:
        """SlotStatus for those in front, counted as taken from now on."""
        taken = self._taken
        free = self._total_limit - taken.total()
        granted: set[Key] = set()
        for request in self._order:
            if free <= 0:
                break
            rules = self._rules.get(request.agent)
            if rules is None or rules.suspended or request.agent in self._paused:
                continue
            if request.key in self._blocked:
                continue
            if taken[request.agent] >= rules.limit:
                continue
            taken[request.agent] += 1
            free -= 1
            granted.add(request.key)
        return frozenset(granted)


def slot_request_of(execution: Execution) -> SlotRequest:
    meta = execution.metadata
    if meta.creation_timestamp is None:
        raise ValueError(f"Execution {meta.name!r} was not read from a world")
    return SlotRequest(
        uid=meta.uid,
        key=(meta.namespace, meta.name),
        agent=(meta.namespace, execution.spec.agent_ref.name),
        admitted=execution.is_admitted,
        stopping=execution.spec.cancel or meta.deletion_timestamp is not None,
        priority=execution.spec.priority,
        created=meta.creation_timestamp,
    )


def _later(instant: datetime, seconds: float) -> datetime:
    return datetime.fromtimestamp(instant.timestamp() + seconds, tz=instant.tzinfo)


def limiter_of(context: Context) -> ConcurrencyLimiter:
    """The one limiter of all controllers."""
    settings = context.settings
    return context.shared(
        ConcurrencyLimiter,
        lambda: ConcurrencyLimiter(settings.max_concurrent_executions, settings.aging_seconds),
    )
