"""Lists of executions from the embedded store when there are very many."""

import os
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from bench.figures import Report, in_millis, percentile, spread
from heliostat_api.documents.port import OWNER, Put, Query
from heliostat_api.documents.sqlite.statements import select_page
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite

EXECUTIONS = 100_000
BATCH = 500
LISTS = 300
TARGET_SECONDS = 0.1
PHASES = ("Succeeded", "Failed", "Running", "Queued", "Cancelled")
LISTINGS = {
    "one person's": Query("executions", "person-7"),
    "one person's, failed runs of an agent": Query(
        "executions", "person-7", {"agentName": "agent-3", "phase": "Failed"}
    ),
    "everybody's": Query("executions", None),
}


def execution(number: int) -> Put:
    """One run in the form that recording gives it: about 2 kB, with a random id."""
    uid = UUID(int=random.Random(number).getrandbits(128))
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    phase = PHASES[number // 200 % len(PHASES)]
    view = {"id": str(uid), "phase": phase, "message": "m" * 600, "result": "r" * 800}
    return Put(
        f"executions/{uid}",
        {
            OWNER: f"person-{number % 20}",
            "agentName": f"agent-{number // 20 % 10}",
            "phase": phase,
            "status": "success",
            "isFinished": phase not in ("Running", "Queued"),
            "live": False,
            "createdAt": created,
            "costMicros": number,
            "view": view,
        },
    )


async def fill(store: SqliteDocuments) -> float:
    """Seconds for all of them, in the order of their creation."""
    begin = time.perf_counter()
    for first in range(0, EXECUTIONS, BATCH):
        await store.commit(*map(execution, range(first, first + BATCH)))
    return time.perf_counter() - begin


async def seconds_of(ask: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await ask()
    return time.perf_counter() - begin


async def pages_of(store: SqliteDocuments, query: Query) -> list[Query]:
    """The query for each of its first pages; again from the start when there are no more."""
    pages = [query]
    for _ in range(19):
        following = (await store.query(pages[-1])).next
        pages.append(replace(query, after=following))
    return pages


@pytest.mark.timeout(600)
async def test_lists_of_a_hundred_thousand_executions(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "documents.sqlite"
    store = open_sqlite(path)
    seconds = await fill(store)
    size = path.stat().st_size / 2**20
    report.add(
        "100,000 executions stored", f"{seconds:.0f} s, {size:.0f} MiB", beside="500 a commit"
    )
    await change_some(store, path, report)
    with closing(sqlite3.connect(path)) as bare:
        for name, query in LISTINGS.items():
            await list_them(store, bare, name, query, report)
    await store.close()


async def change_some(store: SqliteDocuments, path: Path, report: Report) -> None:
    """Runs change one at a time, beside a bare file that is appended to and flushed."""
    ours: list[float] = []
    flushes: list[float] = []

    async def flush() -> None:
        os.write(file, b"x" * 2048)
        os.fdatasync(file)

    file = os.open(path.with_name("bare"), os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    try:
        for number in range(LISTS):
            put = execution(number * 331 % EXECUTIONS)
            changed = replace(put, fields={**put.fields, "live": True})
            ours.append(await seconds_of(partial(store.commit, changed)))
            flushes.append(await seconds_of(flush))
    finally:
        os.close(file)
    report.add("a run changes", spread(ours), beside=f"a bare flush {spread(flushes)}")


async def list_them(
    store: SqliteDocuments, bare: sqlite3.Connection, name: str, query: Query, report: Report
) -> None:
    """Pages through the store, and their rows by a bare connection, in turn."""
    pages = await pages_of(store, query)
    ours: list[float] = []
    rows: list[float] = []

    async def read_rows(page: Query) -> None:
        bare.execute(*select_page(page)).fetchall()

    for number in range(LISTS):
        page = pages[number % len(pages)]
        ours.append(await seconds_of(partial(store.query, page)))
        rows.append(await seconds_of(partial(read_rows, page)))
    reached, beside = percentile(ours, 95), percentile(rows, 95)
    report.add(
        f"list of 50, {name}",
        f"p95 {in_millis(reached)}, {reached / beside:.1f} x",
        "100 ms",
        reached <= TARGET_SECONDS,
        f"bare SQL p95 {beside * 1000:.1f} ms",
    )
