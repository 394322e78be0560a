"""Grouped sums over the ledger, one page at a time."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from heliostat_gateway.reports.calendars import split_days
from heliostat_gateway.reports.dimensions import (
    REQUESTS,
    REQUESTS_OF_PARTS,
    TOKENS,
    Dimension,
    missing_dimension,
    read_dimensions,
)
from heliostat_gateway.reports.questions import UsageQuestion
from heliostat_gateway.reports.reading import known_columns

Key = tuple[str, ...]
Value = str | int
_INPUT = "input + cache_read + cache_write_5m + cache_write_1h"


@dataclass(frozen=True)
class Slice:
    """Tokens of one model at one price: of one day in UTC, and requests of one range of sizes.

    `size` is the number of tier starts that their whole input lies above.
    """

    provider: str
    model: str
    day: str
    size: int
    tokens: Mapping[str, int]  # column to count
    cost_nanos: int = 0


@dataclass(frozen=True)
class Line:
    """Sums of one group. Open calls count with what they have used so far."""

    key: Key
    requests: int
    calls: int
    unsent: int  # requests that no provider was asked for
    open: int
    tokens: Mapping[str, int]  # column to count
    cost_nanos: int
    estimated_requests: int
    estimated_nanos: int
    outcomes: Mapping[str, int] = field(default_factory=dict)  # of calls that were not answered
    slices: tuple[Slice, ...] = ()  # of calls that read or wrote the prompt cache


@dataclass(frozen=True)
class Page:
    """Lines in the order of their keys; `more` when others follow. `total` is over all of them."""

    lines: tuple[Line, ...]
    total: Line
    more: bool


@dataclass(frozen=True)
class _Statement:
    """`FROM ... WHERE ...` of a question, with its parameters; `keys` are SQL expressions."""

    head: str
    source: str
    values: tuple[Value, ...]
    keys: tuple[str, ...]

    def rows(
        self,
        connection: sqlite3.Connection,
        columns: tuple[str, ...],
        where: str = "",
        more: tuple[Value, ...] = (),
        rest: str = "",
    ) -> list[tuple[Value, ...]]:
        """Rows of `SELECT columns`, with more conditions and what comes after them."""
        return connection.execute(
            f"{self.head} SELECT {', '.join(columns)} {self.source} {where} {rest}",
            self.values + more,
        ).fetchall()


def token_columns(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The kinds of tokens that this ledger knows, as columns."""
    known = known_columns(connection)
    return tuple(column for _, column in TOKENS if column in known)


def sum_usage(connection: sqlite3.Connection, question: UsageQuestion, tiers: list[int]) -> Page:
    """A page of sums. `tiers` are the tier starts that slices keep apart. Raises RefusalError."""
    columns = known_columns(connection)
    for each in needed_of(question):
        if each.column not in columns:
            raise missing_dimension(each)
    connection.execute("BEGIN")  # all statements see one state of the ledger
    statement = _statement(question)
    requests = REQUESTS_OF_PARTS if "part" in columns else REQUESTS
    lines = _lines(connection, question, statement, requests)
    page = lines[: question.limit]
    if page:
        page = _with_details(connection, statement, page, tiers)
    whole = _statement(replace(question, by=(), after=None))
    total = _with_details(connection, whole, _lines(connection, question, whole, requests), tiers)
    connection.execute("ROLLBACK")
    return Page(tuple(page), total[0], more=len(lines) > question.limit)


def needed_of(question: UsageQuestion) -> tuple[Dimension, ...]:
    """What the ledger must record to answer."""
    return (*question.by, *(read_dimensions("user") if question.users else ()))


def sum_slices(
    connection: sqlite3.Connection, question: UsageQuestion, tiers: list[int]
) -> Mapping[Key, list[Slice]]:
    """All that was booked, by group, kept apart by what a price may depend on."""
    return _slices(connection, _statement(question), ("", ()), tiers, "")


def models_between(
    connection: sqlite3.Connection, from_ms: int, to_ms: int
) -> list[tuple[str, str]]:
    """Provider and model of every call in a span."""
    found = connection.execute(
        "SELECT DISTINCT provider, model FROM requests WHERE started_ms >= ? AND started_ms < ?",
        (from_ms, to_ms),
    ).fetchall()
    return [(str(provider), str(model)) for provider, model in found]


def _statement(question: UsageQuestion) -> _Statement:
    span = "started_ms >= ? AND started_ms < ?"
    theirs = f"AND user IN ({_marks(question.users)})" if question.users else ""
    keys = tuple(each.value for each in question.by)
    if all(each.name != "day" for each in question.by):
        span_ms = (question.from_ms, question.to_ms)
        return _Statement(
            "", f"FROM requests WHERE {span} {theirs}", (*span_ms, *question.users), keys
        )
    # SQLite knows no time zones: the local days come as a table of their first instants.
    days = split_days(question.from_ms, question.to_ms, question.zone)
    values: list[Value] = []
    for each in days:
        values += [each.day.isoformat(), each.start_ms, each.end_ms]
    head = "WITH days(day, first, following) AS (VALUES " + ", ".join(["(?, ?, ?)"] * len(days))
    source = (
        "FROM days JOIN requests ON started_ms >= days.first AND started_ms < days.following "
        f"WHERE 1 {theirs}"
    )
    return _Statement(head + ")", source, (*values, *question.users), keys)


def _lines(
    connection: sqlite3.Connection, question: UsageQuestion, statement: _Statement, requests: str
) -> list[Line]:
    tokens = token_columns(connection)
    figures = (
        f"coalesce({requests}, 0)",
        "coalesce(sum(provider <> ''), 0)",
        "coalesce(sum(provider = ''), 0)",
        "coalesce(sum(open), 0)",
        "coalesce(sum(cost_nanos), 0)",
        "coalesce(sum(estimated), 0)",
        "coalesce(sum(cost_nanos * estimated), 0)",
        *(f"coalesce(sum({column}), 0)" for column in tokens),
    )
    keys = statement.keys
    after = question.after if keys else None
    where = f"AND ({', '.join(keys)}) > ({_marks(keys)})" if after else ""
    rest = f"GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)} LIMIT ?" if keys else "LIMIT ?"
    found = statement.rows(
        connection, (*keys, *figures), where, (*(after or ()), question.limit + 1), rest
    )
    width = len(keys)
    return [_line(row[:width], row[width:], tokens) for row in found]


def _line(key: tuple[Value, ...], figures: tuple[Value, ...], tokens: tuple[str, ...]) -> Line:
    requests, calls, unsent, still_open, cost, estimated, estimated_cost, *counts = map(
        int, figures
    )
    return Line(
        key=tuple(map(str, key)),
        requests=requests,
        calls=calls,
        unsent=unsent,
        open=still_open,
        tokens=dict(zip(tokens, counts, strict=True)),
        cost_nanos=cost,
        estimated_requests=estimated,
        estimated_nanos=estimated_cost,
    )


def _with_details(
    connection: sqlite3.Connection, statement: _Statement, lines: list[Line], tiers: list[int]
) -> list[Line]:
    """The lines of one page with outcomes and slices, in two more statements."""
    keys = statement.keys
    where = ""
    bounds: tuple[Value, ...] = ()
    if keys:
        tuple_ = f"({', '.join(keys)})"
        where = f"AND {tuple_} >= ({_marks(keys)}) AND {tuple_} <= ({_marks(keys)})"
        bounds = (*lines[0].key, *lines[-1].key)
    outcomes: dict[Key, dict[str, int]] = {}
    for *key, outcome, count in statement.rows(
        connection,
        (*keys, "outcome", "count(*)"),
        f"{where} AND provider <> '' AND outcome NOT IN ('answered', 'open')",
        bounds,
        f"GROUP BY {_join(keys, 'outcome')} ORDER BY outcome",
    ):
        outcomes.setdefault(tuple(map(str, key)), {})[str(outcome)] = int(count)
    slices = _slices(connection, statement, (where, bounds), tiers)
    return [
        replace(
            line,
            outcomes=outcomes.get(line.key, {}),
            slices=tuple(slices.get(line.key, ())),
        )
        for line in lines
    ]


def _slices(
    connection: sqlite3.Connection,
    statement: _Statement,
    within: tuple[str, tuple[Value, ...]],
    tiers: list[int],
    condition: str = "AND cache_read + cache_write_5m + cache_write_1h > 0",
) -> dict[Key, list[Slice]]:
    where, bounds = within
    tokens = token_columns(connection)
    parts = ("provider", "model", DAY_IN_UTC, size_class(tiers))
    sums = ("sum(cost_nanos)", *(f"sum({column})" for column in tokens))
    found: dict[Key, list[Slice]] = {}
    width = len(statement.keys)
    for row in statement.rows(
        connection,
        (*statement.keys, *parts, *sums),
        f"{where} {condition}",
        bounds,
        f"GROUP BY {_join(statement.keys, *parts)} ORDER BY provider, model",
    ):
        provider, model, day, size, cost, *counts = row[width:]
        found.setdefault(tuple(map(str, row[:width])), []).append(
            Slice(
                str(provider),
                str(model),
                str(day),
                int(size),
                dict(zip(tokens, map(int, counts), strict=True)),
                int(cost),
            )
        )
    return found


DAY_IN_UTC = "strftime('%Y-%m-%d', started_ms / 1000, 'unixepoch')"


def size_class(tiers: list[int]) -> str:
    """SQL of the number of tier starts below a request's whole input."""
    return " + ".join([f"({_INPUT} > {int(start)})" for start in tiers]) or "0 + 0"


def _marks(keys: tuple[str, ...]) -> str:
    return ", ".join("?" * len(keys))


def _join(keys: tuple[str, ...], *more: str) -> str:
    return ", ".join((*keys, *more))
