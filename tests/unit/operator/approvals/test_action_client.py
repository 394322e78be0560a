"""The operator reads at the api what a run delivered, with a key that pays for nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from heliostat_core.keys import (
    ExecutionClaims,
    new_private_key,
    public_key_id,
    public_pem,
    verify_execution_key,
)
from heliostat_core.worlds import UnavailableError
from heliostat_operator.gateway.actions import (
    MOST_BYTES,
    ActionClient,
    ActionsUnavailableError,
)
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.runs.ask_observer import AskObserver
from heliostat_operator.runs.attempts import AttemptObserver
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.pods import Pod
from support.asking import ASKING, make_action, make_ask, make_asking_result
from support.builders.pods import FINISHED, make_pod, terminated
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_spec,
    seconds,
)
from support.memory_world import MemoryWorld
from support.ports import free_port

PRIVATE = new_private_key()
PUBLIC = public_pem(PRIVATE)
RUN = make_execution()
DIGEST = "sha256:" + "a" * 64


@dataclass
class Api:
    """An api that answers so, and what it was asked."""

    status: int = 200
    content: bytes = b"{}"
    url: str = ""
    paths: list[str] = field(default_factory=list)
    claims: list[ExecutionClaims] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        now = int(NOW.timestamp())
        self.claims.append(verify_execution_key(token, {public_key_id(PUBLIC): PUBLIC}, now))
        self.paths.append(request.path)
        return web.Response(status=self.status, body=self.content)


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[ActionClient]:
    app = web.Application()
    app.router.add_get("/{path:.*}", api.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    client = ActionClient(f"http://{host}:{port}", Signer(PRIVATE, lambda: NOW))
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


def read(api: Api) -> bytes | None:
    async def ask() -> bytes | None:
        async with serving(api) as client:
            return await client.read(RUN, 1, DIGEST)

    return asyncio.run(ask())


def test_it_reads_with_a_key_of_the_very_run_that_pays_for_nothing() -> None:
    api = Api(content=b'{"v":1}')
    assert read(api) == b'{"v":1}'
    uid = RUN.metadata.uid
    assert api.paths == [f"/ingest/v1/executions/{uid}/attempts/1/actions/{DIGEST}"]
    [claims] = api.claims
    assert (claims.execution_uid, claims.attempt) == (uid, 1)
    assert (claims.cap_nanos, claims.cap_tokens, claims.egress) == (0, 0, ())


@pytest.mark.parametrize(
    ("api", "found"),
    [
        (Api(status=404), None),
        (Api(content=b"x" * MOST_BYTES), b"x" * MOST_BYTES),
        (Api(content=b"x" * (MOST_BYTES + 1)), None),
    ],
)
def test_what_is_not_there_or_too_long_is_none(api: Api, found: bytes | None) -> None:
    assert read(api) == found


def test_an_api_that_is_not_well_says_nothing_of_the_action() -> None:
    with pytest.raises(ActionsUnavailableError, match="503"):
        read(Api(status=503))


def test_an_api_that_is_away_says_nothing_of_the_action() -> None:
    async def ask() -> None:
        client = ActionClient(f"http://127.0.0.1:{free_port()}", Signer(PRIVATE, lambda: NOW))
        try:
            await client.read(RUN, 1, DIGEST)
        finally:
            await client.close()

    with pytest.raises(ActionsUnavailableError):
        asyncio.run(ask())


def test_a_look_waits_for_an_api_that_is_away_but_not_for_ever() -> None:
    spec = make_spec(**ASKING)
    ask = make_ask(make_action(RUN, spec), action=None)
    state = terminated(16, message=make_asking_result(ask))
    facts = Facts(None, Pod.model_validate(make_pod("Failed", state)))
    run = make_execution(status=make_condition_status(make_attempt()))

    async def look(after: float) -> bytes | None:
        world = MemoryWorld()
        client = ActionClient(f"http://127.0.0.1:{free_port()}", Signer(PRIVATE, lambda: NOW))
        observer = AskObserver(world, AttemptObserver(world), client)
        try:
            return await observer.action(run, facts, FINISHED + seconds(after))
        finally:
            await client.close()

    with pytest.raises(UnavailableError):
        asyncio.run(look(10))
    assert asyncio.run(look(301)) is None
