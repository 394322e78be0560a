"""The event log in a file: append-only, once per key, bounded for each audience."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heliostat_api.events.reports import Report, ReportType
from heliostat_api.events.sqlite_log import SqliteEventLog

ANN, BOB = "person:ann", "person:bob"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def report(text: str) -> Report:
    return Report(ReportType.AGENT_CHANGED, NOW, {"text": text}, "cid-1", "uid-1")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteEventLog]:
    opened = SqliteEventLog(tmp_path / "events.sqlite", bound=3, slack=1)
    yield opened
    await opened.close()


async def texts(log: SqliteEventLog, *audiences: str, after: int = 0) -> list[object]:
    found = await log.read(audiences, after)
    return [each.report.payload["text"] for each in found.reports]


async def test_an_audience_hears_its_own_reports_in_order(log: SqliteEventLog) -> None:
    await log.append(ANN, report("a"))
    await log.append(BOB, report("b"))
    await log.append(ANN, report("c"))
    assert await texts(log, ANN) == ["a", "c"]
    assert await texts(log, ANN, BOB) == ["a", "b", "c"]


async def test_a_report_comes_back_as_it_was_appended(log: SqliteEventLog) -> None:
    await log.append(ANN, report("a"))
    [logged] = (await log.read([ANN], 0)).reports
    assert logged.report == report("a")


async def test_a_report_is_heard_once_per_key_and_audience(log: SqliteEventLog) -> None:
    for audience in (ANN, ANN, BOB):
        await log.append(audience, report("a"), "key-1")
    assert await texts(log, ANN) == ["a"]
    assert await texts(log, BOB) == ["a"]


async def test_a_cursor_goes_on_where_the_slice_ended(log: SqliteEventLog) -> None:
    for text in "abc":
        await log.append(ANN, report(text))
    first = await log.read([ANN], 0, limit=2)
    assert await texts(log, ANN, after=first.end) == ["c"]


async def test_a_cursor_older_than_the_log_is_a_gap(log: SqliteEventLog) -> None:
    for text in "abcd":  # the fourth one trims to the bound of three
        await log.append(ANN, report(text))
    assert (await log.read([ANN], 0)).has_gap
    assert await texts(log, ANN, after=1) == ["b", "c", "d"]


async def test_what_others_hear_makes_no_gap(log: SqliteEventLog) -> None:
    await log.append(ANN, report("a"))
    for text in "bcdefgh":
        await log.append(BOB, report(text))
    assert await texts(log, ANN) == ["a"]


async def test_a_cursor_from_another_log_is_a_gap(log: SqliteEventLog) -> None:
    await log.append(ANN, report("a"))
    assert (await log.read([ANN], 2)).has_gap


async def test_ids_are_not_used_twice_after_a_restart(log: SqliteEventLog, tmp_path: Path) -> None:
    await log.append(ANN, report("a"))
    end = await log.end()
    again = SqliteEventLog(tmp_path / "events.sqlite")
    assert await again.end() == end
    await again.append(ANN, report("b"))
    assert await texts(again, ANN, after=end) == ["b"]
    await again.close()


async def test_who_waits_is_woken_by_a_report_for_them_only(log: SqliteEventLog) -> None:
    waiting = asyncio.create_task(log.wait([ANN], 0, 60))
    await asyncio.sleep(0)
    await log.append(BOB, report("b"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await log.append(ANN, report("a"))
    async with asyncio.timeout(5):
        await waiting


async def test_who_waits_for_what_is_there_already_does_not_wait(log: SqliteEventLog) -> None:
    await log.append(ANN, report("a"))
    async with asyncio.timeout(5):
        await log.wait([ANN], 0, 60)
