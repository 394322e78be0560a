"""The event log, in a file and in Redis: append-only, once per key, bounded for each audience."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from heliostat_api.documents.port import UnavailableError
from heliostat_api.events.log import REPORT_BYTES, Bounds, EventLog, Report, ReportType, bound_of
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from support.redis_server import RedisServer

Open = Callable[[], EventLog]
ANN, BOB = "person:ann", "person:bob"
MOST_BYTES = 1000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def report(text: str) -> Report:
    return Report(ReportType.AGENT_CHANGED, NOW, {"text": text}, "cid-1", "uid-1")


@pytest.fixture(params=["sqlite", "redis"])
async def open_log(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Callable[..., EventLog]]:
    """Opens the same log again and again: as after a restart, or on another replica."""
    logs: list[EventLog] = []
    url = ""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        url = server.url

    def again(**bounds: int) -> EventLog:
        path, kept = tmp_path / "events.sqlite", Bounds(**bounds)
        log: EventLog = RedisEventLog(url, kept) if url else SqliteEventLog(path, kept)
        logs.append(log)
        return log

    yield again
    for log in logs:
        await log.close()


@pytest.fixture
def opened(open_log: Callable[..., EventLog]) -> Open:
    return partial(open_log, bound=3, slack=1, most_bytes=MOST_BYTES)


@pytest.fixture
def log(opened: Open) -> EventLog:
    return opened()


async def said(log: EventLog, text: str, key: str = "", audience: str = ANN) -> int:
    """Its id."""
    await log.append(audience, report(text), key)
    return await log.end()


async def texts(log: EventLog, *audiences: str, after: int = 0) -> list[object]:
    found = await log.read(audiences, after)
    return [each.report.payload["text"] for each in found.reports]


async def test_an_audience_hears_its_own_reports_in_order(log: EventLog) -> None:
    await log.append(ANN, report("a"))
    await log.append(BOB, report("b"))
    await log.append(ANN, report("c"))
    assert await texts(log, ANN) == ["a", "c"]
    assert await texts(log, ANN, BOB) == ["a", "b", "c"]


async def test_a_report_comes_back_as_it_was_appended(log: EventLog) -> None:
    await log.append(ANN, report("a"))
    [logged] = (await log.read([ANN], 0)).reports
    assert logged.report == report("a")


async def test_a_report_is_heard_once_per_key_and_audience(log: EventLog) -> None:
    for audience in (ANN, ANN, BOB):
        await log.append(audience, report("a"), "key-1")
    assert await texts(log, ANN) == ["a"]
    assert await texts(log, BOB) == ["a"]


async def test_a_cursor_goes_on_where_the_slice_ended(log: EventLog) -> None:
    for text in "abc":
        await log.append(ANN, report(text))
    first = await log.read([ANN], 0, limit=2)
    assert await texts(log, ANN, after=first.end) == ["c"]


async def test_a_cursor_older_than_the_log_is_a_gap(log: EventLog) -> None:
    first, *_ = [await said(log, text) for text in "abcd"]  # the fourth trims to three
    assert (await log.read([ANN], 0)).has_gap
    assert (await log.read([ANN], first - 1)).has_gap
    assert await texts(log, ANN, after=first) == ["b", "c", "d"]


async def test_long_reports_are_fewer(log: EventLog, opened: Open) -> None:
    first, _, third = [await said(log, letter * 400, letter) for letter in "abc"]
    assert (await log.read([ANN], 0)).has_gap, "1200 bytes are too many"
    assert await texts(log, ANN, after=first) == ["b" * 400, "c" * 400]
    fourth = await said(opened(), "d" * 3000)
    assert await texts(log, ANN, after=third) == ["d" * 3000], "the last one always stays"
    await log.append(ANN, report("e"))
    assert await texts(log, ANN, after=fourth) == ["e"]
    assert (await log.read([ANN], third)).has_gap
    await log.append(ANN, report("a"), "a")
    assert await texts(log, ANN, after=fourth) == ["e", "a"], "what is gone may be heard again"


async def test_a_forgotten_audience_begins_to_count_bytes_anew(log: EventLog) -> None:
    for letter in "ab":
        await log.append(ANN, report(letter * 400), letter)
    await log.forget(ANN)
    end = await log.end()
    await log.append(ANN, report("a" * 400), "a")
    await log.append(ANN, report("b" * 400), "b")
    assert len(await texts(log, ANN, after=end)) == 2


async def test_a_file_of_before_sizes_were_kept_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    first = SqliteEventLog(path)
    _, second, _ = [await said(first, "a" * 400) for _ in range(3)]
    await first.close()
    with closing(sqlite3.connect(path)) as connection:
        for table, column in (("reports", "size"), ("audiences", "bytes")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.commit()
    again = SqliteEventLog(path, Bounds(most_bytes=MOST_BYTES))
    await again.append(ANN, report("b"))
    assert await texts(again, ANN, after=second) == ["a" * 400, "b"]
    await again.close()


async def test_what_others_hear_makes_no_gap(log: EventLog) -> None:
    await log.append(ANN, report("a"))
    for text in "bcdefgh":
        await log.append(BOB, report(text))
    assert await texts(log, ANN) == ["a"]


async def test_a_cursor_from_another_log_is_a_gap(log: EventLog) -> None:
    end = await said(log, "a")
    assert (await log.read([ANN], end + 1)).has_gap


async def test_a_log_that_lost_its_data_uses_no_id_twice(opened: Open, tmp_path: Path) -> None:
    old = opened()
    before = [await said(old, text) for text in "ab"]
    await old.close()
    await lose(old, tmp_path)
    log = opened()
    assert (await log.read([ANN], before[0])).has_gap, "before anything is said"
    end = await log.end()
    assert not (await log.read([ANN], end)).has_gap, "a snapshot of now is no gap"
    assert await said(log, "c") > max(end, *before)
    for cursor in before:
        assert (await log.read([ANN], cursor)).has_gap, "else its reader would miss what was lost"
    assert await texts(log, ANN, after=end) == ["c"]


async def lose(log: EventLog, folder: Path) -> None:
    if isinstance(log, RedisEventLog):
        await log._redis.flushall()
    else:
        (folder / "events.sqlite").unlink()


async def test_audiences_that_were_silent_for_longest_go_when_all_is_too_much(
    open_log: Callable[..., EventLog],
) -> None:
    log = open_log(bound=100, total_bytes=6 * (REPORT_BYTES + 20))
    cathy = "person:cathy"
    begin = await log.end()
    anns = await said(log, "a", "key-1")
    await said(log, "a")
    for text in "bc":
        await said(log, text, audience=BOB)
    for text in "de":
        await said(log, text, audience=cathy)
    assert await texts(log, ANN, BOB, cathy, after=begin) == [*"aabcde"], "all fits"
    end = await log.end()
    await said(log, "f", audience=BOB)
    assert (await log.read([ANN], anns)).has_gap
    assert not (await log.read([ANN], end)).has_gap, "who had heard all misses nothing"
    assert await texts(log, BOB, cathy, after=begin) == [*"bcdef"]
    await said(log, "a", "key-1")
    assert await texts(log, ANN, after=end) == ["a"], "what is gone may be heard again"
    await log.forget(BOB)
    for text in "gh":
        await said(log, text, audience=cathy)
    assert await texts(log, ANN, cathy, after=end) == [*"agh"], "what is forgotten counts no more"
    for text in "ijklmnop":
        await said(log, text, audience=cathy)
    assert (await log.read([ANN], end)).has_gap
    assert await texts(log, cathy, after=end) == [*"ghijklmnop"], "the only one is bound by itself"


async def test_the_total_is_known_after_a_restart(open_log: Callable[..., EventLog]) -> None:
    bounds = {"bound": 100, "total_bytes": 3 * (REPORT_BYTES + 20)}
    log = open_log(**bounds)
    begin = await log.end()
    await said(log, "a")
    for text in "bc":
        await said(log, text, audience=BOB)
    again = open_log(**bounds)
    await said(again, "d", audience=BOB)
    assert (await again.read([ANN], begin)).has_gap


async def test_ids_are_not_used_twice_after_a_restart(log: EventLog, opened: Open) -> None:
    await log.append(ANN, report("a"))
    end = await log.end()
    again = opened()
    assert await again.end() == end
    await again.append(ANN, report("b"))
    assert await texts(again, ANN, after=end) == ["b"]


async def test_who_waits_is_woken_by_a_report_for_them_only(log: EventLog) -> None:
    await log.wait([ANN], 0, 0.2)  # from now on Redis is heard
    waiting = asyncio.create_task(log.wait([ANN], 0, 60))
    await log.append(BOB, report("b"))
    assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
    await log.append(ANN, report("a"))
    async with asyncio.timeout(5):
        await waiting


async def test_who_waits_for_what_is_there_already_does_not_wait(log: EventLog) -> None:
    await log.append(ANN, report("a"))
    async with asyncio.timeout(5):
        await log.wait([ANN], 0, 60)


async def test_a_replica_hears_what_another_one_appends(redis_server: RedisServer) -> None:
    here, there = (RedisEventLog(redis_server.url) for _ in range(2))
    waiting = asyncio.create_task(here.wait([ANN], 0, 60))
    await there.append(ANN, report("a"))
    async with asyncio.timeout(5):
        await waiting
    assert await texts(here, ANN) == ["a"]
    await here.close()
    await there.close()


async def test_without_redis_the_log_says_so_and_heals(redis_server: RedisServer) -> None:
    log = RedisEventLog(redis_server.url)
    await log.append(ANN, report("a"))
    redis_server.kill()
    with pytest.raises(UnavailableError, match="Redis"):
        await log.read([ANN], 0)
    redis_server.start()
    assert await texts(log, ANN) == ["a"]
    await log.close()


async def test_a_restart_of_redis_that_nobody_noticed_is_no_fault(
    redis_server: RedisServer,
) -> None:
    log = RedisEventLog(redis_server.url)
    await asyncio.gather(*(log.append(ANN, report("a"), f"key-{number}") for number in range(5)))
    await asyncio.to_thread(redis_server.kill)
    await asyncio.to_thread(redis_server.start)
    assert await texts(log, ANN) == ["a"] * 5
    await log.close()


async def test_what_an_audience_is_made_to_forget_is_a_gap_for_whoever_was_before(
    log: EventLog,
) -> None:
    await log.append(ANN, report("a"))
    await log.append(BOB, report("b"))
    before = await log.end()
    await log.append(ANN, report("c"), "key-1")
    await log.forget(ANN)
    assert (await log.read([ANN], before)).has_gap
    assert await texts(log, BOB) == ["b"]
    after = await log.end()
    await log.append(ANN, report("d"), "key-1")
    assert await texts(log, ANN, after=after) == ["d"]


async def test_of_an_audience_that_is_erased_not_even_the_name_stays(
    log: EventLog, opened: Open, tmp_path: Path
) -> None:
    for letter in "abcd":  # one too many, so that there is a mark
        await log.append(ANN, report(letter), letter)
    await log.append(BOB, report("b"), "b")
    await log.erase(ANN)
    assert await texts(log, BOB) == ["b"]
    assert ANN not in await everything(log, tmp_path)
    assert BOB in await everything(log, tmp_path)
    again = opened()
    await again.append(ANN, report("a"), "a")
    assert await texts(again, ANN) == ["a"], "somebody new, from the beginning"


async def everything(log: EventLog, folder: Path) -> str:
    """All names that it keeps."""
    if isinstance(log, RedisEventLog):
        audiences = await log._redis.zrange("{heliostat:events}:audiences", 0, -1)
        return str([*audiences, *[key async for key in log._redis.scan_iter()]])
    with closing(sqlite3.connect(folder / "events.sqlite")) as connection:
        names = "SELECT audience FROM reports UNION SELECT audience FROM audiences"
        return str(connection.execute(names).fetchall())


def test_a_conversation_keeps_fewer_reports_than_a_person() -> None:
    assert bound_of("conversation:x", 10_000) == 500
    assert bound_of("person:x", 10_000) == 10_000


async def test_a_file_that_cannot_be_used_is_told_as_any_store_that_is_away(tmp_path: Path) -> None:
    log = SqliteEventLog(tmp_path / "events.sqlite")
    await log.close()
    for call in (log.append(ANN, report("a")), log.read([ANN], 0), log.end(), log.forget(ANN)):
        with pytest.raises(UnavailableError, match="event log"):
            await call
