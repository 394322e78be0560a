"""Other programs start an agent: who may, and that a delivery starts it once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.app.main import create_app
from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents.port import Query
from heliostat_api.people.identities import new_guest_id
from heliostat_core.executions import MOST_INPUT, Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import EXECUTION, UnavailableError
from support.builders.resources import make_agent
from support.hooks import sign, sign_for_github
from support.shared_api import SECRET, URL, ApiApp, api_app

ANN = new_guest_id()
BODY = b'{"ref": "refs/heads/main"}'


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, ApiSettings(limit_guest=1000)) as opened:
        yield opened


async def make_key(api: ApiApp, agent: str, kind: str = "bearer") -> dict[str, str]:
    async with api.browser(ANN) as ann:
        path = f"/api/agents/{agent}/trigger-keys"
        made = await ann.post(path, json={"name": "ci", "kind": kind})
        assert made.status_code == 201, made.text
        found: dict[str, str] = made.json()
        assert found["secret"] not in (await ann.get(path)).text
    return found


async def call(
    api: ApiApp, agent: str, headers: Mapping[str, str], body: bytes = BODY
) -> httpx2.Response:
    """Without a session, as a program does."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(api.app), base_url=URL) as client:
        return await client.post(f"/api/triggers/agents/{agent}", content=body, headers=named)


async def runs(api: ApiApp) -> list[Execution]:
    return [Execution.model_validate(each) async for each in api.world.list(EXECUTION)]


def standard(api: ApiApp, secret: str, body: bytes = BODY, **changed: str) -> dict[str, str]:
    """Headers of Standard Webhooks."""
    at = changed.pop("at", str(int(api.clock().timestamp())))
    signature = sign(secret, "msg-1", at, body)
    signed = {"webhook_id": "msg-1", "webhook_timestamp": at, "webhook_signature": signature}
    return {**signed, **changed}


async def test_a_bearer_key_starts_a_run_of_the_owners(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    answer = await call(api, agent, {"authorization": f"Bearer {key['secret']}"})
    assert answer.status_code == 202, answer.text
    (run,) = await runs(api)
    assert answer.json()["execution"] == run.metadata.uid
    assert run.spec.input == BODY.decode()
    assert run.spec.trigger.kind == "Webhook"
    assert run.metadata.annotations[OWNER_ANNOTATION] == ANN
    async with api.browser(ANN) as ann:
        listed = (await ann.get("/api/executions")).json()["items"]
    assert [each["trigger"] for each in listed] == ["Webhook"]


@pytest.mark.parametrize("style", ["github", "standard"])
async def test_a_signature_starts_a_run_once_for_each_delivery(api: ApiApp, style: str) -> None:
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    if style == "github":
        hub = sign_for_github(secret, BODY)
        headers = {"x_hub_signature_256": hub, "x_github_delivery": "d-1"}
        other = {**headers, "x_github_delivery": "d-2"}
    else:
        headers = standard(
            api,
            secret,
            webhook_signature="v1,AAAA "
            + sign(secret, "msg-1", str(int(api.clock().timestamp())), BODY),
        )
        other = {}
    answers = [await call(api, agent, headers) for _ in range(3)]
    assert {each.status_code for each in answers} == {202}, answers[0].text
    assert len({each.text for each in answers}) == 1
    (run,) = await runs(api)
    assert run.spec.trigger.id == ("d-1" if style == "github" else "msg-1")
    if other:
        assert (await call(api, agent, other)).status_code == 202
        assert len(await runs(api)) == 2
    forged = await call(api, agent, headers, BODY + b" ")
    assert forged.status_code == 401


async def test_the_id_of_a_signed_call_is_the_signed_one(api: ApiApp) -> None:
    """Headers beside it are anybody's: who has a call can't start another run with it."""
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    first = await call(api, agent, standard(api, secret))
    assert first.status_code == 202, first.text
    beside: list[dict[str, str]] = [
        {"x_github_delivery": "d-1"},
        {"x_github_delivery": "d-2", "idempotency_key": "k-1"},
        {"x_github_event": "ping"},
    ]
    for each in beside:
        assert (await call(api, agent, {**standard(api, secret), **each})).text == first.text
    (run,) = await runs(api)
    assert run.spec.trigger.id == "msg-1"


async def test_a_signed_call_opens_nothing_but_what_was_signed(api: ApiApp) -> None:
    """Its body, its id and its time, at the agent whose key signed it."""
    agent, others = await api.give_agent(ANN), await api.give_agent(ANN, "other")
    theirs = await api.give_agent(new_guest_id(), "theirs")
    secret = (await make_key(api, agent, "signature"))["secret"]
    await make_key(api, others, "signature")
    signed = standard(api, secret)
    elsewhere = [await call(api, each, signed) for each in (others, theirs)]
    hub = {"x_hub_signature_256": sign_for_github(secret, BODY)}
    elsewhere += [await call(api, each, hub) for each in (others, theirs)]
    at = str(int(signed["webhook_timestamp"]) + 1)
    changed = [
        await call(api, agent, signed, BODY + b" "),
        await call(api, agent, {**signed, "webhook_id": "msg-2"}),
        await call(api, agent, {**signed, "webhook_timestamp": at}),
    ]
    assert {each.status_code for each in (*elsewhere, *changed)} == {401}
    assert await runs(api) == []
    assert (await call(api, agent, signed)).status_code == 202


async def test_a_ping_of_nobodys_is_a_call(api: ApiApp) -> None:
    """Only GitHub's own signature makes its event count."""
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    answer = await call(api, agent, standard(api, secret, x_github_event="ping"))
    assert answer.json()["execution"] is not None


async def test_github_asks_whether_somebody_is_there(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    ping = {"x_hub_signature_256": sign_for_github(secret, BODY), "x_github_event": "ping"}
    answer = await call(api, agent, ping)
    assert (answer.status_code, answer.json()["execution"]) == (202, None)
    assert await runs(api) == []


async def test_an_old_signature_and_one_of_a_time_to_come_are_refused(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    for seconds, status in ((-301, 401), (301, 401), (-299, 202), (299, 202)):
        at = str(int(api.clock().timestamp()) + seconds)
        answer = await call(api, agent, standard(api, secret, at=at))
        assert answer.status_code == status, seconds


async def test_replicas_that_are_called_at_once_start_one_run(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    other = replace(api, app=create_app(api.dependencies))
    headers = {"authorization": f"Bearer {key['secret']}", "idempotency_key": "build-7"}
    calls = [call(each, agent, headers) for each in (api, other) * 5]
    answers = await asyncio.gather(*calls)
    assert {each.status_code for each in answers} == {202}
    assert len({each.text for each in answers}) == 1
    assert len(await runs(api)) == 1


async def test_a_call_that_could_not_be_done_is_done_by_the_next(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    headers = {"authorization": f"Bearer {key['secret']}", "webhook_id": "m-1"}
    api.world.failures["create"] = UnavailableError("the cluster is away")
    assert (await call(api, agent, headers)).status_code == 503
    del api.world.failures["create"]
    first = await call(api, agent, headers)
    assert first.status_code == 202
    assert (await call(api, agent, headers)).text == first.text
    assert len(await runs(api)) == 1


async def test_a_delivery_is_known_again_after_days(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    headers = {"authorization": f"Bearer {key['secret']}", "x_github_delivery": "d-1"}
    first = await call(api, agent, headers)
    api.clock.go_on(timedelta(days=3))
    assert (await call(api, agent, headers)).text == first.text
    assert len(await runs(api)) == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"x" * (MOST_INPUT + 1), 413, f"{MOST_INPUT} bytes"),
        (b"x" * MOST_INPUT, 202, ""),
        (b"\xff", 422, "UTF-8"),
        (b"a\0b", 422, "NUL"),
        (b"", 202, ""),
    ],
    ids=["too large", "as large as may be", "no text", "a NUL", "empty"],
)
async def test_what_a_body_may_be(api: ApiApp, body: bytes, status: int, said: str) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    answer = await call(api, agent, {"authorization": f"Bearer {key['secret']}"}, body)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert [len(each.spec.input) for each in await runs(api)] == ([len(body)] * (status == 202))


async def test_a_suspended_agent_says_so_and_a_revoked_key_opens_nothing(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    key = await make_key(api, agent)
    headers = {"authorization": f"Bearer {key['secret']}"}
    suspended = {**make_agent("sales", suspend=True).to_json(), "kind": "Agent"}
    await api.give(ANN, suspended)
    answer = await call(api, agent, headers)
    assert answer.status_code == 409
    assert "suspended" in answer.json()["detail"]
    async with api.browser(ANN) as ann:
        path = f"/api/agents/{agent}/trigger-keys/{key['id']}"
        assert (await ann.delete(path)).status_code == 204
        assert (await ann.delete(path)).status_code == 404
    assert (await call(api, agent, headers)).status_code == 401


@pytest.mark.parametrize("kind", ["bearer", "signature"])
async def test_a_key_that_is_asked_for_again_is_the_same(api: ApiApp, kind: str) -> None:
    agent = await api.give_agent(ANN)
    path, headers = f"/api/agents/{agent}/trigger-keys", {"idempotency-key": "once"}
    async with api.browser(ANN) as ann:

        async def ask(name: str = "ci") -> httpx2.Response:
            return await ann.post(path, json={"name": name, "kind": kind}, headers=headers)

        first, again = await ask(), await ask()
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert len(await listed(api, agent)) == 1
        assert (await ask("another")).status_code == 422
        stored = api.dependencies.documents
        decisions = (await stored.query(Query("idempotency", None, order="createdAt"))).documents
        assert first.json()["secret"] not in str(decisions)
        await ann.delete(f"{path}/{first.json()['id']}")
        gone = await ask()
    assert gone.status_code == 409
    assert "new Idempotency-Key" in gone.json()["detail"]


async def test_limits_of_the_owner_hold(tmp_path: Path) -> None:
    async with api_app(tmp_path, ApiSettings(runs_guest=1, limit_guest=60)) as api:
        agent = await api.give_agent(ANN)
        headers = {"authorization": f"Bearer {(await make_key(api, agent))['secret']}"}
        assert (await call(api, agent, headers)).status_code == 202
        full = await call(api, agent, headers)
        assert (full.status_code, full.headers["retry-after"]) == (429, "10")
        asked = [await call(api, agent, headers) for _ in range(60)]
        assert "60 requests a minute" in asked[-1].text
        assert len(await runs(api)) == 1


async def test_keys_are_not_in_the_store_and_outlive_a_new_session_secret(api: ApiApp) -> None:
    agent = await api.give_agent(ANN)
    secret = (await make_key(api, agent, "signature"))["secret"]
    bearer = (await make_key(api, agent))["secret"]
    stored = api.dependencies.documents
    found = [await stored.get(f"triggers/{each['id']}") for each in await listed(api, agent)]
    assert not any(each in str(found) for each in (secret, bearer, secret.removeprefix("whsec_")))
    async with started(api, b"n" * 32, SECRET) as both:
        assert (await call(both, agent, standard(api, secret))).status_code == 202
    async with started(api, b"n" * 32) as fresh:
        assert (await call(fresh, agent, standard(api, secret))).status_code == 202
    async with started(api, b"x" * 32) as stranger:
        assert (await call(stranger, agent, standard(api, secret))).status_code == 401


async def listed(api: ApiApp, agent: str) -> list[dict[str, JsonValue]]:
    async with api.browser(ANN) as ann:
        answer = await ann.get(f"/api/agents/{agent}/trigger-keys")
    items: list[dict[str, JsonValue]] = answer.json()["items"]
    return items


def started(api: ApiApp, *secrets: bytes) -> "Restarted":
    return Restarted(api, secrets)


class Restarted:
    """The same api after a restart with other secrets, once it has put its things in order."""

    def __init__(self, api: ApiApp, secrets: tuple[bytes, ...]) -> None:
        dependencies = replace(api.dependencies, session_secrets=secrets)
        self._api = replace(api, app=create_app(dependencies))

    async def __aenter__(self) -> ApiApp:
        await self._api.parts.webhooks.sending.targets.settle()
        return self._api

    async def __aexit__(self, *_: object) -> None:
        """Nothing of it ran."""
