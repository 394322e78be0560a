"""The archive holds all of a person's things and nobody else's, and takes no memory for it."""

import hashlib
import io
import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest_asyncio

from heliostat_api.account.zips import pack
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.documents.files import WorkFile
from heliostat_api.documents.port import Fields, Put
from heliostat_api.webhooks.records import Delivery, Webhook
from heliostat_api.webhooks.trigger_keys import NewTriggerKey
from support.shared_api import ApiApp, api_app

ANN, BOB = "guest-ann", "guest-bob"
MEBIBYTE = 2**20
LINES = 200
LINE = json.dumps({"type": "assistant", "text": "사과 " * 17_000})  # 100 kB
CHART = b"\x89PNG" + bytes(range(256)) * 4_000


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        yield opened


async def fetch(api: ApiApp, person: str) -> ZipFile:
    async with api.browser(person) as browser:
        answer = await browser.get("/api/me/archive")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="heliostat-2026-11-22.zip"'
    )
    archive = ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


async def give_agent(api: ApiApp, person: str, name: str) -> str:
    async with api.browser(person) as browser:
        made = await browser.post("/api/agents", json={"name": name, "spec": {"prompt": "Count."}})
        path = f"/api/agents/{made.json()['agent']}"
        await browser.patch(path, json={"description": "x"}, headers={"If-Match": "*"})
    return str(made.json()["agent"])


async def give_conversation(api: ApiApp, person: str, messages: int) -> None:
    path, now = f"conversations/of-{person}", api.clock()
    await api.documents.commit(
        Put(path, {"userId": person, "title": "Sales", "createdAt": now, "state": "idle"})
    )
    for number in range(messages):
        said: Fields = {
            "role": "user",
            "content": f"{number}",
            "timestamp": now + timedelta(0, number),
        }
        await api.documents.commit(Put(f"{path}/messages/m-{number}", said))


async def give_file(api: ApiApp, uid: str, path: str, content: bytes) -> None:
    file = WorkFile(1, path, len(content), hashlib.sha256(content).hexdigest())
    await api.parts.files.write(uid, file, 0, content)


async def give_webhook(api: ApiApp, person: str, agent: str) -> tuple[str, str, str]:
    """A key of an agent's trigger, a webhook and a delivery; their ids."""
    somebody = Person(person, PersonKind.USER)
    order = NewTriggerKey(name="ci", kind="signature")
    key = await api.parts.webhooks.keys.create(somebody, agent, order)
    webhook = Webhook(
        user_id=person, created_at=api.clock(), url="https://hooks.example", sealed="x"
    )
    await api.documents.commit(Put(f"webhooks/hook-{person}", webhook.fields()))
    delivery = Delivery(
        user_id=person,
        webhook_id=f"hook-{person}",
        agent_id=agent,
        event="execution.failed",
        created_at=api.clock(),
        body="{}",
        next_time=api.clock(),
    )
    await api.documents.commit(Put(f"deliveries/msg-{person}", delivery.fields()))
    return key.id, f"hook-{person}", f"msg-{person}"


async def test_all_of_mine_is_there_and_nothing_else(api: ApiApp) -> None:
    agent = await give_agent(api, ANN, "Sales report")
    await give_agent(api, BOB, "Bob's")
    uid = await api.give_execution(ANN)
    await api.give_execution(BOB, "bob-1")
    await api.parts.transcripts.append(uid, 1, 0, ['{"n":0}', '{"n":1}'])
    await api.parts.transcripts.lose(uid, 1, 2, 3)
    await api.parts.transcripts.append(uid, 1, 5, ['{"n":5}'])
    await api.parts.transcripts.lose(uid, 1, 6, 1)
    await give_file(api, uid, "out/chart.png", CHART)
    await give_file(api, uid, "C:\\..\\boot.ini", b"x")
    await give_conversation(api, ANN, 60)
    await give_conversation(api, BOB, 1)
    key, hook, delivery = await give_webhook(api, ANN, agent)
    await give_webhook(api, BOB, agent)
    archive = await fetch(api, ANN)
    folder, run = f"agents/sales-report-{agent}", f"executions/{uid}"
    assert set(archive.namelist()) == {
        "README.txt",
        f"{folder}/agent.yaml",
        f"{folder}/revisions/1.json",
        f"{folder}/revisions/2.json",
        f"{run}/execution.json",
        f"{run}/transcript-1.jsonl",
        f"{run}/files/1/out/chart.png",
        f"{run}/files/1/C__.._boot.ini",
        f"conversations/of-{ANN}.json",
        f"triggers/{key}.json",
        f"webhooks/{hook}.json",
        f"deliveries/{delivery}.json",
    }
    for name in (f"triggers/{key}", f"webhooks/{hook}", f"deliveries/{delivery}"):
        said = archive.read(f"{name}.json").decode()
        assert not any(each in said for each in ("sealed", "digest")), said
    assert b"kind: Agent" in archive.read(f"{folder}/agent.yaml")
    assert json.loads(archive.read(f"{folder}/revisions/1.json"))["description"] == ""
    assert json.loads(archive.read(f"{folder}/revisions/2.json"))["description"] == "x"
    told = json.loads(archive.read(f"{run}/execution.json"))
    assert (told["id"], told["spec"]["agentRef"]["name"]) == (uid, "sales")
    lines = [json.loads(each) for each in archive.read(f"{run}/transcript-1.jsonl").splitlines()]
    lost = {"type": "heliostat", "subtype": "lost"}
    assert lines == [
        {"n": 0},
        {"n": 1},
        {**lost, "first": 2, "count": 3},
        {"n": 5},
        {**lost, "first": 6, "count": 1},
    ]
    assert archive.read(f"{run}/files/1/out/chart.png") == CHART
    conversation = json.loads(archive.read(f"conversations/of-{ANN}.json"))
    assert [each["content"] for each in conversation["messages"]] == [str(n) for n in range(60)]
    assert conversation["createdAt"] == "2026-11-22T12:00:00+00:00"


async def test_who_has_nothing_gets_the_readme(api: ApiApp) -> None:
    archive = await fetch(api, ANN)
    assert archive.namelist() == ["README.txt"]
    assert ANN.encode() in archive.read("README.txt")


async def test_big_transcripts_take_no_memory(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    for first in range(0, LINES, 20):
        await api.parts.transcripts.append(uid, 1, first, [LINE] * 20)
    entries = api.parts.archive.entries(Person(ANN, PersonKind.GUEST))
    sent = io.BytesIO()
    tracemalloc.start()
    try:
        async for piece in pack(entries):
            sent.write(piece)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    found = ZipFile(sent).read(f"executions/{uid}/transcript-1.jsonl")
    assert len(found) > 40 * MEBIBYTE
    assert found == f"{LINE}\n".encode() * LINES
    assert most < 20 * MEBIBYTE
