"""People of the dashboard, played in a pod of the cluster: they hold answers and streams open.

Run as `python traffic.py answers KEY` or `python traffic.py events`; it says when it is under way,
goes on until SIGTERM, and its last line is a JSON object.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2

API = "http://heliostat-api.heliostat-system:8080"
GATEWAY = "http://heliostat-gateway.heliostat-system:8081"
PEOPLE = 8
PATIENCE = httpx2.Timeout(30, connect=2)
"""A SYN towards a pod that is gone, or whose network is not open yet, is repeated ever more seldom:
after 15 s it takes 16 more."""
HEARING_SECONDS = 60
UNDER_WAY = 5
"""So many agents are made before anything happens to the api."""
FAILURES = (httpx2.HTTPError, OSError)


# ---- answers ------------------------------------------------------------------------------------


async def hold_answers(key: str, over: asyncio.Event) -> Counter[str]:
    """How many answers ended in which way."""
    ends: Counter[str] = Counter()

    async def hold() -> None:
        while not over.is_set():
            ends[await read_answer(models, key)] += 1

    async with httpx2.AsyncClient(timeout=60) as models, asyncio.TaskGroup() as group:
        ends[await read_answer(models, key)] += 1
        print("under way", flush=True)
        for _ in range(PEOPLE):
            group.create_task(hold())
            group.create_task(keep_busy(models, key, over))
    return ends


async def keep_busy(models: httpx2.AsyncClient, key: str, over: asyncio.Event) -> None:
    """Work for the gateway that costs nothing."""
    while not over.is_set():
        with contextlib.suppress(*FAILURES):
            await models.get(f"{GATEWAY}/v1/models", headers={"x-api-key": key})


async def read_answer(models: httpx2.AsyncClient, key: str) -> str:
    """How it ended: `whole`, or what went wrong."""
    body = {
        "model": "scripted/slow",
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": "Go on."}],
    }
    try:
        async with models.stream(
            "POST", f"{GATEWAY}/v1/messages", json=body, headers={"x-api-key": key}
        ) as answer:
            if answer.status_code != 200:
                return f"status {answer.status_code}"
            lines = [line async for line in answer.aiter_lines()]
    except FAILURES as error:
        return repr(error)
    return "whole" if "event: message_stop" in lines else "cut"


# ---- events -------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def guest() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=API, timeout=PATIENCE) as client:
        (await client.get("/", headers={"Accept": "text/html"})).raise_for_status()
        client.headers["Origin"] = API
        yield client


@dataclass
class Listening:
    cursor: str = ""
    connections: int = 0
    heard: set[str] = field(default_factory=set)
    """Ids of agents that reports were about."""
    numbers: Counter[str] = field(default_factory=Counter)
    """How often each report came; an agent may be told twice, a report never is."""


async def listen(person: httpx2.AsyncClient, listening: Listening) -> None:
    while True:
        headers = {"Last-Event-ID": listening.cursor} if listening.cursor else {}
        with contextlib.suppress(*FAILURES):
            async with person.stream("GET", "/agent/reports/stream", headers=headers) as stream:
                listening.connections += stream.status_code == 200
                await read_events(stream, listening)
        await asyncio.sleep(0.1)


async def read_events(stream: httpx2.Response, listening: Listening) -> None:
    """An event counts when its blank line is there: its id stands behind its data."""
    fields: dict[str, str] = {}
    async for line in stream.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        listening.cursor = fields.get("id", listening.cursor)
        if fields.get("event") == "report":
            report = json.loads(fields["data"])
            listening.heard.add(report["payload"].get("id", ""))
            listening.numbers[fields["id"]] += 1
        fields = {}


async def make_agents(person: httpx2.AsyncClient, over: asyncio.Event) -> tuple[list[str], float]:
    """Their ids, the last made after it was over; how many seconds on end none could be made."""
    made: list[str] = []
    away, last = 0.0, time.monotonic()
    while True:
        is_last = over.is_set()
        with contextlib.suppress(*FAILURES):
            answer = await person.post(
                "/api/agents",
                json={"name": f"Agent {len(made)}", "spec": {"prompt": "x"}},
                headers={"Idempotency-Key": f"agent-{len(made)}"},
                timeout=2,
            )
            if answer.status_code == 201:
                made.append(answer.json()["agent"])
                now = time.monotonic()
                away, last = max(away, now - last), now
                if len(made) == UNDER_WAY:
                    print("under way", flush=True)
                if is_last:
                    return made, away
        await asyncio.sleep(0.1)


async def hear_of_agents(over: asyncio.Event) -> dict[str, object]:
    async with guest() as person:
        listening = Listening()
        listener = asyncio.create_task(listen(person, listening))
        while not listening.cursor:
            await asyncio.sleep(0.05)
        made, away = await make_agents(person, over)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARING_SECONDS):
                while any(each not in listening.heard for each in made):
                    await asyncio.sleep(0.1)
        listener.cancel()
    return {
        "made": len(made),
        "missed": sum(each not in listening.heard for each in made),
        "twice": sum(times > 1 for times in listening.numbers.values()),
        "connections": listening.connections,
        "away": round(away, 1),
    }


async def main(kind: str, key: str = "") -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    told = await (hold_answers(key, over) if kind == "answers" else hear_of_agents(over))
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
