"""The two sides of the proof as equal lines: rows of the ledger, entries of the bill."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .proof_script import DIALECTS
from .proof_stage import KEYS

_VARIABLES = {name: variable for variable, name, _ in KEYS}
_TOKENS = "input, output, cache_read, cache_write_5m, cache_write_1h, web_searches, thinking"
_COLUMNS = (
    "session, id, part, account, execution, provider, model, credential, open, reported, "
    f"estimated, outcome, budgets, started_ms, ended_ms, cost_nanos, {_TOKENS}"
)


@dataclass(frozen=True, order=True)
class Charge:
    """What one call to a provider costs, as both sides know it."""

    provider: str
    model: str
    credential: str
    estimated: bool
    tokens: tuple[int, ...]  # in the order of _TOKENS
    nanos: int


@dataclass(frozen=True)
class LedgerRow:
    """A row; `charge` is None for a request that cost nothing."""

    name: str  # of the request, in the test's words
    request: str
    part: int
    account: str
    execution: str
    open: bool
    reported: bool
    outcome: str
    budgets: str  # as JSON
    started_ms: int
    ended_ms: int
    charge: Charge

    @property
    def is_free(self) -> bool:
        """A row that only says that the request was there."""
        return not (self.charge.nanos or any(self.charge.tokens) or self.charge.estimated)


def read_rows(path: Path) -> list[LedgerRow]:
    """All rows of the writer's file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = connection.execute(f"SELECT {_COLUMNS} FROM requests ORDER BY id, part").fetchall()
    finally:
        connection.close()
    return [
        LedgerRow(
            name,
            request,
            part,
            account,
            execution,
            bool(is_open),
            bool(reported),
            outcome,
            budgets,
            started,
            ended or 0,
            Charge(provider, model, credential, bool(estimated), tuple(tokens), nanos),
        )
        for name, request, part, account, execution, provider, model, credential, is_open, reported,
        estimated, outcome, budgets, started, ended, nanos, *tokens in found
    ]  # fmt: skip


def read_charges(entries: Iterable[Mapping[str, object]]) -> dict[str, list[Charge]]:
    """The bill by name of the request."""
    found: dict[str, list[Charge]] = defaultdict(list)
    for entry in entries:
        names = (
            "input",
            "output",
            "cache_read",
            "cache_write5m",
            "cache_write1h",
            "web_searches",
            "thinking",
        )
        charge = Charge(
            provider=DIALECTS[str(entry["dialect"])],
            model=str(entry["model"]),
            credential=_VARIABLES[str(entry["key"])],
            estimated=bool(entry["estimated"]),
            tokens=tuple(int(str(entry[name])) for name in names),
            nanos=int(str(entry["cost_nanos"])),
        )
        if charge.nanos or any(charge.tokens):  # an answer that began with an error
            found[str(entry["execution"])].append(charge)
    return found


def by_request(rows: Iterable[LedgerRow]) -> dict[str, list[LedgerRow]]:
    """Rows by name of the request."""
    found: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        found[row.name].append(row)
    return found


def unequal(rows: Iterable[LedgerRow], bill: Iterable[Charge]) -> str:
    """How rows and bill of one request differ; empty when they are equal."""
    ours, theirs = Counter(row.charge for row in rows if not row.is_free), Counter(bill)
    if ours == theirs:
        return ""
    return f"only in the ledger {list(ours - theirs)}, only on the bill {list(theirs - ours)}"


def out_of_bounds(rows: Iterable[LedgerRow], bill: Iterable[Charge]) -> str:
    """What must hold for a request that nobody saw to its end; empty when it does.

    What its provider went on to send is on the bill and in no ledger, so the ledger is never above
    the bill. One thing is unknowable the other way: a call of which the gateway had heard nothing
    may never have reached the provider, or have been refused. Such a row holds counted tokens.
    """
    charges = list(bill)
    booked = [row for row in rows if not row.is_free]
    exact = Counter(row.charge for row in booked if not row.charge.estimated)
    if exact - Counter(charges):
        return f"exact in the ledger and not on the bill: {list(exact - Counter(charges))}"
    unheard = sum(row.charge.nanos for row in booked if not row.reported)
    ours, theirs = sum(r.charge.nanos for r in booked), sum(c.nanos for c in charges)
    if ours - unheard > theirs:
        return f"the ledger has {ours} ({unheard} of it unheard), the bill {theirs}"
    return ""
