"""Half of a surrogate pair in what is sent: refused alike, wherever it stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.people.identities import new_guest_id
from support.shared_api import ApiApp, api_app

HALF = rb"\ud83d"
KIND = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/agents", b'{"name": "H"}', "body.name"),
        ("POST", "/api/agents", b'{"name": "x", "spec": {"prompt": "H"}}', "body.spec.prompt"),
        ("POST", "/api/agents", b'{"name": "x", "yaml": "H"}', "body.yaml"),
        ("POST", "/api/agents/preview", b'{"spec": {"prompt": "a H"}}', "body.spec.prompt"),
        ("POST", "/api/agents/preview", b'{"spec": {"H": 1}}', "body.spec"),
        ("POST", "/api/agents/preview", b'{"spec": {"a": [1, "H"]}}', "body.spec.a.1"),
        ("POST", "/api/agents/preview", '{"spec": {"a": "\ud83d"}}', "body.spec.a"),
        ("POST", "/api/schedules/preview", b'{"schedule": {"cron": "H"}}', "body.schedule.cron"),
        ("PUT", "/api/secrets/a", b'{"values": {"a": "H"}}', "body.values.a"),
        ("PATCH", "/api/agents/x", b'{"spec": {"prompt": "H"}}', "body.spec.prompt"),
    ],
    ids=str,
)
async def test_it_is_refused_by_its_field(
    api: ApiApp, method: str, path: str, body: bytes | str, field: str
) -> None:
    sent = body.replace(b"H", HALF) if isinstance(body, bytes) else body
    raws = (
        [sent]
        if isinstance(sent, bytes)
        else [sent.encode(coding, "surrogatepass") for coding in ("utf-8", "utf-16", "utf-32")]
    )
    async with api.browser(new_guest_id()) as browser:
        for raw in raws:
            answer = await browser.request(method, path, content=raw, headers=KIND)
            assert answer.status_code == 422, answer.text
            assert [each["field"] for each in answer.json()["errors"]] == [field]
            assert "surrogate" in answer.json()["detail"]


async def test_a_whole_pair_is_text(api: ApiApp) -> None:
    body = rb'{"name": "x", "spec": {"prompt": "\ud83d\ude00"}}'
    async with api.browser(new_guest_id()) as browser:
        answer = await browser.post("/api/agents", content=body, headers=KIND)
    assert answer.status_code == 201, answer.text
