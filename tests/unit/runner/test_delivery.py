"""Delivery against an api that fails in every way: each event arrives once, in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_runner.api import Answer, Request
from heliostat_runner.delivery import Delivery
from heliostat_runner.files import PIECE_BYTES, WorkFile
from heliostat_runner.jsonvalue import count_at, load, objects_at, text_at
from heliostat_runner.pieces import Pieces
from heliostat_runner.spool import Spool
from heliostat_runner.supervision import Shutdown
from support import manual_loop

AWAY = Answer(0)
FAULTS = ("lost", "unanswered", "twice", "busy", "asked to wait", "forgotten", "babble")


@dataclass
class ScriptedApi:
    """Follows the protocol, and a list of faults, one a request."""

    faults: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    ended: tuple[int, int] | None = None
    lost: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    actions: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    is_away: bool = False
    refusal: Answer | None = None

    async def ask(self, request: Request) -> Answer:
        await asyncio.sleep(0.01)
        self.requests.append(request)
        if self.is_away:
            return AWAY
        if self.refusal is not None:
            return self.refusal
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "forgotten":  # a store that was restored from an older copy
            del self.lines[len(self.lines) // 2 :]
        early = {
            "lost": AWAY,
            "busy": Answer(503),
            "asked to wait": Answer(429, b"", "7"),
            "babble": Answer(200, b"<html>"),
        }
        if fault in early:
            return early[fault]
        if fault == "twice":
            self._take(request)
        answer = self._take(request)
        return AWAY if fault == "unanswered" else answer

    def _take(self, request: Request) -> Answer:
        path = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(path.query).items()}
        if path.path.endswith("/events"):
            return self._events(request, query)
        if path.path.endswith("/pieces"):
            self.pieces.append(request.body)
            return Answer(204)
        if "/actions/" in path.path:
            return self._action(path.path.partition("/actions/")[2], request.body)
        if path.path.endswith("/end"):
            return self._end(request)
        return self._file(path.path.partition("/files/")[2], request.body, int(query["offset"]))

    def _events(self, request: Request, query: dict[str, str]) -> Answer:
        first = int(query["first"])
        if first > len(self.lines):
            return self._answer(409, len(self.lines))
        new = request.body.splitlines() or [b"lost"] * int(query["lost"])
        self.lines += new[len(self.lines) - first :]
        return self._answer(200, len(self.lines))

    def _end(self, request: Request) -> Answer:
        count = count_at(load(request.body), "next")
        if count > len(self.lines):
            return self._answer(409, len(self.lines))
        self.ended = count, count_at(load(request.body), "lost")
        return self._answer(200, len(self.lines))

    def _file(self, name: str, piece: bytes, offset: int) -> Answer:
        have = self.files.get(name, b"")
        if offset > len(have):
            return self._answer(409, len(have))
        self.files[name] = have + piece[len(have) - offset :]
        return self._answer(200, len(self.files[name]))

    def _action(self, digest: str, body: bytes) -> Answer:
        self.actions[digest] = body
        return Answer(201)

    def _answer(self, status: int, number: int) -> Answer:
        return Answer(status, b'{"next":%d}' % number)


@dataclass
class PickyApi(ScriptedApi):
    """Answers as it is told for files of some names."""

    answers: dict[str, Answer] = field(default_factory=dict)

    def _file(self, name: str, piece: bytes, offset: int) -> Answer:
        return self.answers.get(name) or super()._file(name, piece, offset)


@dataclass
class OlderApi(ScriptedApi):
    """Knows nothing of actions, or refuses one."""

    answer: Answer = AWAY

    def _action(self, digest: str, body: bytes) -> Answer:
        del digest, body
        return self.answer


@dataclass
class TimedApi(ScriptedApi):
    """Notes when it is asked."""

    times: list[float] = field(default_factory=list)

    async def ask(self, request: Request) -> Answer:
        self.times.append(asyncio.get_running_loop().time())
        return await super().ask(request)


class BrokenApi(ScriptedApi):
    """Does what no api does: it breaks in the runner itself."""

    async def ask(self, request: Request) -> Answer:
        raise RuntimeError(f"no {request.method}")


class Run:
    """A transcript that is written and delivered."""

    def __init__(self, api: ScriptedApi, folder: Path) -> None:
        self.path = folder / "transcript.jsonl"
        self._file = self.path.open("wb", buffering=0)
        self.refusals: list[str] = []
        self.shutdown = Shutdown()
        spool = Spool(self.path, 1000)
        self.delivery = Delivery(api, spool, Pieces(""), "/a", self.refusals.append)

    def write(self, *lines: bytes) -> None:
        for line in lines:
            self._file.write(line + b"\n")
            self.delivery.hear(line + b"\n", True)

    async def finish(self, *files: WorkFile, seconds: float = 10_000_000) -> tuple[str, ...]:
        self._file.close()
        until = asyncio.get_running_loop().time() + seconds
        return await self.delivery.finish(files, until, self.shutdown)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.005, 0.02, 30.0])), max_size=12),
    st.lists(st.sampled_from(FAULTS), max_size=30),
)
def test_random_failures_deliver_every_event_once_and_in_order(
    bursts: Sequence[tuple[int, float]], faults: list[str]
) -> None:
    async def deliver(folder: Path) -> tuple[ScriptedApi, list[bytes], tuple[str, ...]]:
        api = ScriptedApi(list(faults))
        run = Run(api, folder)
        written: list[bytes] = []
        for count, pause in bursts:
            lines = [b"%d" % (len(written) + number) for number in range(count)]
            run.write(*lines)
            written += lines
            await asyncio.sleep(pause)
        return api, written, await run.finish()

    with TemporaryDirectory() as folder:
        api, written, remarks = manual_loop.run(deliver(Path(folder)))
    assert api.lines == written
    assert api.ended == (len(written), 0)
    assert remarks == ()


def test_an_event_goes_at_once_when_nothing_is_under_way(tmp_path: Path) -> None:
    async def deliver() -> list[bytes]:
        api = ScriptedApi()
        run = Run(api, tmp_path)
        run.write(b"0")
        await asyncio.sleep(0.005)
        run.write(b"1", b"2")  # while the first is under way: they go together
        await asyncio.sleep(0.02)
        bodies = [each.body for each in api.requests]
        await run.finish()
        return bodies

    assert manual_loop.run(deliver()) == [b"0\n", b"1\n2\n"]


def test_an_api_that_stays_away_costs_the_wait_and_a_remark(tmp_path: Path) -> None:
    async def deliver() -> tuple[tuple[str, ...], float]:
        run = Run(ScriptedApi(is_away=True), tmp_path)
        run.write(b"0", b"1")
        begin = asyncio.get_running_loop().time()
        remarks = await run.finish(seconds=60)
        return remarks, asyncio.get_running_loop().time() - begin

    remarks, seconds = manual_loop.run(deliver())
    assert remarks == ("2 events were not delivered.",)
    assert seconds == 60


def test_an_api_that_comes_back_within_the_wait_gets_it_all(tmp_path: Path) -> None:
    async def deliver() -> tuple[tuple[str, ...], list[bytes], float]:
        loop = asyncio.get_running_loop()
        api = ScriptedApi(is_away=True)
        run = Run(api, tmp_path)
        run.write(b"0", b"1")
        loop.call_later(30, setattr, api, "is_away", False)
        begin = loop.time()
        return await run.finish(seconds=60), api.lines, loop.time() - begin

    remarks, lines, seconds = manual_loop.run(deliver())
    assert (remarks, lines) == ((), [b"0", b"1"])
    assert 30 <= seconds <= 36


def test_sigterm_ends_the_wait_a_second_before_the_grace_is_over(tmp_path: Path) -> None:
    async def deliver() -> float:
        loop = asyncio.get_running_loop()
        run = Run(ScriptedApi(is_away=True), tmp_path)
        run.write(b"0")
        begin = loop.time()
        loop.call_later(10, lambda: run.shutdown.request(begin + 10 + 20))
        await run.finish(seconds=60)
        return loop.time() - begin

    assert manual_loop.run(deliver()) == 29


def test_a_refused_key_ends_it_for_good_and_says_why(tmp_path: Path) -> None:
    async def deliver() -> tuple[tuple[str, ...], list[str], int]:
        api = ScriptedApi(refusal=Answer(401, b"Unknown key."))
        run = Run(api, tmp_path)
        run.write(b"0")
        await asyncio.sleep(1)
        run.write(b"1")
        remarks = await run.finish(seconds=60)
        return remarks, run.refusals, len(api.requests)

    remarks, refusals, requests = manual_loop.run(deliver())
    assert refusals == ["the api answered 401: Unknown key."]
    assert remarks == ("2 events were not delivered (the api answered 401: Unknown key.).",)
    assert requests == 1


def test_a_gap_is_told_and_counted(tmp_path: Path) -> None:
    async def deliver() -> tuple[ScriptedApi, tuple[str, ...]]:
        api = ScriptedApi(is_away=True)
        run = Run(api, tmp_path)
        for _ in range(5):
            run.delivery.hear(b"x" * 399 + b"\n", False)  # 2000 bytes, of which 1000 are kept
        asyncio.get_running_loop().call_later(1, setattr, api, "is_away", False)
        return api, await run.finish()

    api, remarks = manual_loop.run(deliver())
    assert api.lines == [b"lost"] * 3 + [b"x" * 399] * 2
    assert api.ended == (5, 3)
    assert remarks == ("3 events were lost before they could be delivered.",)


def test_a_gap_that_the_api_does_not_take_at_once_is_counted_once(tmp_path: Path) -> None:
    """It was restored from an older copy while events gave way."""

    async def deliver() -> tuple[ScriptedApi, tuple[str, ...]]:
        api = ScriptedApi()
        run = Run(api, tmp_path)
        run.write(b"0", b"1")
        await asyncio.sleep(1)
        api.is_away, api.faults = True, ["forgotten"]
        for _ in range(5):
            run.delivery.hear(b"x" * 399 + b"\n", False)  # 2000 bytes, of which 1000 are kept
        asyncio.get_running_loop().call_later(1, setattr, api, "is_away", False)
        return api, await run.finish()

    api, remarks = manual_loop.run(deliver())
    assert api.lines == [b"0", b"1"] + [b"lost"] * 3 + [b"x" * 399] * 2
    assert api.ended == (7, 3)
    assert remarks == ("3 events were lost before they could be delivered.",)


def test_an_api_that_forgets_again_and_again_is_asked_less_and_less(tmp_path: Path) -> None:
    forgets = Answer(409, b'{"next":0}')

    async def deliver() -> tuple[list[float], list[float]]:
        api = TimedApi(refusal=forgets)
        run = Run(api, tmp_path)
        run.write(b"0")
        await asyncio.sleep(60)
        first, api.times, api.refusal = api.times, [], None
        await asyncio.sleep(60)
        api.times, api.refusal = [], forgets
        run.write(b"1")
        await asyncio.sleep(1)
        api.refusal = None
        await run.finish()
        return first, api.times

    for times in manual_loop.run(deliver()):  # after it has taken something it begins anew
        pauses = [later - earlier - 0.01 for earlier, later in pairwise(times[:4])]
        for number, pause in enumerate(pauses):
            assert 0.05 * 2**number - 1e-6 <= pause <= 0.1 * 2**number + 1e-6


def test_a_delivery_that_breaks_says_so_and_ends_nothing_else(tmp_path: Path) -> None:
    async def deliver() -> tuple[str, ...]:
        run = Run(BrokenApi(), tmp_path)
        run.write(b"0")
        return await run.finish(seconds=60)

    [remark] = manual_loop.run(deliver())
    assert remark == ("1 events were not delivered (delivery broke: RuntimeError('no POST')).")


def make_file(folder: Path, name: str, content: bytes) -> WorkFile:
    place = folder / name
    place.write_bytes(content)
    return WorkFile(place, name, len(content), hashlib.sha256(content).hexdigest())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(("lost", "unanswered", "twice", "busy", "babble")), max_size=8))
def test_files_go_after_the_events_in_pieces_whatever_fails(faults: list[str]) -> None:
    contents = {"a/b c.txt": b"", "big.bin": bytes(range(256)) * 4_500}  # two pieces

    async def deliver(folder: Path) -> tuple[ScriptedApi, tuple[str, ...]]:
        api = ScriptedApi(list(faults))
        run = Run(api, folder)
        (folder / "a").mkdir()
        files = [make_file(folder, name, content) for name, content in contents.items()]
        run.write(b"0")
        return api, await run.finish(*files)

    with TemporaryDirectory() as folder:
        api, remarks = manual_loop.run(deliver(Path(folder)))
    assert api.files == {"a/b%20c.txt": b"", "big.bin": contents["big.bin"]}
    assert (api.lines, remarks) == ([b"0"], ())


def test_a_file_that_changes_under_way_is_said_to_be_missing(tmp_path: Path) -> None:
    async def deliver() -> tuple[str, ...]:
        file = make_file(tmp_path, "a", b"12345")
        (tmp_path / "a").write_bytes(b"123456")
        return await Run(ScriptedApi(), tmp_path).finish(file)

    assert manual_loop.run(deliver()) == ("1 files were not delivered.",)


def deliver_files(api: ScriptedApi, folder: Path, *files: WorkFile) -> tuple[str, ...]:
    async def deliver() -> tuple[str, ...]:
        return await Run(api, folder).finish(*files, seconds=60)

    return manual_loop.run(deliver())


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_file_that_is_refused_is_named_and_holds_up_no_other(tmp_path: Path, status: int) -> None:
    api = PickyApi(answers={"a": Answer(status, b"Not this one")})
    files = [make_file(tmp_path, name, b"12345") for name in "ab"]
    remarks = deliver_files(api, tmp_path, *files)
    assert remarks == (f"a was not delivered: the api answered {status}: Not this one.",)
    assert api.files == {"b": b"12345"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_not_about_one_file_ends_the_delivery(tmp_path: Path, status: int) -> None:
    api = PickyApi(answers={"a": Answer(status, b"Unknown key.")})
    files = [make_file(tmp_path, name, b"12345") for name in "ab"]
    remarks = deliver_files(api, tmp_path, *files)
    assert remarks == (f"2 files were not delivered (the api answered {status}: Unknown key.).",)
    assert api.files == {}


@pytest.mark.parametrize("have", [0, 5])
def test_a_file_that_the_api_cannot_use_begins_anew_three_times(tmp_path: Path, have: int) -> None:
    """It says so with 409, whatever it has of it."""
    api = PickyApi(answers={"a": Answer(409, b'{"next":%d}' % have)})
    files = [make_file(tmp_path, name, b"12345") for name in "ab"]
    remarks = deliver_files(api, tmp_path, *files)
    assert remarks == ("1 files were not delivered.",)
    assert api.files == {"b": b"12345"}
    asked = [each for each in api.requests if each.path.startswith("/a/files/a?")]
    assert len(asked) == 4 + bool(have)  # the end that it says to have is a step forward


def test_a_file_has_as_many_pieces_as_it_needs(tmp_path: Path) -> None:
    api = ScriptedApi()
    content = bytes(6 * PIECE_BYTES + 1)
    assert deliver_files(api, tmp_path, make_file(tmp_path, "a", content)) == ()
    assert api.files == {"a": content}


def test_pieces_of_an_answer_go_out_a_few_times_a_second_and_never_again() -> None:
    async def deliver(folder: Path) -> ScriptedApi:
        api = ScriptedApi()
        run = Run(api, folder)
        run.write(b"0")
        for number in range(30):
            run.delivery.hear_piece(
                {
                    "type": "stream_event",
                    "event": {
                        "type": "content_block_delta",
                        "index": 0,
                        "delta": {"type": "text_delta", "text": f"{number} "},
                    },
                }
            )
            await asyncio.sleep(0.05)
        run.write(b"1")
        await run.finish()
        return api

    with TemporaryDirectory() as folder:
        api = manual_loop.run(deliver(Path(folder)))
    texts = [
        text_at(event, "event", "delta", "text")
        for body in api.pieces
        for event in objects_at(load(body), "events")
    ]
    said = "".join(texts)
    assert "".join(f"{number} " for number in range(30)).startswith(said)
    assert 4 <= len(api.pieces) <= 7
    assert api.lines == [b"0", b"1"]


def test_an_api_that_takes_no_pieces_gets_the_transcript() -> None:
    async def deliver(folder: Path) -> ScriptedApi:
        api = ScriptedApi(["lost"] * 3)
        run = Run(api, folder)
        run.delivery.hear_piece({"type": "stream_event", "event": {"type": "message_stop"}})
        await asyncio.sleep(0.5)
        run.write(b"0")
        await run.finish()
        return api

    with TemporaryDirectory() as folder:
        api = manual_loop.run(deliver(Path(folder)))
    assert (api.pieces, api.lines) == ([], [b"0"])


@pytest.mark.parametrize("faults", [[], ["busy"], ["unanswered"], ["asked to wait", "lost"]])
def test_the_action_that_waits_goes_before_the_rest(tmp_path: Path, faults: list[str]) -> None:
    async def deliver() -> tuple[ScriptedApi, bool, tuple[str, ...]]:
        api = ScriptedApi(list(faults))
        run = Run(api, tmp_path)
        run.write(b"0", b"1")
        run.delivery.deliver_action("sha256:aa", b"{}")
        remarks = await run.finish()
        return api, run.delivery.has_taken_action, remarks

    api, taken, remarks = manual_loop.run(deliver())

    assert api.requests[0].path == "/a/actions/sha256:aa"
    assert (api.actions, api.lines) == ({"sha256:aa": b"{}"}, [b"0", b"1"])
    assert (taken, remarks) == (True, ())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404, b"Not Found"), "the api answered 404: Not Found"),
        (Answer(422, b'{"detail":"other digest"}'), "the api answered 422: other digest"),
        (Answer(409, b'{"next":0}'), "the api answered 409"),
    ],
)
def test_an_api_that_refuses_the_action_takes_the_rest(
    tmp_path: Path, answer: Answer, why: str
) -> None:
    async def deliver() -> tuple[ScriptedApi, bool, tuple[str, ...]]:
        api = OlderApi(answer=answer)
        run = Run(api, tmp_path)
        run.write(b"0")
        run.delivery.deliver_action("sha256:aa", b"{}")
        remarks = await run.finish()
        return api, run.delivery.has_taken_action, remarks

    api, taken, remarks = manual_loop.run(deliver())

    assert (taken, api.lines) == (False, [b"0"])
    assert remarks == (f"The whole action was not delivered: {why}.",)


def test_an_action_that_is_not_taken_in_time_is_told(tmp_path: Path) -> None:
    async def deliver() -> tuple[bool, tuple[str, ...]]:
        run = Run(ScriptedApi(is_away=True), tmp_path)
        run.delivery.deliver_action("sha256:aa", b"{}")
        remarks = await run.finish(seconds=60)
        return run.delivery.has_taken_action, remarks

    assert manual_loop.run(deliver()) == (
        False,
        ("The whole action was not delivered: not in time.",),
    )


def test_an_action_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    async def deliver() -> tuple[list[str], tuple[str, ...]]:
        api = ScriptedApi()
        run = Run(api, tmp_path)
        run.delivery.deliver_action("sha256:aa", b"x" * (64 * 1024 + 1))
        remarks = await run.finish()
        return [each.path for each in api.requests], remarks

    paths, remarks = manual_loop.run(deliver())
    assert paths == ["/a/end"]
    assert remarks == ("The whole action was not delivered: 65537 bytes; it may have 65536.",)
