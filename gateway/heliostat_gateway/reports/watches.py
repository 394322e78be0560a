"""The anomaly check at work: judges runs, keeps what it found, and acts as configured.

It looks at the ledger from outside of the requests' path. Whatever fails in it is logged and
counted; no request waits for it or is refused because of it.
"""

import asyncio
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from heliostat_core.money import format_micros, micros_from_nanos
from heliostat_gateway.limits.restrictions import Kind, StoredRestrictions
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.reports.anomalies import FEWEST_PEERS, Against, Anomaly, judge, median_of
from heliostat_gateway.reports.calendars import instant
from heliostat_gateway.reports.findings import Finding, Findings
from heliostat_gateway.reports.histories import Histories, Run, Tier, tier_of
from heliostat_gateway.reports.rates import RateSource
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.runs import Seen, read_changed, read_past
from heliostat_gateway.tasks import end_task

_LOG = logging.getLogger(__name__)
_HISTORY_MS: Final = 60 * 86_400_000
_QUIET_MS: Final = 3_600_000  # a run without a new call for so long has finished
_OVERLAP_MS: Final = 900_000  # a call that began so long ago may still have changed
_EXACT: Final = 2**53  # what a client of JSON holds without rounding
_MOST: Final = 10_000  # executions remembered between sweeps


class Action(StrEnum):
    """What happens to an agent whose run is out of the ordinary."""

    FLAG = "flag"
    SLOW_DOWN = "slow_down"
    PAUSE = "pause"


@dataclass(frozen=True)
class WatchRules:
    """Settings of the check."""

    action: Action
    floor_nanos: int
    sweep_seconds: float


class AnomalyWatch:
    """Compares runs with what is known, when they finish and, in sweeps, while they go on."""

    def __init__(
        self,
        reader: LedgerReader,
        findings: Findings,
        agent_restrictions: StoredRestrictions,
        rates: RateSource,
        rules: WatchRules,
        failed: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._findings = findings
        self._agent_restrictions = agent_restrictions
        self._rates = rates
        self._rules = rules
        self._failed = failed
        self.failures = 0
        self.histories = Histories()
        self._going: OrderedDict[str, int] = OrderedDict()  # execution to its last call
        self._over: OrderedDict[str, None] = OrderedDict()  # remembered in the histories
        self._ended: set[str] = set()
        self._wake = asyncio.Event()
        self._swept_ms: int | None = None  # None until the history was read
        self._task: asyncio.Task[None] | None = None

    @property
    def learned(self) -> bool:
        """Whether the history was read: before, nothing is judged."""
        return self._swept_ms is not None

    def start(self) -> None:
        """Begins to watch, in the running event loop."""
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Ends watching."""
        if self._task is not None:
            await end_task(self._task)

    def finished(self, execution: str) -> None:
        """An attempt of an execution has ended: it is judged soon. Never fails, never waits."""
        if len(self._ended) < _MOST:
            self._ended.add(execution)
        self._wake.set()

    async def sweep(self, now_ms: int) -> None:
        """Judges what has changed since the last sweep, and remembers what has finished."""
        learned = self._swept_ms
        if learned is None:
            learned = await self._learn(now_ms)
        quiet = {uid for uid, last in self._going.items() if last < now_ms - _QUIET_MS}
        over = self._ended | quiet
        since = learned - _OVERLAP_MS
        tiers: dict[tuple[str, str], Tier] = {}
        for seen in await self._reader.run(lambda db: read_changed(db, since, over)):
            await asyncio.sleep(0)  # requests go first
            run = self._run(seen, now_ms, tiers)
            await self._look_at(run, now_ms)
            if self._keep(seen, run, ended=seen.execution in over and not seen.open):
                await self._relax(run)
        self._ended -= over
        self._swept_ms = now_ms

    async def _learn(self, now_ms: int) -> int:
        """Reads what runs have cost before this process was started. Returns up to when."""
        until = now_ms - _QUIET_MS

        def read(connection: sqlite3.Connection) -> Histories:
            tiers: dict[tuple[str, str], Tier] = {}
            histories = Histories()
            for seen in read_past(connection, now_ms - _HISTORY_MS, until - _OVERLAP_MS):
                histories.add(self._run(seen, now_ms, tiers))
            return histories

        self.histories = await self._reader.run(read)
        return until

    async def _look_at(self, run: Run, now_ms: int) -> None:
        """Judges a run, at most once with a result."""
        if run.execution in self._findings:
            return

        def peers() -> list[int]:
            return self.histories.peers(run.agent, run.tier)

        history = self.histories.of(run.agent)
        found = judge(run.cost_nanos, history, peers, self._rules.floor_nanos)
        if found is None:
            return
        reason = words(run, found)
        _LOG.warning("agent %s: %s action: %s", run.agent, reason, self._rules.action.value)
        # Held first, told after: if this ends between the two, the next sweep does both again.
        if self._rules.action is not Action.FLAG:
            kind = Kind(self._rules.action.value)
            await self._agent_restrictions.restrict(run.agent, kind, reason, run.execution)
        await self._findings.add(_finding(run, found, peers(), now_ms, self._rules.action))

    async def _relax(self, run: Run) -> None:
        """An ordinary run ends a slow-down; a pause is ended by people only."""
        held = self._agent_restrictions.restriction(run.agent)
        if held is None or held.kind is Kind.PAUSE or run.execution in self._findings:
            return
        await self._agent_restrictions.release(run.agent)

    def _keep(self, seen: Seen, run: Run, *, ended: bool) -> bool:
        """Whether the run has ended and is remembered for the first time."""
        if seen.execution in self._over:
            return False  # a further attempt: the run is known with what it had cost before
        self._going[seen.execution] = seen.last_ms
        self._going.move_to_end(seen.execution)
        if not ended:
            _trim(self._going)
            return False
        del self._going[seen.execution]
        self._over[seen.execution] = None
        _trim(self._over)
        self.histories.add(run)
        return True

    def _run(self, seen: Seen, now_ms: int, tiers: dict[tuple[str, str], Tier]) -> Run:
        asked = (seen.provider, seen.model)
        if asked not in tiers:
            tiers[asked] = self._tier(*asked, instant(now_ms))
        return Run(seen.execution, seen.agent, tiers[asked], seen.cost_nanos)

    def _tier(self, provider: str, model: str, at: datetime) -> Tier:
        rates = self._rates(provider, model, at)
        return tier_of(None if rates is None else rates.table(Usage()).get("output"))

    async def _go_on(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.sweep(int(time.time() * 1000))
            except Exception:  # noqa: BLE001  the check fails open
                self.failures += 1
                self._failed()
                _LOG.exception("the anomaly check failed; requests go on without it")
            # Not wait_for: it swallows a cancellation that comes with the event (Python 3.11).
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rules.sweep_seconds):
                    await self._wake.wait()


def words(run: Run, found: Anomaly) -> str:
    """Why a run was flagged, in one sentence."""
    cost = format_micros(micros_from_nanos(run.cost_nanos))
    median = format_micros(micros_from_nanos(found.median_nanos))
    whose = (
        f"the agent's last {found.known} runs"
        if found.against is Against.HISTORY
        else f"{found.known} other agents"
    )
    if found.times is None:
        return f"execution {run.execution} cost {cost}; the median of {whose} is {median}."
    tenths = int(found.times * 10)
    return (
        f"execution {run.execution} cost {cost}, {tenths // 10}.{tenths % 10} times the median of "
        f"{whose} ({median})."
    )


def _finding(run: Run, found: Anomaly, peers: list[int], now_ms: int, action: Action) -> Finding:
    return Finding(
        execution=run.execution,
        agent=run.agent,
        seen_ms=now_ms,
        cost_nanos=run.cost_nanos,
        median_nanos=found.median_nanos,
        times_basis_points=None if found.times is None else min(int(found.times * 10_000), _EXACT),
        score_basis_points=min(int(found.score * 10_000), _EXACT),
        against=found.against,
        known=found.known,
        peers_median_nanos=int(median_of(peers)) if len(peers) >= FEWEST_PEERS else None,
        action=action.value,
    )


def _trim(remembered: "OrderedDict[str, int] | OrderedDict[str, None]") -> None:
    while len(remembered) > _MOST:
        remembered.popitem(last=False)
