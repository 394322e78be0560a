"""Grouped sums: always equal to the total, in a stable order, and to the nano-dollar."""

import asyncio
import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.costs import cost_nanos
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.prices import FlatRates, Rates, find_rates
from heliostat_gateway.reports.calendars import epoch_ms
from heliostat_gateway.reports.dimensions import DIMENSIONS, read_dimensions
from heliostat_gateway.reports.documents import UsageReport, usage_csv, usage_report, write_csv
from heliostat_gateway.reports.questions import UsageParameters, UsageQuestion, read_usage_question
from heliostat_gateway.reports.rates import RateBook, RateSource, tier_starts
from heliostat_gateway.reports.reading import LedgerReader, LedgerUnreadableError
from heliostat_gateway.reports.runs import read_changed
from heliostat_gateway.reports.sums import sum_usage
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DAY = 86_400_000
START = epoch_ms(datetime(2026, 10, 24, tzinfo=UTC))  # a day before clocks change in Berlin
RATES = FlatRates(
    {
        "input": Decimal(4),
        "output": Decimal(20),
        "cache_read": Decimal("0.2"),
        "cache_write_5m": Decimal(5),
        "cache_write_1h": Decimal(8),
    }
)


def flat(provider: str, model: str, at: datetime) -> Rates | None:  # noqa: ARG001
    return RATES if provider == "anthropic" else None


def real(provider: str, model: str, at: datetime) -> Rates | None:
    return find_rates(model, provider, at)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


def ask(storage: Storage, question: UsageQuestion, source: RateSource = flat) -> UsageReport:
    models = [("anthropic", "claude-opus-5-5"), ("anthropic", "claude-haiku-5-5")]
    tiers = tier_starts(source, models, NOW)
    reader = LedgerReader(storage.path)
    page = reader.run_now(lambda db: sum_usage(db, question, tiers))
    return usage_report(question, page, RateBook(source, tiers))


def question(by: str, zone: str = "UTC", limit: int = 1000) -> UsageQuestion:
    return UsageQuestion(START, START + 5 * DAY, ZoneInfo(zone), read_dimensions(by), limit)


USAGES = st.builds(Usage, *[st.integers(0, 300_000)] * 5, web_searches=st.integers(0, 3))
ROWS = st.builds(
    Row,
    started_ms=st.integers(START - DAY, START + 6 * DAY),
    agent=st.sampled_from(["", "a/x", "a/y", "=cmd()", "b/z"]),
    execution=st.sampled_from(["", "e1", "e2", "e3"]),
    provider=st.sampled_from(["anthropic", "scripted", ""]),
    model=st.sampled_from(["claude-opus-5-5", "claude-haiku-5-5"]),
    cost=st.integers(0, 10**12),
    usage=USAGES,
    outcome=st.sampled_from(["answered", "provider_cut", "client_gone"]),
    estimated=st.booleans(),
    is_open=st.booleans(),
)
GROUPS = st.lists(
    st.sampled_from(["day", "hour", "agent", "model", "execution", "provider"]), unique=True
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"])


@settings(max_examples=25, deadline=None)
@given(st.lists(ROWS, max_size=25), GROUPS, ZONES, st.integers(1, 7))
def test_grouped_sums_of_all_pages_are_the_total(
    rows: list[Row], by: list[str], zone: str, limit: int
) -> None:
    with TemporaryDirectory() as folder:
        storage = Storage(Path(folder))
        asyncio.run(book(SqliteLedger(storage), rows))
        report = ask(storage, question(",".join(by), zone, limit))
        lines = report.lines
        while report.next is not None:
            given = UsageParameters(cursor=report.next, limit=str(limit))
            report = ask(storage, read_usage_question(given, NOW))
            lines = [*lines, *report.lines]
        storage.close()
    inside = [row for row in rows if START <= row.started_ms < START + 5 * DAY]
    total = report.total
    assert (total.requests, total.cost_nanos) == (len(inside), sum(row.cost for row in inside))
    for name in (
        "requests",
        "calls",
        "unsent_requests",
        "open_calls",
        "cost_nanos",
        "estimated_requests",
        "estimated_nanos",
    ):
        assert sum(getattr(line, name) for line in lines) == getattr(total, name)
    for kind in total.tokens:
        assert sum(line.tokens[kind] for line in lines) == total.tokens[kind]
    assert sum(line.cache_saved_nanos for line in lines) == total.cache_saved_nanos
    assert sum(line.cache_unpriced_tokens for line in lines) == total.cache_unpriced_tokens
    for outcome in total.errors:
        assert sum(line.errors.get(outcome, 0) for line in lines) == total.errors[outcome]
    keys = [tuple(line.key.values()) for line in lines]
    assert keys == sorted(set(keys))


async def test_the_figures_of_a_line(storage: Storage) -> None:
    cached = Usage(input=100, output=20, cache_read=1000, cache_write_5m=200, cache_write_1h=50)
    rows = [
        Row(START, cost=3000, usage=cached),
        Row(START + 1, cost=1000, usage=Usage(output=5), outcome="provider_cut", estimated=True),
        Row(START + 2, cost=500, usage=Usage(input=7), is_open=True),
        Row(START + 3, cost=0, usage=cached, provider="elsewhere"),
    ]
    await book(SqliteLedger(storage), rows)
    (line,) = ask(storage, question("agent")).lines
    assert line.model_dump(by_alias=True) == {
        "key": {"agent": "default/sales"},
        "requests": 4,
        "calls": 4,
        "unsentRequests": 0,
        "openCalls": 1,
        "tokens": {
            "input": 207,
            "output": 45,
            "cacheRead": 2000,
            "cacheWrite5m": 400,
            "cacheWrite1h": 100,
            "webSearches": 0,
            "thinking": 0,
        },
        "costNanos": 4500,
        "costMicros": 4,
        "estimatedRequests": 2,
        "estimatedNanos": 1500,
        "estimatedBasisPoints": 3333,
        "cacheHitBasisPoints": 2000 * 10_000 // 2707,
        # 1250 tokens at 4 instead of 1000 at 0.2, 200 at 5 and 50 at 8 dollars a million
        "cacheSavedNanos": (1250 * 4 - 200 - 200 * 5 - 50 * 8) * 1000,
        "cacheUnpricedTokens": 1250,
        "errors": {"provider_cut": 1},
    }


async def test_days_are_those_of_the_time_zone(storage: Storage) -> None:
    late = epoch_ms(datetime(2026, 10, 25, 22, 30, tzinfo=UTC))  # 23:30 in Berlin, winter time
    await book(
        SqliteLedger(storage), [Row(late - 25 * 3_600_000), Row(late), Row(late + 1_800_000)]
    )

    def days(zone: str) -> dict[str, int]:
        lines = ask(storage, question("day", zone)).lines
        return {line.key["day"]: line.requests for line in lines}

    # The 25th has 25 hours there.
    assert days("Europe/Berlin") == {"2026-10-24": 1, "2026-10-25": 1, "2026-10-26": 1}
    assert days("UTC") == {"2026-10-24": 1, "2026-10-25": 2}


async def test_savings_follow_the_tier_of_each_request(storage: Storage) -> None:
    """Above 100,000 tokens of input, Haiku costs five times as much."""
    usages = [Usage(input=1, cache_read=99_999), Usage(input=2, cache_read=99_999)]
    rates = find_rates("claude-haiku-5-5", "anthropic", NOW)
    assert rates is not None
    rows = [Row(START, model="claude-haiku-5-5", usage=usage) for usage in usages]
    await book(SqliteLedger(storage), rows)
    saved = sum(
        cost_nanos(rates, Usage(input=usage.total_input)) - cost_nanos(rates, usage)
        for usage in usages
    )
    assert ask(storage, question("model"), real).total.cache_saved_nanos == saved


FIRST = (
    "CREATE TABLE requests (id TEXT PRIMARY KEY, execution TEXT, agent TEXT, provider TEXT, "
    "model TEXT, started_ms INTEGER, open INTEGER, estimated INTEGER, outcome TEXT, "
    "input INTEGER, output INTEGER, cache_read INTEGER, cache_write_5m INTEGER, "
    "cache_write_1h INTEGER, web_searches INTEGER, cost_nanos INTEGER);"
)
ROW = f"'e', 'a', 'anthropic', 'm', {START}, 0, 0, 'answered', 1, 2, 3, 4, 5, 0, 100"
LATER = FIRST.replace("id TEXT PRIMARY KEY", "id TEXT, part INTEGER").replace(
    ");",
    ", user TEXT, [key] TEXT, credential TEXT, thinking INTEGER, PRIMARY KEY (id, part)) "
    "WITHOUT ROWID;",
)
PARTS = ("'x', 1", "'ann', 'k', 'c', 3"), ("'x', 2", "'', 'k', 'd', 4")


def ask_file(path: Path, script: str, by: str) -> UsageReport:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(script)
    asked = question(by)
    page = LedgerReader(path).run_now(lambda db: sum_usage(db, asked, []))
    return usage_report(asked, page, RateBook(flat, []))


def test_a_group_that_this_ledger_lacks_is_refused(tmp_path: Path) -> None:
    script = f"{FIRST} INSERT INTO requests VALUES ('x', {ROW});"
    assert ask_file(tmp_path / "ledger.sqlite", script, "agent").total.requests == 1
    with pytest.raises(RefusalError, match="user") as caught:
        ask_file(tmp_path / "ledger.sqlite", "", "user")
    assert "this ledger records no user" in caught.value.message


def test_groups_appear_with_their_column(tmp_path: Path) -> None:
    """A request that went to a second provider has two parts, and counts once."""
    rows = [f"INSERT INTO requests VALUES ({first}, {ROW}, {last});" for first, last in PARTS]
    report = ask_file(tmp_path / "ledger.sqlite", LATER + "".join(rows), "user,key,credential")
    assert [(*line.key.values(), line.requests, line.calls) for line in report.lines] == [
        ("", "k", "d", 0, 1),
        ("ann", "k", "c", 1, 1),
    ]
    assert (report.total.tokens["thinking"], report.total.cost_nanos) == (7, 200)
    later = LedgerReader(tmp_path / "ledger.sqlite")
    assert later.run_now(lambda db: [seen.cost_nanos for seen in read_changed(db, 0, ["e"])]) == [
        200
    ]


def test_every_dimension_has_a_name_of_its_own() -> None:
    names = [each.name for each in DIMENSIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "|", "%"])
def test_no_text_of_a_csv_becomes_a_formula(start: str) -> None:
    written = write_csv(["agent", "n"], [[f'{start}HYPERLINK("x";"y")', -5]])
    (header, row) = list(csv.reader(io.StringIO(written, newline="")))
    assert header == ["agent", "n"]
    assert row[0].startswith("'")
    assert row[1] == "-5"


async def test_csv_has_a_header_and_a_line_for_each_group(storage: Storage) -> None:
    rows = [Row(START, agent=agent) for agent in ("a/x", "=1+1", 'b/"q",z')]
    await book(SqliteLedger(storage), [*rows, Row(START, agent="a/x", outcome="provider_cut")])
    text = usage_csv(ask(storage, question("agent,model")))
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header[:4] == ["agent", "model", "input", "output"]
    assert [line[0] for line in lines] == ["'=1+1", "a/x", 'b/"q",z']
    assert dict(zip(header, lines[1], strict=True))["errors"] == "provider_cut=1"
    assert text.endswith("\r\n")


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(LedgerUnreadableError, match=r"none\.sqlite can't be read"):
        LedgerReader(path).run_now(lambda db: db.execute("SELECT 1").fetchall())
    assert not path.exists()


async def test_a_report_that_takes_too_long_is_given_up(storage: Storage) -> None:
    SqliteLedger(storage)
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    reader = LedgerReader(storage.path, seconds=0.05)
    with pytest.raises(RefusalError) as caught:
        await reader.run(lambda db: db.execute(endless).fetchall())
    assert "took longer than 0.05 s; ask for less time" in caught.value.message


async def test_a_report_sees_the_ledger_while_it_is_written(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    for number, _ in enumerate(product(range(2), range(2))):
        await book(ledger, [Row(START)], first=number)
        assert ask(storage, question("")).total.requests == number + 1


async def test_what_no_provider_was_asked_for_is_no_call_and_no_error(storage: Storage) -> None:
    rows = [
        Row(START + 1, cost=1000, provider="anthropic", outcome="answered"),
        Row(START + 2, provider="anthropic", outcome="provider_cut"),
        *(Row(START + 3, provider="", outcome="circuit_open") for _ in range(3)),
    ]
    await book(SqliteLedger(storage), rows)
    total = ask(storage, question("provider")).total
    assert (total.requests, total.calls, total.unsent_requests) == (5, 2, 3)
    assert total.errors == {"provider_cut": 1}
