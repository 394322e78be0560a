"""Records of the stream as rows, in one transaction with the place in the stream."""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from heliostat_gateway.money import rows
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.budgets import Budget
from heliostat_gateway.money.ledger import drop_budget, write_budget
from heliostat_gateway.redis_state.requests import BOOKINGS, HEADS, KINDS

_LOG = logging.getLogger(__name__)
_BUDGETS: Final = TypeAdapter(Budget)
START: Final = "0-0"


@dataclass(frozen=True)
class Entry:
    """One entry of the stream; its id is `milliseconds-number`."""

    id: str
    fields: Mapping[str, str]

    @property
    def place(self) -> tuple[int, int]:
        """Ids in their order."""
        return place_of(self.id)


def place_of(entry: str) -> tuple[int, int]:
    """An id of the stream as something that can be compared."""
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number)


def read_place(connection: sqlite3.Connection) -> str:
    """The last entry that is in the rows."""
    found = connection.execute("SELECT entry FROM drained").fetchone()
    return START if found is None else str(found[0])


def write_entries(connection: sqlite3.Connection, entries: Sequence[Entry]) -> int:
    """Writes what is new, in order. Returns how many requests became rows."""
    place = read_place(connection)
    written = 0
    for entry in entries:
        if entry.place <= place_of(place):
            continue  # came again: it was written, but not yet confirmed
        try:
            written += _write(connection, entry.fields)
        except (ValidationError, KeyError):
            _LOG.exception("record %s can't be read and is left out", entry.id)
        place = entry.id
    connection.execute(
        "INSERT INTO drained VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET entry = excluded.entry",
        (place,),
    )
    return written


def sum_values(connection: sqlite3.Connection, key: str) -> dict[str, str | int]:
    """Fields of `sum:...` as the rows have them."""
    used = rows.settled_sum(connection, key)
    return {"n": used.nanos, "k": used.tokens, "u": used.turns, "d": used.dearest}


def agent_values(connection: sqlite3.Connection, name: str) -> dict[str, str | int]:
    """Fields of `agent:...` as the rows have them."""
    nanos, requests = rows.sum_agent(connection, name)
    return {"n": nanos, "c": requests}


def run_values(connection: sqlite3.Connection, uid: str) -> dict[str, str | int]:
    """Fields of `run:...` as the rows have them."""
    total = rows.sum_execution(connection, uid)
    values: dict[str, str | int] = dict(
        zip(KINDS, _figures(total.cost_nanos, total.requests, total.usage), strict=True)
    )
    values["e"] = connection.execute(
        "SELECT count(DISTINCT id) FROM requests WHERE execution = ? AND estimated", (uid,)
    ).fetchone()[0]
    if total.provider is not None and total.model is not None:
        values |= {"p": total.provider, "m": total.model}
    for one in total.attempts:
        values |= {f"a{one.attempt}:n": one.cost_nanos, f"a{one.attempt}:c": one.requests}
    return values


def recent_executions(connection: sqlite3.Connection, since_ms: int) -> list[str]:
    """Executions with a request since an instant."""
    found = connection.execute(
        "SELECT DISTINCT execution FROM requests WHERE started_ms >= ? AND execution <> ''",
        (since_ms,),
    )
    return [uid for (uid,) in found]


def _figures(nanos: int, requests: int, usage: Usage) -> list[int]:
    kinds = [usage.input, usage.output, usage.cache_read, usage.cache_write_5m]
    kinds += [usage.cache_write_1h, usage.web_searches, usage.thinking]
    return [nanos, usage.total, 0, requests, *kinds, 0]


def _write(connection: sqlite3.Connection, fields: Mapping[str, str]) -> int:
    if "budget" in fields:
        name, definition = fields["budget"], fields["definition"]
        if definition:
            write_budget(connection, _BUDGETS.validate_json(definition))
        else:
            drop_budget(connection, name)
        return 0
    head, parts = HEADS.validate_json(fields["h"]), BOOKINGS.validate_json(fields["b"])
    return int(rows.write_settled(connection, head, parts, int(fields["e"])))
