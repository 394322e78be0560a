"""A browser without a window: a session, the stream, and what it tells of a run."""

import json
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from pydantic import JsonValue

DEADLINE_SECONDS = 90
_PAGE = {"Accept": "text/html"}


@dataclass(frozen=True)
class Event:
    """One event of the stream."""

    name: str
    id: int
    data: Mapping[str, JsonValue]

    @property
    def payload(self) -> Mapping[str, JsonValue]:
        """Of a report."""
        payload = self.data["payload"]
        assert isinstance(payload, dict)
        return payload


@contextmanager
def open_browser(url: str, cookies: dict[str, str] | None = None) -> Iterator[httpx2.Client]:
    """Has opened the first page, and so has a session; or comes back with the one of before."""
    headers = {"Origin": url}
    with httpx2.Client(base_url=url, timeout=10, headers=headers, cookies=cookies) as client:
        if cookies is None:
            client.get("/", headers=_PAGE)
        yield client


def follow(client: httpx2.Client, cursor: int | None = None) -> Generator[Event, None, None]:
    """Events of the stream until the reader has had enough; none for DEADLINE_SECONDS fails."""
    given = {} if cursor is None else {"Last-Event-ID": str(cursor)}
    begin = time.monotonic()
    with client.stream("GET", "/agent/reports/stream", headers=given, timeout=30) as response:
        assert response.status_code == 200, response.read()
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            assert time.monotonic() - begin < DEADLINE_SECONDS
            name, colon, value = line.partition(": ")
            if colon and name:
                fields[name] = value
            elif not line:
                if "id" in fields:  # a heartbeat has none
                    yield Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
                    begin = time.monotonic()
                fields = {}


def until_finished(events: Iterable[Event], uid: JsonValue) -> list[Event]:
    """The reports about one run up to its end."""
    found = []
    for event in events:
        if event.data.get("execution") != uid:
            continue
        found.append(event)
        if event.data["type"] == "execution.changed" and event.payload["isFinished"]:
            return found
    raise AssertionError("the stream ended")


def run_sample(client: httpx2.Client, name: str = "hello") -> str:
    """The uid of the run."""
    answer = client.post(f"/api/samples/{name}")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["execution"])
