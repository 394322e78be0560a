"""Runs in the ledger: what each execution of an agent has cost."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

RUNS_READ: Final = 100_000
RUNS_CHANGED: Final = 20_000
_SUMS: Final = (
    "execution, max(agent), sum(cost_nanos), max(started_ms), max(open), "
    "(SELECT provider FROM requests AS last WHERE last.execution = requests.execution "
    "ORDER BY started_ms DESC, id DESC LIMIT 1), "
    "(SELECT model FROM requests AS last WHERE last.execution = requests.execution "
    "ORDER BY started_ms DESC, id DESC LIMIT 1)"
)


@dataclass(frozen=True)
class Seen:
    """An execution as the ledger has it now; provider and model are those of its last call."""

    execution: str
    agent: str
    cost_nanos: int
    last_ms: int
    open: bool
    provider: str
    model: str


def read_changed(connection: sqlite3.Connection, since_ms: int, named: Iterable[str]) -> list[Seen]:
    """Executions of agents with a call that started since, and those that are named."""
    found = connection.execute(
        f"SELECT {_SUMS} FROM requests WHERE execution IN ("
        "SELECT DISTINCT execution FROM requests WHERE started_ms >= ? "
        "UNION SELECT value FROM json_each(?)) "
        "AND agent <> '' AND execution <> '' GROUP BY execution LIMIT ?",
        (since_ms, json.dumps(sorted(named)), RUNS_CHANGED),
    )
    return [_seen(*row) for row in found]


def read_past(connection: sqlite3.Connection, from_ms: int, until_ms: int) -> list[Seen]:
    """The last executions of agents whose calls all started in the span, oldest first."""
    found = connection.execute(
        f"SELECT {_SUMS} FROM requests WHERE started_ms >= ? AND agent <> '' AND execution <> '' "
        "GROUP BY execution HAVING max(started_ms) < ? ORDER BY max(started_ms) DESC LIMIT ?",
        (from_ms, until_ms, RUNS_READ),
    )
    return [_seen(*row) for row in found][::-1]


def _seen(
    execution: str, agent: str, cost: int, last_ms: int, still_open: int, provider: str, model: str
) -> Seen:
    return Seen(execution, agent, cost, last_ms, bool(still_open), provider, model)
