"""Agents that may not call models for now, or only slowly: asked before each call, from memory."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError
from heliostat_gateway.storage import Storage

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS restrictions (
  agent TEXT PRIMARY KEY, kind TEXT NOT NULL, reason TEXT NOT NULL, execution TEXT NOT NULL,
  since_ms INTEGER NOT NULL
) STRICT
"""


class Kind(StrEnum):
    """How an agent is restricted."""

    SLOW_DOWN = "slow_down"  # until its next ordinary run, or until it is resumed
    PAUSE = "pause"  # until it is resumed


@dataclass(frozen=True)
class Restriction:
    """Why an agent is held. `execution` is the run that was out of the ordinary."""

    agent: str
    kind: Kind
    reason: str
    execution: str
    since_ms: int


@dataclass(frozen=True)
class Allowed:
    """The agent may call."""


@dataclass(frozen=True)
class SlowDown:
    """The call waits so long before it goes to a provider."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Paused:
    """The call is refused. `reason` is why; `message` the words for the caller, with the remedy."""

    reason: str
    since_ms: int
    message: str


Verdict = Allowed | SlowDown | Paused
_ALLOWED: Final = Allowed()
# Where an admin resumes an agent, in the words that stand behind the path.
HERE: Final = ""
AT_WRITER: Final = " of the ledger's writer (the Service heliostat-gateway-writer)"


class AgentRestrictions(Protocol):
    """Says who may call models, from memory and at once."""

    resumes: str  # HERE or AT_WRITER

    async def start(self) -> None:
        """Begins to hear of changes, if others make them."""
        ...

    async def close(self) -> None:
        """Stops hearing."""
        ...

    def check(self, agent: str) -> Verdict:
        """Whether an agent, `namespace/name`, may call a model now. Never fails, never waits."""
        ...

    def restriction(self, agent: str) -> Restriction | None:
        """Why an agent is held, or None."""
        ...


class RestrictionPublisher(Protocol):
    """Publishes restrictions to other processes. Never raises: they read all of them again."""

    async def publish(self, restrictions: Sequence[Restriction]) -> None:
        """All restrictions that there are now."""
        ...


def judge(found: Restriction | None, slow_seconds: float, resumes: str) -> Verdict:
    """What a restriction means for a call."""
    if found is None:
        return _ALLOWED
    if found.kind is Kind.SLOW_DOWN:
        return SlowDown(slow_seconds, found.reason)
    return Paused(found.reason, found.since_ms, _paused_message(found, resumes))


def resuming(agent: str, resumes: str) -> str:
    """The request that lets an agent go on, in words."""
    return f"POST /admin/agents/{agent}/resume{resumes}"


class StoredRestrictions:
    """Restrictions by agent. Questions are answered from memory; changes are on the disk first."""

    resumes = HERE

    def __init__(
        self,
        storage: Storage,
        slow_seconds: float,
        clock: Callable[[], float] = time.time,
        publisher: RestrictionPublisher | None = None,
    ) -> None:
        self._storage = storage
        self._slow_seconds = slow_seconds
        self._clock = clock
        self._publisher = publisher
        storage.run_now(lambda connection: connection.execute(_SCHEMA))
        self._restrictions = {each.agent: each for each in storage.run_now(_read)}

    async def start(self) -> None:
        """Tells others, if there are any, how things are."""
        await self._publish()

    async def close(self) -> None:
        """Nothing is heard here."""

    def check(self, agent: str) -> Verdict:
        """What the agent may do now."""
        return judge(self._restrictions.get(agent), self._slow_seconds, self.resumes)

    def restriction(self, agent: str) -> Restriction | None:
        """Why an agent is held, or None."""
        return self._restrictions.get(agent)

    def all(self) -> list[Restriction]:
        """All that are held, the newest first."""
        return sorted(self._restrictions.values(), key=lambda each: (-each.since_ms, each.agent))

    async def restrict(self, agent: str, kind: Kind, reason: str, execution: str) -> None:
        """Holds an agent. A pause stays as it is. Raises StorageError."""
        known = self._restrictions.get(agent)
        if known is not None and known.kind is Kind.PAUSE:
            return
        made = Restriction(agent, kind, reason, execution, int(self._clock() * 1000))

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO restrictions VALUES (?, ?, ?, ?, ?)",
                (agent, kind.value, reason, execution, made.since_ms),
            )

        await self._storage.run(work)
        self._restrictions[agent] = made
        await self._publish()

    async def release(self, agent: str) -> bool:
        """Lets an agent go on. Returns whether it was held. Raises StorageError."""
        if agent not in self._restrictions:
            return False

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM restrictions WHERE agent = ?", (agent,))

        await self._storage.run(work)
        was_held = self._restrictions.pop(agent, None) is not None
        await self._publish()
        return was_held

    async def _publish(self) -> None:
        if self._publisher is not None:
            await self._publisher.publish(self.all())


async def enforce_restriction(agent_restrictions: AgentRestrictions, agent: str) -> None:
    """Waits as long as the agent must. Raises RefusalError (403) for a paused one."""
    verdict = refuse_paused(agent_restrictions, agent)
    if isinstance(verdict, SlowDown):
        await asyncio.sleep(verdict.seconds)


def refuse_paused(agent_restrictions: AgentRestrictions, agent: str) -> Verdict:
    """What holds an agent, if anything. Raises RefusalError (403) for a paused one."""
    verdict = agent_restrictions.check(agent)
    if isinstance(verdict, Paused):
        raise RefusalError(403, "permission_error", verdict.message, DO_NOT_RETRY)
    return verdict


def _paused_message(restriction: Restriction, resumes: str) -> str:
    """What the agent and its owner are told."""
    since = datetime.fromtimestamp(restriction.since_ms // 1000, UTC).isoformat(timespec="seconds")
    return (
        f"Agent {restriction.agent} is paused since {since}: {restriction.reason} Look at that "
        f"run; an admin lets the agent go on with {resuming(restriction.agent, resumes)}."
    )


def _read(connection: sqlite3.Connection) -> list[Restriction]:
    found = connection.execute(
        "SELECT agent, kind, reason, execution, since_ms FROM restrictions"
    ).fetchall()
    return [
        Restriction(agent, Kind(kind), reason, execution, since)
        for agent, kind, reason, execution, since in found
    ]
