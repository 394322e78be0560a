"""What a run's programs printed, and what differs between two runs."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import httpx2
from pydantic import JsonValue

from heliostat_api.documents.files import FileBounds, Files, WorkFile
from heliostat_api.documents.transcripts import Transcripts
from heliostat_cli.embedded.supervisors import PodFolder
from heliostat_core.executions import ExecutionStatus
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import EXECUTION, POD, JsonObject
from support.builders.resources import make_attempt
from support.local_api import NAMESPACE, ApiPlace, body_of
from support.shared_api import api_app


def printed(text: str, stream: str = "stdout") -> str:
    return json.dumps({"type": "heliostat", "subtype": "output", "stream": stream, "text": text})


CLAUDE = json.dumps({"type": "assistant", "message": {"content": [{"type": "text", "text": "hi"}]}})
LINES = (printed("<b>one</b>"), CLAUDE, printed("둘", "stderr"), '{"type": "heliostat"}')


async def run(
    place: ApiPlace,
    client: httpx2.AsyncClient,
    name: str,
    pods: Sequence[str] = ("pod-1",),
    **spec: JsonValue,
) -> str:
    """A run with an attempt for each of those pods; its uid, once the api knows of them."""
    head: JsonObject = {
        "apiVersion": EXECUTION.api_version,
        "kind": "Execution",
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
    made = await place.world.create({**head, "spec": {"agentRef": {"name": "sales"}, **spec}})
    attempts = tuple(make_attempt(n, pod_name=pod) for n, pod in enumerate(pods, 1))
    status = ExecutionStatus(attempts=attempts).to_json()
    await place.world.patch_status({**head, "status": status})
    uid = ObjectHead.model_validate(made).metadata.uid
    async with asyncio.timeout(10):
        while (answer := await client.get(f"/api/executions/{uid}")).status_code != 200 or len(
            answer.json()["attempts"]
        ) != len(pods):
            await asyncio.sleep(0.01)
    return uid


async def test_a_runs_output_is_plain_text(place: ApiPlace, client: httpx2.AsyncClient) -> None:
    uid = await run(place, client, "run-1", ("pod-1", "pod-2"))
    transcripts = Transcripts(place.documents)
    await transcripts.append(uid, 1, 0, LINES)
    await transcripts.lose(uid, 1, len(LINES), 3)
    await transcripts.append(uid, 1, len(LINES) + 3, (printed("last"),))
    answer = await client.get(f"/api/executions/{uid}/logs?attempt=1")
    lost = "[heliostat: 3 lines of the transcript are lost]"
    assert answer.text == f"<b>one</b>\n둘\n{lost}\nlast\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    latest = body_of(await client.get(f"/api/executions/{uid}/logs"), 404)
    assert latest["detail"] == "No program printed anything in attempt 2 yet."
    unknown = body_of(await client.get(f"/api/executions/{uid}/logs?attempt=3"), 404)
    assert unknown["detail"] == "There is no attempt 3 of this run."


async def test_a_long_output_comes_whole(place: ApiPlace, client: httpx2.AsyncClient) -> None:
    uid = await run(place, client, "run-1")
    lines = [f"{number} {'x' * 500}" for number in range(4000)]
    await Transcripts(place.documents).append(uid, 1, 0, [*map(printed, lines)])
    answer = await client.get(f"/api/executions/{uid}/logs")
    assert answer.text.splitlines() == lines


async def test_what_no_runner_delivered_is_read_from_the_pod(
    place: ApiPlace, client: httpx2.AsyncClient
) -> None:
    uid = await run(place, client, "run-1")
    pod = await place.world.create(
        {
            "apiVersion": POD.api_version,
            "kind": "Pod",
            "metadata": {"name": "pod-1", "namespace": NAMESPACE},
            "spec": {},
        }
    )
    log = PodFolder(place.folder.pod(ObjectHead.model_validate(pod).metadata.uid)).log
    log.parent.mkdir(parents=True)
    deep = '{"a": ' + "[" * 2000 + "]" * 2000 + "}"
    log.write_text("\n".join(("runner: hello", *LINES, deep, "")))
    answer = await client.get(f"/api/executions/{uid}/logs")
    left_out = f"[heliostat: a line of {len(deep)} bytes is left out]"
    assert answer.text == f"runner: hello\n<b>one</b>\n둘\n{left_out}\n"


async def give_file(place: ApiPlace, uid: str, path: str, content: bytes, attempt: int = 1) -> str:
    file = WorkFile(attempt, path, len(content), hashlib.sha256(content).hexdigest())
    await Files(place.documents, place.clock, FileBounds()).write(uid, file, 0, content)
    return file.id


async def test_two_runs_are_compared(place: ApiPlace, client: httpx2.AsyncClient) -> None:
    left = await run(place, client, "run-1", input="May", priority=3)
    right = await run(place, client, "run-2", ("pod-1", "pod-2"), input="June", priority=3)
    same = [await give_file(place, uid, "same.csv", b"1") for uid in (left, right)]
    gone = await give_file(place, left, "gone.csv", b"1")
    before = await give_file(place, left, "report.md", b"May")
    await give_file(place, right, "report.md", b"May")
    after = await give_file(place, right, "report.md", b"June", attempt=2)
    new = await give_file(place, right, "new.csv", b"1")
    diff = body_of(await client.get(f"/api/executions/{left}/diff/{right}"), 200)
    assert diff["changes"] == [
        {"field": "attempts", "before": 1, "after": 2},
        {"field": "spec.input", "before": "May", "after": "June"},
    ]
    assert diff["files"] == [
        {"path": "gone.csv", "change": "removed", "leftId": gone, "rightId": None},
        {"path": "new.csv", "change": "added", "leftId": None, "rightId": new},
        {"path": "report.md", "change": "changed", "leftId": before, "rightId": after},
        {"path": "same.csv", "change": "same", "leftId": same[0], "rightId": same[1]},
    ]
    own, other = diff["left"], diff["right"]
    assert isinstance(own, dict)
    assert isinstance(other, dict)
    assert (own["id"], other["id"]) == (left, right)
    itself = body_of(await client.get(f"/api/executions/{left}/diff/{left}"), 200)
    assert itself["changes"] == []


async def test_nobody_compares_with_anothers_run(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser("guest-bob") as bob:
        hers = await api.give_execution("guest-ann", "hers")
        his = await api.give_execution("guest-bob", "his")
        answers = [
            await bob.get(f"/api/executions/{left}/diff/{right}")
            for left, right in [(his, hers), (hers, his), (his, "nothing")]
        ]
        assert {(each.status_code, each.text) for each in answers} == {
            (404, answers[0].text),
        }
