"""Both ledgers against a model: any order of open, note, settle, repeat, expiry and death."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from heliostat_gateway.access.callers import Caller, Caps
from heliostat_gateway.money.bookings import (
    AttemptTotal,
    Booking,
    Bound,
    CapReachedError,
    Opening,
    Reserved,
    Usage,
)
from heliostat_gateway.money.budgets import Budget
from heliostat_gateway.money.ledger import Ledger, SqliteLedger
from heliostat_gateway.redis_state import connection, filling
from heliostat_gateway.redis_state.ledger import SharedLedger
from heliostat_gateway.storage import Storage
from support.ledgers import booking, opening, run, service
from support.redis_server import RedisServer
from support.shared_ledgers import SharedWorld, shared_world


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Sums are compared here, not deadlines: on a busy machine a second is nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_ANSWER_SECONDS", 30.0)
        patch.setattr(filling, "_ANSWER_SECONDS", 10.0)
        yield


TEAM = Budget("team", cap_nanos=3000)
CALLERS: dict[str, Caller] = {
    "plain": run("plain", Caps(cost_nanos=1500, turns=9)),
    "again": run("plain", Caps(cost_nanos=1500, turns=9), attempt=2),
    "strict": run("strict", Caps(cost_nanos=1200, tokens=900, strict=True)),
    "one": service("one", Caps(tokens=400), budgets=("team",)),
    "two": run("two", Caps(), budgets=("team",)),
}


@dataclass(frozen=True)
class Open:
    caller: str
    cost: int
    size: int
    output: int
    max_tokens: int


@dataclass(frozen=True)
class Note:
    target: int
    cost: int
    reported: bool
    part: int


@dataclass(frozen=True)
class Settle:
    target: int
    share: int
    estimated: bool
    parts: int


@dataclass(frozen=True)
class Die:
    pass


STEPS = st.lists(
    st.one_of(
        st.builds(
            Open,
            st.sampled_from(sorted(CALLERS)),
            st.integers(0, 400),
            st.integers(0, 100),
            st.integers(0, 60),
            st.integers(0, 200),
        ),
        st.builds(Note, st.integers(0, 9), st.integers(0, 500), st.booleans(), st.integers(1, 2)),
        st.builds(Settle, st.integers(0, 9), st.integers(0, 100), st.booleans(), st.integers(1, 2)),
        st.builds(Die),
    ),
    max_size=30,
)


class Subject(Protocol):
    """A ledger that can die, and start again."""

    ledger: Ledger

    async def die(self) -> None: ...


class Embedded:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage = Storage(folder)
        self.ledger: Ledger = SqliteLedger(self._storage)

    async def die(self) -> None:
        self._storage.close()
        self._storage = Storage(self._folder)
        ledger = SqliteLedger(self._storage)
        ledger.recover(9)
        self.ledger = ledger

    def close(self) -> None:
        self._storage.close()


class Shared:
    def __init__(self, world: SharedWorld, ledger: SharedLedger) -> None:
        self._world = world
        self._shared = ledger
        self.ledger: Ledger = ledger

    async def die(self) -> None:
        await self._world.bury(self._shared)
        self.ledger = self._shared = await self._world.gateway(uuid4().hex)


@dataclass
class Row:
    opening: Opening
    parts: dict[int, Booking]
    held: int
    held_tokens: int
    open: bool = True

    @property
    def nanos(self) -> int:
        return sum(part.cost_nanos for part in self.parts.values())

    @property
    def tokens(self) -> int:
        return sum(part.usage.total for part in self.parts.values())


@dataclass
class Model:
    """The rules in the plainest way: a list of all requests, and sums over it."""

    rows: list[Row] = field(default_factory=list)

    def sums(self, caller: Caller, budget: str) -> tuple[int, int, int, int]:
        nanos = tokens = turns = dearest = 0
        for row in self.rows:
            who = row.opening.caller
            if not (budget in who.budgets if budget else who.account == caller.account):
                continue
            nanos += row.held if row.open else row.nanos
            tokens += row.held_tokens if row.open else row.tokens
            turns += 1 if row.open or row.nanos or row.tokens else 0
            dearest = max(dearest, 0 if row.open else row.nanos)
        return nanos, tokens, turns, dearest

    def reserve(self, wanted: Opening) -> Reserved | tuple[str, int, int]:
        caller = wanted.caller
        limits: list[tuple[str, int | None, int]] = []
        nanos, tokens, turns, dearest = self.sums(caller, "")
        caps = caller.caps
        limits += [
            ("cost", caps.cost_nanos, nanos),
            ("tokens", caps.tokens, tokens),
            ("turns", caps.turns, turns),
        ]
        limits += [("cost", TEAM.cap_nanos, self.sums(caller, name)[0]) for name in caller.budgets]
        known = [(what, cap, used) for what, cap, used in limits if cap is not None]
        for what, cap, used in known:
            if used >= cap:
                return what, cap, used
        bound = wanted.estimate.bound
        if not caps.strict or bound is None:
            cost = wanted.estimate.cost_nanos
            return Reserved(min(cost, dearest) if dearest else cost, wanted.estimate.usage.total)
        for allowed in range(bound.max_tokens, -1, -1):
            cost = bound.input_nanos + -(-allowed * bound.output_rate // 1000)
            size = bound.input_tokens + allowed
            fits = all(
                used + (cost if what == "cost" else size) <= cap for what, cap, used in known
            )
            if fits and (allowed or not bound.max_tokens):
                return Reserved(cost, size, allowed)
        return next((what, cap, used) for what, cap, used in known)

    def note(self, row: Row, part: Booking) -> None:
        row.parts[part.part] = part
        strict = row.opening.caller.caps.strict
        last = row.parts[max(row.parts)]
        estimate = row.opening.estimate
        if last.reported and not strict:
            row.held = min(row.held, row.nanos + estimate.output_nanos)
            row.held_tokens = min(row.held_tokens, row.tokens + estimate.usage.output)
        row.held, row.held_tokens = max(row.held, row.nanos), max(row.held_tokens, row.tokens)


def wanted(name: str, step: Open) -> Opening:
    made = opening(name, CALLERS[step.caller], step.cost, step.size)
    bound = Bound(step.size, step.cost, step.max_tokens, 2500)
    whole = Usage(input=step.size, output=step.output)
    estimate = replace(
        made.estimate,
        usage=whole,
        cost_nanos=step.cost + 3 * step.output,
        output_nanos=3 * step.output,
        bound=bound,
    )
    return replace(made, estimate=estimate, started_ms=int(time.time() * 1000))


async def play(subject: Subject, steps: Sequence[Open | Note | Settle | Die], prefix: str) -> Model:
    model = Model()
    for number, step in enumerate(steps):
        live = [row for row in model.rows if row.open]
        match step:
            case Open():
                await _open(subject, model, wanted(f"{prefix}-{number}", step))
            case Note() if live:
                row = live[step.target % len(live)]
                name = row.opening.id
                parts = {min(step.part, len(row.parts) + 1): step.cost}
                for part, cost in parts.items():
                    noted = booking(
                        name,
                        cost,
                        reported=step.reported,
                        estimated=True,
                        part=part,
                        outcome="open",
                    )
                    await subject.ledger.note([noted])
                    model.note(row, noted)
            case Settle() if live:
                row = live[step.target % len(live)]
                await _settle(subject, row, step)
            case Die():
                await subject.die()
                for row in live:
                    row.open = False
                    row.parts = {
                        part: replace(found, estimated=True) for part, found in row.parts.items()
                    }
            case _:
                pass
    return model


async def _try(ledger: Ledger, want: Opening) -> Reserved | CapReachedError:
    try:
        return await ledger.open(want)
    except CapReachedError as reached:
        return reached


async def _open(subject: Subject, model: Model, want: Opening) -> None:
    expected = model.reserve(want)
    found = await _try(subject.ledger, want)
    if isinstance(found, CapReachedError):
        assert not isinstance(expected, Reserved)
        assert found.spent + found.needed >= found.cap
        return
    assert found == expected
    first = booking(want.id, want.cost_nanos, estimated=True, usage=want.usage, reported=False)
    model.rows.append(Row(want, {1: first}, found.nanos, found.tokens))


async def _settle(subject: Subject, row: Row, step: Settle) -> None:
    used = row.held * step.share // 100
    parts = step.parts  # fewer than were noted: those proved free
    tokens = row.held_tokens * step.share // 100 // parts
    last = [
        booking(
            row.opening.id,
            used // parts,
            part=part,
            estimated=step.estimated,
            usage=Usage(input=tokens),
        )
        for part in range(1, parts + 1)
    ]
    await subject.ledger.settle(last, 9)
    await subject.ledger.settle([replace(part, cost_nanos=7777) for part in last], 9)
    await subject.ledger.note([replace(last[0], cost_nanos=7777)])
    row.parts, row.open = {part.part: part for part in last}, False


async def compare(ledger: Ledger, model: Model) -> None:
    for uid in ("plain", "strict", "two"):
        rows = [row for row in model.rows if row.opening.caller.execution == uid]
        total = await ledger.execution(uid)
        assert total.cost_nanos == sum(row.nanos for row in rows)
        assert total.usage.total == sum(row.tokens for row in rows)
        assert total.requests == len(rows)
        assert total.settled == (not any(row.open for row in rows))
        assert total.estimated == any(
            part.estimated for row in rows if not row.open for part in row.parts.values()
        )
        attempts = sorted({row.opening.caller.attempt for row in rows})
        assert total.attempts == tuple(
            AttemptTotal(
                attempt,
                sum(row.nanos for row in rows if row.opening.caller.attempt == attempt),
                sum(row.opening.caller.attempt == attempt for row in rows),
            )
            for attempt in attempts
        )
    settled = [row for row in model.rows if not row.open]
    assert await ledger.agent("default/a") == (sum(row.nanos for row in settled), len(settled))
    spent = [total.spent_nanos for total in await ledger.budgets(5)]
    assert spent == [model.sums(CALLERS["one"], "team")[0]]


@settings(deadline=None, max_examples=60)
@given(STEPS)
@example([Open("two", 100, 10, 5, 10), Note(0, 120, True, 2)])  # the second part is told first
def test_the_embedded_ledger_follows_the_model(steps: list[Open | Note | Settle | Die]) -> None:
    async def main() -> None:
        with TemporaryDirectory() as folder:
            subject = Embedded(Path(folder))
            await subject.ledger.put_budget(TEAM)
            model = await play(subject, steps, "r")
            await compare(subject.ledger, model)
            subject.close()

    asyncio.run(main())


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
@example([Open("two", 100, 10, 5, 10), Note(0, 120, True, 2)])  # the second part is told first
@example([Open("again", 1, 1, 0, 0), Note(0, 0, False, 2)])  # a second part, the first not noted
def test_the_shared_ledger_follows_the_model(
    redis_server: RedisServer, steps: list[Open | Note | Settle | Die]
) -> None:
    """Sums in Redis at once, and the writer's rows once they are drained."""

    async def main() -> None:
        async with Redis.from_url(redis_server.url) as redis:
            await redis.flushall()
        with TemporaryDirectory() as folder:
            async with shared_world(redis_server.url, Path(folder)) as world:
                subject = Shared(world, await world.gateway())
                await subject.ledger.put_budget(TEAM)
                model = await play(subject, steps, "r")
                await compare(subject.ledger, model)
                await subject.die()
                for row in model.rows:
                    row.open = False
                    row.parts = {
                        part: replace(found, estimated=found.estimated or found.outcome == "open")
                        for part, found in row.parts.items()
                    }
                await compare(subject.ledger, model)
                await compare(await world.rows(), model)
                assert await world.open_requests() == 0

    # Not while the writer of the example before still runs: it would fill Redis from its rows.
    redis_server.forget_all()
    asyncio.run(main())
