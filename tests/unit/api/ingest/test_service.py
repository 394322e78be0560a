"""Ingest between runs, screens and store: each event once for both, whatever fails."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_api.documents.port import UnavailableError
from heliostat_api.documents.transcripts import SequenceGapError
from heliostat_api.events.log import Report
from heliostat_api.ingest.service import Ingest
from heliostat_api.web.problems import ProblemError
from heliostat_core.keys import ExecutionClaims
from heliostat_runner.api import Answer, Request
from heliostat_runner.delivery import Delivery
from heliostat_runner.pieces import Pieces
from heliostat_runner.spool import Spool
from heliostat_runner.supervision import Shutdown
from support import manual_loop
from support.deliveries import NOW, KnownRuns, make_claims
from support.ingest_doubles import Fate, MemoryActions, MemoryLog, MemoryTranscripts, NoFiles

CLAIMS = make_claims("u-1")
ONE, TWO = "namespace:default", "cluster"


@dataclass
class Stage:
    """The service over stores that may die."""

    transcripts: MemoryTranscripts
    log: MemoryLog

    @classmethod
    def make(cls, *words: str) -> "Stage":
        fate = Fate(list(words))
        return cls(MemoryTranscripts(fate), MemoryLog(fate))

    @property
    def ingest(self) -> Ingest:
        owners = KnownRuns(u_1=(ONE, TWO))
        return Ingest(self.transcripts, NoFiles(), MemoryActions(), owners, self.log, lambda: NOW)

    def stored(self) -> list[str]:
        return self.transcripts.lines.get(("u-1", 1), [])

    def heard(self, audience: str) -> list[object]:
        """Events of all reports; fails unless each begins where the one before ended."""
        events: list[object] = []
        for report in self.log.heard.get(audience, []):
            payload = payload_of(report)
            assert payload["first"] == len(events)
            new = payload["events"]
            assert isinstance(new, list)
            events += new
        return events


def payload_of(report: Report) -> Mapping[str, object]:
    payload: Mapping[str, object] = json.loads(json.dumps(report.payload))
    return payload


def body(*numbers: int) -> bytes:
    return b"".join(b'{"n":%d}\n' % number for number in numbers)


def events(*numbers: int) -> list[object]:
    return [{"n": number} for number in numbers]


async def test_what_arrives_is_stored_and_heard_by_everybody_whose_it_is() -> None:
    stage = Stage.make()
    assert await stage.ingest.append(CLAIMS, 0, body(0, 1)) == 2
    assert stage.stored() == ['{"n":0}', '{"n":1}']
    assert stage.heard(ONE) == stage.heard(TWO) == events(0, 1)
    [report] = stage.log.heard[ONE]
    assert (report.execution, report.correlation_id, report.time) == ("u-1", "c-1", NOW)


async def test_what_is_stored_already_is_left_out() -> None:
    stage = Stage.make()
    await stage.ingest.append(CLAIMS, 0, body(0, 1))
    assert await stage.ingest.append(CLAIMS, 0, body(0, 1)) == 2
    assert await stage.ingest.append(CLAIMS, 1, body(1, 2)) == 3
    assert stage.heard(ONE) == events(0, 1, 2)


async def test_what_comes_too_early_is_refused_with_the_place_to_go_on_from() -> None:
    stage = Stage.make()
    await stage.ingest.append(CLAIMS, 0, body(0))
    with pytest.raises(SequenceGapError) as refused:
        await stage.ingest.append(CLAIMS, 2, body(2))
    assert refused.value.next == 1
    assert stage.heard(ONE) == events(0)


@pytest.mark.parametrize(
    "words", [("before",), ("after",), ("", "before"), ("", "", "before"), ("", "", "after")]
)
async def test_a_crash_anywhere_is_mended_by_the_same_request(words: tuple[str, ...]) -> None:
    stage = Stage.make(*words)
    with pytest.raises(UnavailableError):
        await stage.ingest.append(CLAIMS, 0, body(0, 1))
    assert await stage.ingest.append(CLAIMS, 0, body(0, 1)) == 2
    assert len(stage.stored()) == 2
    assert stage.heard(ONE) == stage.heard(TWO) == events(0, 1)


async def test_a_repetition_with_more_lines_hides_none_of_them() -> None:
    stage = Stage.make("", "", "before")  # heard, not stored
    with pytest.raises(UnavailableError):
        await stage.ingest.append(CLAIMS, 0, body(0))
    await stage.ingest.append(CLAIMS, 0, body(0, 1))
    reports = [payload_of(report) for report in stage.log.heard[ONE]]
    # the number tells a screen that it knows event 0 already
    assert [(each["first"], each["events"]) for each in reports] == [
        (0, events(0)),
        (0, events(0, 1)),
    ]


async def test_the_same_lines_at_the_same_time_are_taken_once() -> None:
    stage = Stage.make()
    ingest = stage.ingest
    results = await asyncio.gather(*[ingest.append(CLAIMS, 0, body(0, 1)) for _ in range(5)])
    assert results == [2] * 5
    assert stage.heard(ONE) == events(0, 1)


async def test_a_gap_is_heard_and_counted_once() -> None:
    stage = Stage.make()
    ingest = stage.ingest
    await ingest.append(CLAIMS, 0, body(0))
    assert await ingest.lose(CLAIMS, 1, 3) == 4
    assert await ingest.lose(CLAIMS, 1, 3) == 4
    assert await ingest.append(CLAIMS, 4, body(4)) == 5
    reports = [payload_of(report) for report in stage.log.heard[ONE]]
    lost = {"type": "heliostat", "subtype": "lost", "first": 1, "count": 3}
    assert [(each["first"], each["events"]) for each in reports] == [
        (0, events(0)),
        (1, [lost]),
        (4, events(4)),
    ]
    assert await ingest.end(CLAIMS, 5, 3) == 5
    position = await stage.transcripts.position("u-1", 1)
    assert (position.lost, position.ended) == (3, True)


@pytest.mark.parametrize(
    ("age", "status"), [(599, HTTPStatus.SERVICE_UNAVAILABLE), (600, HTTPStatus.NOT_FOUND)]
)
async def test_a_run_that_nobody_knows_is_waited_for_while_its_key_is_young(
    age: int, status: HTTPStatus
) -> None:
    stage = Stage.make()
    stranger = make_claims("u-2", issued=NOW - timedelta(seconds=age))
    for call in (
        stage.ingest.append(stranger, 0, body(0)),
        stage.ingest.lose(stranger, 0, 1),
        stage.ingest.end(stranger, 0, 0),
        stage.ingest.position(stranger),
    ):
        with pytest.raises(ProblemError) as refused:
            await call
        assert refused.value.status == status
    assert stage.transcripts.lines == {}


class Line:
    """The runner's way to the service, on which requests and answers are lost."""

    def __init__(self, ingest: Ingest, faults: list[str]) -> None:
        self._ingest = ingest
        self._faults = faults

    async def ask(self, request: Request) -> Answer:
        await asyncio.sleep(0.01)
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "request lost":
            return Answer(0)
        if fault == "twice":
            await self._carry_out(request)
        answer = await self._carry_out(request)
        return Answer(0) if fault == "answer lost" else answer

    async def _carry_out(self, request: Request) -> Answer:
        try:
            return Answer(200, b'{"next":%d}' % await self._take(CLAIMS, request))
        except SequenceGapError as gap:
            return Answer(409, b'{"next":%d}' % gap.next)
        except UnavailableError:
            return Answer(503)

    async def _take(self, claims: ExecutionClaims, request: Request) -> int:
        address = urlsplit(request.path)
        query = {name: int(value[0]) for name, value in parse_qs(address.query).items()}
        if address.path.endswith("/end"):
            order = json.loads(request.body)
            return await self._ingest.end(claims, order["next"], order["lost"])
        return await self._ingest.append(claims, query["first"], request.body)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.02, 10.0])), max_size=8),
    st.lists(st.sampled_from(["", "request lost", "answer lost", "twice"]), max_size=15),
    st.lists(st.sampled_from(["", "", "before", "after"]), max_size=25),
)
def test_runner_and_service_together_lose_nothing_and_say_nothing_twice(
    bursts: Sequence[tuple[int, float]], faults: list[str], words: list[str]
) -> None:
    async def deliver(path: Path) -> tuple[Stage, list[str]]:
        stage = Stage.make(*words)
        written: list[str] = []
        with path.open("wb", buffering=0) as file:
            line = Line(stage.ingest, list(faults))
            delivery = Delivery(line, Spool(path, 0), Pieces(""), "", lambda _: None)
            for count, pause in bursts:
                for _ in range(count):
                    written.append(f'{{"n":{len(written)}}}')
                    file.write(f"{written[-1]}\n".encode())
                    delivery.hear(b"", True)
                await asyncio.sleep(pause)
            assert await delivery.finish((), 10_000, Shutdown()) == ()
        return stage, written

    with TemporaryDirectory() as folder:
        stage, written = manual_loop.run(deliver(Path(folder) / "transcript"))
    assert stage.stored() == written
    assert stage.heard(ONE) == stage.heard(TWO) == [json.loads(line) for line in written]
    assert stage.transcripts.positions["u-1", 1].ended
