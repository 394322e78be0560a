"""The limits of Agents, namespaces and the operator decide who may start next.

Within a namespace the higher priority goes first, and waiting raises it; among namespaces the one
with the fewest slots. The limiter holds the request of every unfinished Execution in memory, fed by
the watch and by our own writes. One leader at a time decides by it, and an admission is a status
write with the resource version that was read, so that a stale limiter can't start a run twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TypeAlias, TypeVar

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_operator.controllers.base import Context
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.observations import LimitUse, SlotStatus
from heliostat_operator.runs.slots import (
    Entry,
    Line,
    SlotRequest,
    SlotState,
    WaitingLines,
    slot_request_of,
)

_Counted = TypeVar("_Counted")
_First: TypeAlias = tuple[int, Entry, str, Iterator[Entry]]
"""The slots of a namespace, its next request, its name and the requests that follow."""


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


class SlotCounts:
    """Counts requests by Agent and namespace: all, those that hold a slot, those that are stalled,
    those that wait for people. An Agent's limit goes by `of_agent`, see SlotRequest.counts."""

    def __init__(self) -> None:
        self.total = 0
        self.in_namespace: Counter[str] = Counter()
        self.stalled_in: Counter[str] = Counter()
        self.of_agent: Counter[Key] = Counter()
        self.admitted_of: Counter[Key] = Counter()
        self.parked_of: Counter[Key] = Counter()
        self.stalled_of: Counter[Key] = Counter()
        self.requested_in: Counter[str] = Counter()

    def add(self, request: SlotRequest, by: int = 1) -> None:
        """Counts a request, or with -1 no longer."""
        namespace, agent = request.namespace, request.agent
        _count(self.requested_in, namespace, by)
        if request.state is SlotState.HOLDS:
            self.total += by
            _count(self.in_namespace, namespace, by)
        if request.admitted:
            _count(self.admitted_of, agent, by)
        if request.counts:
            _count(self.of_agent, agent, by)
        if request.state is SlotState.PARKED:
            _count(self.parked_of, agent, by)
        if request.is_stalled:
            _count(self.stalled_in, namespace, by)
            _count(self.stalled_of, agent, by)


class Grants:
    """The slots that are given to waiting requests, counted as taken until they are used."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.in_namespace: Counter[str] = Counter()
        self.of_agent: Counter[Key] = Counter()

    def add(self, request: SlotRequest) -> None:
        self.keys.add(request.key)
        self.in_namespace[request.namespace] += 1
        if not request.counts:
            self.of_agent[request.agent] += 1


class ConcurrencyLimiter:
    """Keeps requests and rules; answers how the limits stand for one Execution."""

    def __init__(
        self, total_limit: int, aging_seconds: float, namespace_limit: int | None = None
    ) -> None:
        self._total_limit = total_limit
        self._namespace_limit = min(total_limit, namespace_limit or total_limit)
        self._requests: dict[Key, SlotRequest] = {}
        self._of_agent: dict[Key, set[Key]] = {}
        self._rules: dict[Key, Rules] = {}
        self._paused: set[Key] = set()
        self._blocked: set[Key] = set()  # waiting runs that something else holds back
        self._held: set[Key] = set()
        self._counts = SlotCounts()
        self._lines = WaitingLines(aging_seconds)
        self._grants: Grants | None = None  # None when something has changed since
        self._was_freed = False

    # ---- what is known --------------------------------------------------------------------------

    def see_execution(self, execution: Execution) -> None:
        """Notes an Execution as it is now; a finished one gives its slot back.

        The watch may still bring what was before our own write: that is left out.
        """
        request = slot_request_of(execution)
        if execution.is_finished:
            self.forget_execution(request.key)
            return
        known = self._requests.get(request.key)
        if known is not None and _is_older(request, known):
            return
        if known == request:
            self._requests[request.key] = request
        else:
            self._drop(request.key)
            self._note(request)
            self._was_freed |= known is not None and _gives_back(known, request)

    def forget_execution(self, key: Key) -> None:
        known, was_granted = self._requests.get(key), self.is_granted(key)
        self._held.discard(key)
        self._blocked.discard(key)
        self._drop(key)
        self._was_freed |= known is not None and (known.admitted or was_granted)

    def _note(self, request: SlotRequest) -> None:
        self._requests[request.key] = request
        self._of_agent.setdefault(request.agent, set()).add(request.key)
        self._counts.add(request)
        self._line_up(request)
        self._grants = None

    def _drop(self, key: Key) -> None:
        known = self._requests.pop(key, None)
        if known is None:
            return
        of_agent = self._of_agent[known.agent]
        of_agent.discard(key)
        if not of_agent:
            del self._of_agent[known.agent]
        self._counts.add(known, -1)
        self._lines.remove(key)
        self._grants = None

    def _line_up(self, request: SlotRequest) -> None:
        if request.queues and request.key not in self._blocked:
            rules = self._rules.get(request.agent)
            self._lines.add(request, rules.priority if rules else 0)

    def see_agent(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        rules = Rules(agent.spec.max_concurrent_executions, agent.spec.priority, agent.spec.suspend)
        known = self._rules.get(key)
        if known == rules:
            return
        self._rules[key] = rules
        self._grants = None
        if known is None or known.priority != rules.priority:
            for each in self._of_agent.get(key, ()):
                self._lines.remove(each)
                self._line_up(self._requests[each])

    def see_pause(self, agent: Key, *, paused: bool) -> None:
        """Notes whether the gateway has paused an Agent: what it waits for takes no slot."""
        if paused == (agent in self._paused):
            return
        (self._paused.add if paused else self._paused.discard)(agent)
        self._grants = None
        self._was_freed = True

    def block(self, key: Key, *, blocked: bool) -> None:
        """Notes whether something else than the limits holds a waiting run back: then it takes no
        slot."""
        if blocked == (key in self._blocked):
            return
        (self._blocked.add if blocked else self._blocked.discard)(key)
        request = self._requests.get(key)
        self._lines.remove(key)
        if request is not None:
            self._line_up(request)
        self._grants = None
        self._was_freed = True

    def forget_agent(self, key: Key) -> None:
        self._paused.discard(key)
        if self._rules.pop(key, None):
            self._grants = None

    # ---- answers --------------------------------------------------------------------------------

    def slot_status(self, execution: Execution) -> SlotStatus:
        """How the limits stand for this Execution, which the limiter need not know yet.

        A granted slot is held, whoever else comes meanwhile, until `release` or its admission.
        """
        self.see_execution(execution)
        request = self._requests.get(slot_request_of(execution).key)
        if request is None or (request.admitted and not request.queues):
            return self._status(slot_request_of(execution), granted=True)
        if self._has_room_for_all(request):
            # Nobody has to stand back: the order need not be made, which costs time for each.
            self._held.add(request.key)
            return self._status(request, granted=True)
        granted = request.key in self._current_grants().keys
        if granted:
            self._held.add(request.key)
        return self._status(request, granted=granted)

    def _status(self, request: SlotRequest, *, granted: bool) -> SlotStatus:
        counts, grants = self._counts, self._grants or Grants()
        agent, rules = request.agent, self._rules.get(request.agent)
        return SlotStatus(
            granted=granted,
            agent=LimitUse(
                counts.of_agent[agent] + grants.of_agent[agent],
                rules.limit if rules else 0,
                counts.stalled_of[agent],
            ),
            namespace=self._use_of_namespace(request.namespace, grants),
            total=LimitUse(counts.total + len(grants.keys), self._total_limit),
            ahead=self._lines.ahead(request.key),
        )

    def _has_room_for_all(self, request: SlotRequest) -> bool:
        rules = self._rules.get(request.agent)
        return (
            rules is not None
            and len(self._requests) <= self._total_limit
            and self._counts.requested_in[request.namespace] <= self._namespace_limit
            and len(self._of_agent[request.agent]) <= rules.limit
            and self._is_let_start(request.agent)
            and request.key in self._lines
        )

    def release(self, key: Key) -> None:
        """A look at the Execution has ended; a slot that it did not take is free again."""
        if key in self._held:
            self._held.discard(key)
            self._grants = None

    def granted(self) -> frozenset[Key]:
        """Waiting Executions that have a free slot now, and that no look has taken note of."""
        return frozenset(self._current_grants().keys - self._held)

    def is_granted(self, key: Key) -> bool:
        """Whether it was found to have a free slot; nothing is reckoned for the answer."""
        return self._grants is not None and key in self._grants.keys

    def take_freed(self) -> bool:
        """Whether a slot may have become free since this was asked last."""
        was_freed, self._was_freed = self._was_freed, False
        return was_freed

    def active(self, agent: Key) -> int:
        """Admitted Executions of an Agent."""
        return self._counts.admitted_of[agent]

    def parked(self, agent: Key) -> int:
        """Executions of an Agent that wait for people."""
        return self._counts.parked_of[agent]

    def waiting_for(self, agent: Key) -> list[Key]:
        """Executions of an Agent that are not admitted."""
        keys = self._of_agent.get(agent, ())
        return [each for each in keys if not self._requests[each].admitted]

    def request(self, key: Key) -> SlotRequest | None:
        """What the unfinished Execution of that key asks for."""
        return self._requests.get(key)

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

    # ---- grants ---------------------------------------------------------------------------------

    def _current_grants(self) -> Grants:
        if self._grants is None:
            self._grants = self._grant()
        return self._grants

    def _grant(self) -> Grants:
        """Slots for those in front: always to the namespace that has the fewest, and of two with as
        many to the one whose first request comes first."""
        grants = Grants()
        for key in self._held:
            if key in self._lines:
                grants.add(self._requests[key])
        if self._counts.total + len(grants.keys) >= self._total_limit:
            return grants
        firsts: list[_First] = []
        for namespace in list(self._lines.namespaces()):
            first = self._first_of(namespace, self._candidates(namespace, grants), grants)
            firsts.extend([first] if first else [])
        heapify(firsts)
        while firsts and self._counts.total + len(grants.keys) < self._total_limit:
            _, (_, _, key), namespace, candidates = heappop(firsts)
            grants.add(self._requests[key])
            first = self._first_of(namespace, candidates, grants)
            if first:
                heappush(firsts, first)
        return grants

    def _first_of(
        self, namespace: str, candidates: Iterator[Entry], grants: Grants
    ) -> _First | None:
        """The next request of a namespace that has room, if there is one."""
        use = self._use_of_namespace(namespace, grants)
        if use.is_full or use.is_clogged:
            return None
        first = next(candidates, None)
        return (use.taken, first, namespace, candidates) if first is not None else None

    def _use_of_namespace(self, namespace: str, grants: Grants) -> LimitUse:
        taken = self._counts.in_namespace[namespace] + grants.in_namespace[namespace]
        return LimitUse(taken, self._namespace_limit, self._counts.stalled_in[namespace])

    def _candidates(self, namespace: str, grants: Grants) -> Iterator[Entry]:
        def is_open(line: Line) -> bool:
            agent, is_counted = line
            return is_counted or self._agent_has_room(agent, grants)

        entries = self._lines.candidates(namespace, is_open)
        return (entry for entry in entries if entry[2] not in self._held)

    def _agent_has_room(self, agent: Key, grants: Grants) -> bool:
        rules = self._rules.get(agent)
        taken = self._counts.of_agent[agent] + grants.of_agent[agent]
        return rules is not None and taken < rules.limit and self._is_let_start(agent)

    def _is_let_start(self, agent: Key) -> bool:
        rules = self._rules.get(agent)
        return rules is not None and not rules.suspended and agent not in self._paused


def _is_older(request: SlotRequest, known: SlotRequest) -> bool:
    """Whether the request is of an earlier state of the same Execution."""
    if request.uid != known.uid:
        return False
    return request.version < known.version or (known.admitted and not request.admitted)


def _gives_back(known: SlotRequest, request: SlotRequest) -> bool:
    """Whether another may start now that could not before."""
    held = known.state is SlotState.HOLDS and request.state is not SlotState.HOLDS
    queued = known.queues and not request.queues and request.state is SlotState.WANTS
    return held or queued or (known.is_stalled and not request.is_stalled)


def _count(counter: Counter[_Counted], key: _Counted, by: int) -> None:
    counter[key] += by
    if not counter[key]:
        del counter[key]


def limiter_of(context: Context) -> ConcurrencyLimiter:
    """The one limiter of all controllers."""
    settings = context.settings
    return context.shared(
        ConcurrencyLimiter,
        lambda: ConcurrencyLimiter(
            settings.max_concurrent_executions,
            settings.aging_seconds,
            settings.namespace_limit,
        ),
    )
