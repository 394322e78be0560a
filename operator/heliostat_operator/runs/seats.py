"""Who may start next: the limits of each Agent and of the operator, shared by priority with aging.

The board holds what every unfinished Execution claims, in memory, fed by the watch and by our own
writes. One leader at a time decides by it, and an admission is a status write with the resource
version that was read, so that a stale board can't start a run twice.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_operator.runs.admission import Seats

Key = tuple[str, str]


@dataclass(frozen=True)
class Claim:
    """One unfinished Execution on the board."""

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
    """Keys on the board at one time."""

    executions: frozenset[Key]
    agents: frozenset[Key]


class Board:
    """Claims and rules; answers how the limits stand for one Execution."""

    def __init__(self, total_limit: int, aging_seconds: float) -> None:
        self._total_limit = total_limit
        self._aging_seconds = aging_seconds
        self._claims: dict[Key, Claim] = {}
        self._claimed: Counter[Key] = Counter()  # claims by Agent
        self._rules: dict[Key, Rules] = {}
        self._paused: set[Key] = set()
        self._barred: set[Key] = set()  # waiting runs that their schedule holds back
        self._held: set[Key] = set()
        self._order: list[Claim] = []
        self._granted: frozenset[Key] = frozenset()
        self._taken: Counter[Key] = Counter()
        self._fresh_until: datetime | None = None

    def see_execution(self, execution: Execution) -> None:
        """Note an Execution as it is now; a finished one gives its seat back.

        An admission is never taken back: the watch may still bring what was before our own write.
        """
        claim = claim_of(execution)
        known = self._claims.get(claim.key)
        if known is not None and known.uid == claim.uid and known.admitted:
            claim = replace(claim, admitted=True)
        if execution.is_finished:
            self.forget_execution(claim.key)
        elif known != claim:
            self._drop(claim.key)
            self._claims[claim.key] = claim
            self._claimed[claim.agent] += 1
            self._fresh_until = None

    def forget_execution(self, key: Key) -> None:
        self._held.discard(key)
        self._barred.discard(key)
        self._drop(key)

    def _drop(self, key: Key) -> None:
        known = self._claims.pop(key, None)
        if known is None:
            return
        self._fresh_until = None
        self._claimed[known.agent] -= 1
        if not self._claimed[known.agent]:
            del self._claimed[known.agent]

    def see_agent(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        rules = Rules(agent.spec.max_concurrent_executions, agent.spec.priority, agent.spec.suspend)
        if self._rules.get(key) != rules:
            self._rules[key] = rules
            self._fresh_until = None

    def see_pause(self, agent: Key, *, paused: bool) -> None:
        """Note whether the gateway has paused an Agent: what it waits for takes nobody's seat."""
        if paused == (agent in self._paused):
            return
        (self._paused.add if paused else self._paused.discard)(agent)
        self._fresh_until = None

    def bar(self, key: Key, *, barred: bool) -> None:
        """Note whether a waiting run is held back by its schedule: it takes nobody's seat."""
        if barred == (key in self._barred):
            return
        (self._barred.add if barred else self._barred.discard)(key)
        self._fresh_until = None

    def forget_agent(self, key: Key) -> None:
        self._paused.discard(key)
        if self._rules.pop(key, None):
            self._fresh_until = None

    def seats(self, execution: Execution, now: datetime) -> Seats:
        """How the limits stand for this Execution, which need not be on the board yet.

        A granted seat is held, whoever else comes meanwhile, until `let_go` or its admission.
        """
        self.see_execution(execution)
        claim = claim_of(execution)
        rules = self._rules.get(claim.agent)
        if rules and (claim.admitted or self._has_room_for_all(claim, rules)):
            # Nobody has to stand back: the order need not be made, which costs time for each claim.
            self._held.add(claim.key)
            running = self._claimed[claim.agent]
            return Seats(True, running, rules.limit, len(self._claims), self._total_limit, 0)
        self._refresh(now)
        granted = claim.key in self._granted
        if granted:
            self._held.add(claim.key)
        return Seats(
            granted=granted,
            agent_running=self._taken[claim.agent],
            agent_limit=rules.limit if rules else 0,
            total_running=self._taken.total(),
            total_limit=self._total_limit,
            ahead=next((i for i, each in enumerate(self._order) if each.key == claim.key), 0),
        )

    def _has_room_for_all(self, claim: Claim, rules: Rules) -> bool:
        return (
            len(self._claims) <= self._total_limit
            and self._claimed[claim.agent] <= rules.limit
            and not (rules.suspended or claim.stopping or claim.agent in self._paused)
            and claim.key not in self._barred
        )

    def let_go(self, key: Key) -> None:
        """A look at the Execution has ended; a seat that it did not take is free again."""
        if key in self._held:
            self._held.discard(key)
            self._fresh_until = None

    def granted(self, now: datetime) -> frozenset[Key]:
        """Waiting Executions that have a free seat now."""
        self._refresh(now)
        return self._granted

    def active(self, agent: Key) -> int:
        """Admitted Executions of an Agent."""
        return sum(each.admitted and each.agent == agent for each in self._claims.values())

    def waiting_for(self, agent: Key) -> list[Key]:
        """Executions of an Agent that are not admitted."""
        return [
            key for key, each in self._claims.items() if each.agent == agent and not each.admitted
        ]

    def __contains__(self, key: Key) -> bool:
        """Whether an unfinished Execution of that key is known."""
        return key in self._claims

    def known(self) -> Known:
        """What is on the board now; see keep_only."""
        return Known(frozenset(self._claims), frozenset(self._rules))

    def keep_only(self, before: Known, executions: Iterable[Key], agents: Iterable[Key]) -> None:
        """Drop what a full list no longer shows: a watch can miss a deletion.

        Only what was known before the list was read: it does not show what came meanwhile.
        """
        for gone in before.executions - set(executions):
            self.forget_execution(gone)
        for gone in before.agents - set(agents):
            self.forget_agent(gone)

    def _refresh(self, now: datetime) -> None:
        if self._fresh_until is not None and now < self._fresh_until:
            return
        claims = self._claims.values()
        self._taken = Counter(each.agent for each in claims if each.admitted)
        self._order = sorted(
            (each for each in claims if not each.admitted and not each.stopping),
            key=lambda each: (
                each.key not in self._held,
                -self._rank(each, now),
                each.created,
                each.uid,
            ),
        )
        self._granted = self._grant()
        self._fresh_until = _later(now, self._aging_seconds / 10)

    def _rank(self, claim: Claim, now: datetime) -> int:
        rules = self._rules.get(claim.agent)
        priority = claim.priority if claim.priority is not None else rules.priority if rules else 0
        waited = max(0.0, (now - claim.created).total_seconds())
        return priority + int(waited // self._aging_seconds)

    def _grant(self) -> frozenset[Key]:
        """Seats for those in front, counted as taken from now on."""
        taken = self._taken
        free = self._total_limit - taken.total()
        granted: set[Key] = set()
        for claim in self._order:
            if free <= 0:
                break
            rules = self._rules.get(claim.agent)
            if rules is None or rules.suspended or claim.agent in self._paused:
                continue
            if claim.key in self._barred:
                continue
            if taken[claim.agent] >= rules.limit:
                continue
            taken[claim.agent] += 1
            free -= 1
            granted.add(claim.key)
        return frozenset(granted)


def claim_of(execution: Execution) -> Claim:
    meta = execution.metadata
    if meta.creation_timestamp is None:
        raise ValueError(f"Execution {meta.name!r} was not read from a world")
    return Claim(
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
