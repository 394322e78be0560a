"""The ingest protocol as a runner sees it: paths, statuses and bodies."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from heliostat_api.documents.actions import ACTION_BYTES
from heliostat_api.documents.port import UnavailableError
from heliostat_api.documents.transcripts import Position
from heliostat_api.ingest.endpoints import REQUEST_BYTES, REQUEST_LINES, add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.web.problems import add_problems
from support.deliveries import NOW, KnownRuns, Signer, make_claims
from support.ingest_doubles import MemoryActions, MemoryLog, MemoryTranscripts, NoFiles

ATTEMPT = "/ingest/v1/executions/u-1/attempts/1"
SHA = "0" * 64


class AwayTranscripts(MemoryTranscripts):
    async def position(self, uid: str, attempt: int) -> Position:
        raise UnavailableError(f"no store for {uid}/{attempt}")


def make_app(folder: Path, transcripts: MemoryTranscripts) -> FastAPI:
    app = FastAPI()
    add_problems(app)
    owners = KnownRuns(u_1=("person:local",))
    service = Ingest(transcripts, NoFiles(), MemoryActions(), owners, MemoryLog(), lambda: NOW)
    add_ingest(app, service, Keyring(folder, NOW.timestamp))
    return app


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    signer = Signer(tmp_path / "keys")
    signer.publish()
    return signer


def make_client(signer: Signer, transcripts: MemoryTranscripts) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(make_app(signer.folder, transcripts)),
        base_url="http://api.test",
        headers={"Authorization": f"Bearer {signer.sign(make_claims('u-1'))}"},
    )


@pytest_asyncio.fixture
async def client(signer: Signer) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(signer, MemoryTranscripts()) as client:
        yield client


async def test_a_transcript_from_its_first_event_to_its_end(client: httpx.AsyncClient) -> None:
    answers = [
        await client.get(ATTEMPT),
        await client.post(f"{ATTEMPT}/events?first=0", content=b'{"a":1}\n{"a":2}\n'),
        await client.post(f"{ATTEMPT}/events?first=2&lost=3"),
        await client.post(f"{ATTEMPT}/end", json={"next": 5, "lost": 3}),
        await client.get(ATTEMPT),
    ]
    assert [(each.status_code, each.json()) for each in answers] == [
        (200, {"next": 0}),
        (200, {"next": 2}),
        (200, {"next": 5}),
        (200, {"next": 5}),
        (200, {"next": 5}),
    ]


async def test_a_request_may_have_so_many_lines_however_short(client: httpx.AsyncClient) -> None:
    path = f"{ATTEMPT}/events?first=0"
    refused = await client.post(path, content=b"\n" * (REQUEST_LINES + 1))
    assert refused.status_code == 413
    assert str(REQUEST_LINES) in refused.text
    taken = await client.post(path, content=b"\n" * REQUEST_LINES)
    assert taken.json() == {"next": REQUEST_LINES}


@pytest.mark.parametrize("path", ["events?first=1", "events?first=1&lost=2", "end"])
async def test_what_comes_too_early_is_told_where_to_go_on(
    client: httpx.AsyncClient, path: str
) -> None:
    order = {"next": 1, "lost": 0} if path == "end" else None
    content = b"{}\n" if path == "events?first=1" else None
    answer = await client.post(f"{ATTEMPT}/{path}", json=order, content=content)
    assert (answer.status_code, answer.json()) == (409, {"next": 0})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("executions/u-1/attempts/2", 403),
        ("executions/u-2/attempts/1", 403),
        ("executions/u-1/attempts/0", 422),
        ("executions/u-1/attempts/10000", 422),
        ("executions/a%20b/attempts/1", 422),
    ],
)
async def test_other_attempts_are_refused(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(f"/ingest/v1/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_no_key_is_refused_before_anything_is_read(client: httpx.AsyncClient) -> None:
    too_much = b"x" * (REQUEST_BYTES + 1)
    url = f"{ATTEMPT}/events?first=0"
    refused = await client.post(url, content=too_much, headers={"Authorization": ""})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert (await client.post(url, content=too_much)).status_code == 413


@pytest.mark.parametrize("query", ["", "first=-1", "first=x", "first=0&lost=0", "first=0&lost=-1"])
async def test_a_wrong_number_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.post(f"{ATTEMPT}/events?{query}", content=b"{}\n")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("query.first", "query.lost")


async def test_a_gap_has_no_lines(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{ATTEMPT}/events?first=0&lost=1", content=b"{}\n")
    assert (answer.status_code, "leave the body empty" in answer.text) == (400, True)


async def test_a_store_that_is_away_asks_to_come_again(signer: Signer) -> None:
    async with make_client(signer, AwayTranscripts()) as client:
        answer = await client.post(f"{ATTEMPT}/events?first=0", content=b"{}\n")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_a_file_goes_piece_by_piece(client: httpx.AsyncClient) -> None:
    address = f"{ATTEMPT}/files/out/a%20b.txt?size=3&sha256={SHA}"
    answer = await client.put(f"{address}&offset=0", content=b"12")
    assert (answer.status_code, answer.json()) == (200, {"next": 2})
    assert (await client.get(address)).json() == {"next": 3}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("files/%2e%2e/key", 400),
        ("files/a//b", 400),
        ("files/a/%2e", 400),
        ("files/a%00b", 400),
        ("files/a%0ab", 404),
    ],
)
async def test_a_path_stays_inside_the_workspace(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    query = f"size=1&sha256={SHA}&offset=0"
    answer = await client.put(f"{ATTEMPT}/{path}?{query}", content=b"1")
    assert answer.status_code == status


async def test_pieces_of_an_answer_are_taken_within_bounds(client: httpx.AsyncClient) -> None:
    piece = {"type": "stream_event", "event": {"type": "message_stop"}}
    answer = await client.post(f"{ATTEMPT}/pieces", json={"events": [piece]})
    assert answer.status_code == 204
    huge = await client.post(f"{ATTEMPT}/pieces", json={"events": [{"text": "x" * 70_000}]})
    assert huge.status_code == 413
    assert "65536 bytes" in huge.json()["detail"]
    assert (await client.get(ATTEMPT)).json() == {"next": 0}


ACTION = b'{"tool":"Bash","v":1}'


def action_path(content: bytes) -> str:
    return f"{ATTEMPT}/actions/sha256:{hashlib.sha256(content).hexdigest()}"


async def test_an_action_is_read_as_it_was_delivered(client: httpx.AsyncClient) -> None:
    path = action_path(ACTION)
    assert (await client.get(path)).status_code == 404
    for _ in range(2):
        assert (await client.put(path, content=ACTION)).status_code == 204
    found = await client.get(path)
    assert (found.status_code, found.content) == (200, ACTION)
    assert found.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("content", "path", "status"),
    [
        (ACTION + b" ", action_path(ACTION), 422),
        (b"\xff", action_path(b"\xff"), 422),
        (b"x" * (ACTION_BYTES + 1), action_path(b"x" * (ACTION_BYTES + 1)), 413),
        (ACTION, f"{ATTEMPT}/actions/sha256:{'A' * 64}", 422),
        (ACTION, f"{ATTEMPT}/actions/{'a' * 64}", 422),
    ],
)
async def test_an_action_that_is_not_what_its_digest_says_is_refused(
    client: httpx.AsyncClient, content: bytes, path: str, status: int
) -> None:
    assert (await client.put(path, content=content)).status_code == status
    assert (await client.get(path)).status_code in (404, 422)


async def test_the_largest_action_is_taken(client: httpx.AsyncClient) -> None:
    content = b"x" * ACTION_BYTES
    assert (await client.put(action_path(content), content=content)).status_code == 204


async def test_another_attempt_writes_and_reads_no_action(client: httpx.AsyncClient) -> None:
    path = action_path(ACTION).replace("/attempts/1/", "/attempts/2/")
    assert (await client.put(path, content=ACTION)).status_code == 403
    assert (await client.get(path)).status_code == 403
