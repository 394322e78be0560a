"""A hundred people at one replica: ten design agents by talking, ninety look at what they have."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bench.figures import Report, in_millis, percentile
from bench.replicas import (
    Replica,
    deliver,
    open_client,
    run_bare_api,
    run_replica,
    runs_of,
    screens,
)
from heliostat_api.gateway.client import Identity
from heliostat_api.people.identities import new_guest_id
from heliostat_core.keys import new_private_key
from integration.gateway.gateway_process import GatewayProcess
from support.chatting import talking

CHATTING, BROWSING = 10, 90
RUNS = 5
SECONDS = 25.0
BARE_SECONDS = 8.0
LOOK_SECONDS = 2.0
"""Each person looks at something else so often; the guests' limit is twice a second."""
READ_SECONDS = 3.0
"""What is answered is read before something else is said."""
TARGET_SECONDS = 0.1
WISH = "Every Monday at 08:00, add up the sales of last week by region and write a short report."


@dataclass
class Looks:
    """What the reads of all people took, in seconds, and which were not answered."""

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    async def look(self, client: aiohttp.ClientSession, url: str, **headers: str) -> None:
        began = time.monotonic()
        try:
            async with client.get(url, headers=headers) as answer:
                await answer.read()
                if answer.status != 200:
                    self.errors[str(answer.status)] += 1
        except aiohttp.ClientError as error:
            self.errors[type(error).__name__] += 1
        self.seconds.append(time.monotonic() - began)

    async def keep_looking(
        self,
        client: aiohttp.ClientSession,
        urls: list[str],
        headers: dict[str, str],
        begin: float,
        until: float,
    ) -> None:
        """One page after the other, evenly; the first one at `begin`."""
        for number, url in enumerate(itertools.cycle(urls)):
            at = begin + number * LOOK_SECONDS
            if at >= until:
                return
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            await self.look(client, url, **headers)

    @property
    def p95(self) -> float:
        return percentile(self.seconds, 95)


@contextmanager
def run_gateway(folder: Path, identity: Identity) -> Iterator[str]:
    """A gateway that plays scenarios and believes that api."""
    folder.mkdir()
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    name, public = identity.published()
    (folder / "keys" / name).write_text(public)
    gateway.start(
        HELIOSTAT_GATEWAY_DEFAULT_PROVIDER="scripted",
        HELIOSTAT_GATEWAY_API_KEYS_DIR=str(folder / "keys"),
    )
    try:
        yield gateway.url
    finally:
        gateway.stop()


async def chat(replica: Replica, person: str, until: float) -> Counter[str]:
    """Says a wish, and again in another conversation; how the answers ended."""
    headers, ends = replica.headers(person), Counter[str]()
    while time.monotonic() < until:
        async with talking(replica.url, person, headers) as talker:
            await talker.say(WISH)
            ends[str((await talker.answered())["state"])] += 1
        await asyncio.sleep(READ_SECONDS)
    return ends


async def tell_of(
    client: aiohttp.ClientSession, replica: Replica, uids: list[str], until: float
) -> int:
    """An event of one of these runs after the other, ten a second; how many."""
    for number in itertools.count():
        if time.monotonic() >= until:
            return number
        at = number % len(uids)
        await deliver(client, replica, uids[at], number // len(uids), number)
        await asyncio.sleep(0.1)
    raise AssertionError("it ends with the time")


def pages_of(url: str, runs: list[str], at: int) -> list[str]:
    """What somebody looks at; everybody begins with another one."""
    api = f"{url}/api"
    pages = [f"{api}/agents", f"{api}/executions", f"{api}/executions/{runs[0]}", f"{api}/usage"]
    return pages[at % len(pages) :] + pages[: at % len(pages)]


@pytest.mark.timeout(180)
async def test_a_hundred_people_at_one_replica(tmp_path: Path, report: Report) -> None:
    private = new_private_key()
    people = [new_guest_id() for _ in range(CHATTING + BROWSING)]
    identity = Identity(private, lambda: datetime.now(UTC))
    async with open_client() as client:
        bare = await look_at_bare(client, tmp_path)
        with (
            run_gateway(tmp_path / "gateway", identity) as gateway,
            run_replica(tmp_path / "api", people, RUNS, gateway, private) as replica,
        ):
            looks, answers, events, cpu = await play(client, replica, people)
    report.add(
        f"reads of {BROWSING} people, {CHATTING} chatting",
        f"p50 {in_millis(percentile(looks.seconds, 50))}, p95 {in_millis(looks.p95)}",
        f"p95 <= {in_millis(TARGET_SECONDS)}",
        looks.p95 <= TARGET_SECONDS,
        f"a bare endpoint, as often: p50 {in_millis(percentile(bare.seconds, 50))},"
        f" p95 {in_millis(bare.p95)}",
    )
    report.add(
        f"  errors of {len(looks.seconds)} reads",
        str(dict(looks.errors) or 0),
        "0",
        not looks.errors,
        f"bare: {bare.errors.total()} of {len(bare.seconds)}",
    )
    report.add(
        "  meanwhile",
        f"{answers['done']} whole answers of {answers.total()}, {events} events",
        "all whole",
        answers["done"] == answers.total(),
        f"the replica used {cpu:.0%} of a core",
    )
    assert answers["done"]


async def look_at_bare(client: aiohttp.ClientSession, folder: Path) -> Looks:
    """As many people look at a list as often, with a stream open each."""
    looks = Looks()
    with run_bare_api(folder) as bare:
        async with screens(client, bare.url, [{} for _ in range(BROWSING)]):
            begin = time.monotonic()
            await asyncio.gather(
                *(
                    looks.keep_looking(
                        client, [f"{bare.url}/items"], {}, begin + start(at), begin + BARE_SECONDS
                    )
                    for at in range(BROWSING)
                )
            )
    return looks


def start(at: int) -> float:
    """People do not look at the same moment."""
    return LOOK_SECONDS * at / BROWSING


async def play(
    client: aiohttp.ClientSession, replica: Replica, people: list[str]
) -> tuple[Looks, Counter[str], int, float]:
    """What the reads took; how answers ended; how many events; the replica's share of a core."""
    looks = Looks()
    chatting, browsing = people[:CHATTING], people[CHATTING:]
    headers = [replica.headers(each) for each in browsing]
    runs = [await runs_of(client, replica, each) for each in browsing]
    async with screens(client, replica.url, headers):
        begin, used = time.monotonic(), replica.cpu_seconds()
        until = begin + SECONDS
        async with asyncio.TaskGroup() as group:
            talks = [group.create_task(chat(replica, each, until)) for each in chatting]
            told = group.create_task(
                tell_of(client, replica, [each[1] for each in runs[:10]], until)
            )
            for at, (each, uids) in enumerate(zip(headers, runs, strict=True)):
                pages = pages_of(replica.url, uids, at)
                looking = looks.keep_looking(client, pages, each, begin + start(at), until)
                group.create_task(looking)
        share = (replica.cpu_seconds() - used) / (time.monotonic() - begin)
    answers = sum((each.result() for each in talks), Counter[str]())
    return looks, answers, told.result(), share
