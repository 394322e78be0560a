"""Files of runs: their owner gets them, and none of them is ever a page of ours."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.documents.files import WorkFile
from support.shared_api import ApiApp, api_app

ANN = "guest-ann"
CONTENT = b"<script>alert(1)</script>\xff\x00"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        yield opened


async def give_file(api: ApiApp, uid: str, path: str, stored: int = len(CONTENT)) -> WorkFile:
    file = WorkFile(1, path, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    await api.parts.files.write(uid, file, 0, CONTENT[:stored])
    return file


async def fetch(api: ApiApp, path: str) -> httpx2.Response:
    async with api.browser(ANN) as ann:
        return await ann.get(path)


@pytest.mark.parametrize(
    ("path", "kind", "disposition"),
    [
        ("chart.png", "image/png", "inline; filename*=UTF-8''chart.png"),
        ("out/report.md", "text/plain; charset=utf-8", "inline; filename*=UTF-8''report.md"),
        ("t.csv", "text/plain; charset=utf-8", "inline; filename*=UTF-8''t.csv"),
        ("page.html", "application/octet-stream", "attachment; filename*=UTF-8''page.html"),
        ("drawing.svg", "application/octet-stream", "attachment; filename*=UTF-8''drawing.svg"),
        ("run.js", "application/octet-stream", "attachment; filename*=UTF-8''run.js"),
        ("t.csv.gz", "application/octet-stream", "attachment; filename*=UTF-8''t.csv.gz"),
        (
            "보고서.md",
            "text/plain; charset=utf-8",
            "inline; filename*=UTF-8''%EB%B3%B4%EA%B3%A0%EC%84%9C.md",
        ),
    ],
)
async def test_a_file_comes_as_it_is_and_runs_nowhere(
    api: ApiApp, path: str, kind: str, disposition: str
) -> None:
    uid = await api.give_execution(ANN)
    file = await give_file(api, uid, path)
    answer = await fetch(api, f"/api/executions/{uid}/files/{file.id}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == disposition
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_files_are_listed_once_they_are_there_as_a_whole(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    whole = await give_file(api, uid, "out/report.md")
    half = await give_file(api, uid, "half.bin", stored=5)
    listed = (await fetch(api, f"/api/executions/{uid}/files")).json()["items"]
    assert listed == [
        {
            "id": whole.id,
            "attempt": 1,
            "path": "out/report.md",
            "size": len(CONTENT),
            "sha256": whole.sha256,
            "isShown": True,
        }
    ]
    assert (await fetch(api, f"/api/executions/{uid}/files/{half.id}")).status_code == 404


async def give_events(api: ApiApp, uid: str, *events: dict[str, object]) -> None:
    lines = [json.dumps(event) for event in events]
    position = await api.parts.transcripts.position(uid, 1)
    await api.parts.transcripts.append(uid, 1, position.next, lines)


def note(subtype: str, **fields: object) -> dict[str, object]:
    return {"type": "heliostat", "subtype": subtype, **fields}


async def test_what_was_left_out_is_listed_with_the_reason(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    why = "22020096 bytes; a file may have 20971520"
    left = {"leftOutCount": 130, "leftOut": [{"path": "huge.bin", "why": why}]}
    await give_events(api, uid, *(note("output", text="a line") for _ in range(40)))
    await api.parts.transcripts.lose(uid, 1, 40, 5)
    await give_events(api, uid, note("files", count=0, files=[], **left), note("end"))
    answer = (await fetch(api, f"/api/executions/{uid}/files")).json()
    assert answer["leftOut"] == [
        {"attempt": 1, "count": 130, "files": [{"path": "huge.bin", "why": why}], "why": ""}
    ]


async def test_that_nobody_looked_for_files_is_told(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    await give_events(api, uid, note("files", why="There was no time."), note("end"))
    answer = (await fetch(api, f"/api/executions/{uid}/files")).json()
    assert answer["leftOut"] == [
        {"attempt": 1, "count": 0, "files": [], "why": "There was no time."}
    ]


@pytest.mark.parametrize(
    "event",
    [
        note("files", count=1, files=[{"path": "a", "bytes": 1}], leftOutCount=0, leftOut=[]),
        note("files", leftOutCount="many", leftOut=[{"path": 5}, "nonsense"], why=7),
        {"type": "user", "subtype": "files", "why": "an agent said so"},
    ],
)
async def test_where_nothing_was_left_out_nothing_is_told(
    api: ApiApp, event: dict[str, object]
) -> None:
    uid = await api.give_execution(ANN)
    await give_events(api, uid, event, note("end"))
    assert (await fetch(api, f"/api/executions/{uid}/files")).json()["leftOut"] == []
