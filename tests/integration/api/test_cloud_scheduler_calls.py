"""Cloud Scheduler calls the api: whom it believes, and what a call makes."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import JsonValue

from heliostat_api.app.settings import ApiSettings
from heliostat_api.people.keysets import JsonMap, KeySet
from heliostat_api.schedules.cloud_tokens import CloudTokens
from heliostat_cli.embedded.gateways import EmbeddedServer, serving_app
from heliostat_cli.embedded.ports import port_of
from heliostat_core.executions import Execution
from heliostat_core.names import scheduled_name
from heliostat_core.schedules.cloud_jobs import CloudCall, cloud_job_id
from heliostat_core.worlds import EXECUTION
from support.builders.resources import NOW, make_agent
from support.google.scheduler import google_keys, sign
from support.oidc import rsa_key
from support.shared_api import api_app

CALLER = "caller@acme.iam.gserviceaccount.com"
API = "https://agents.example"
PATH = "/api/triggers/cloud-scheduler"
AGENT = make_agent(
    schedule={"frequency": "hourly", "startingDeadlineSeconds": 600, "trigger": "CloudScheduler"}
)
CALL = CloudCall(namespace="default", agent="sales", uid=AGENT.metadata.uid)


class Keys:
    """Google's, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self, _: str) -> JsonMap:
        self.asked += 1
        return google_keys()


async def test_only_the_account_of_the_settings_is_believed_and_keys_are_kept() -> None:
    keys = Keys()
    tokens = CloudTokens(API, CALLER, KeySet("https://keys.test", lambda: 0.0, keys.fetch))
    assert await tokens.is_ours(sign(CALLER, API))
    assert await tokens.is_ours(sign(CALLER, API, iss="accounts.google.com"))
    assert keys.asked == 1


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("x", id="no token"),
        pytest.param(sign(CALLER, API, rsa_key("stranger")), id="signed by another"),
        pytest.param(sign(CALLER, "https://other.example"), id="for another audience"),
        pytest.param(sign(CALLER, API, iss="https://other.example"), id="of another issuer"),
        pytest.param(sign("other@acme.iam.gserviceaccount.com", API), id="of another account"),
        pytest.param(sign(CALLER, API, email_verified=False), id="an address nobody verified"),
        pytest.param(sign(CALLER, API, email=None), id="without an address"),
        pytest.param(sign(CALLER, API, exp=1), id="expired"),
        pytest.param(sign(CALLER, API, exp=None), id="for ever"),
    ],
)
async def test_no_other_token_is_believed(token: str | None) -> None:
    keys = KeySet("https://keys.test", lambda: 0.0, Keys().fetch)
    assert not await CloudTokens(API, CALLER, keys).is_ours(token)


@asynccontextmanager
async def published() -> AsyncIterator[str]:
    """The address of Google's keys."""
    app = FastAPI()

    @app.get("/keys")
    async def publish() -> dict[str, JsonValue]:
        return google_keys()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with serving_app(app, listening, EmbeddedServer):
            yield f"http://127.0.0.1:{port_of(listening)}/keys"


def headers(time: datetime, job: str = cloud_job_id(CALL)) -> Mapping[str, str]:
    return {
        "Authorization": f"Bearer {sign(CALLER, API)}",
        "X-CloudScheduler-JobName": job,
        "X-CloudScheduler-ScheduleTime": time.isoformat(),
    }


async def test_a_time_makes_one_execution_and_run_now_another(tmp_path: Path) -> None:
    async with published() as url:
        given = {
            "cloud_scheduler_account": CALLER,
            "cloud_scheduler_audience": API,
            "cloud_scheduler_keys_url": url,
        }
        async with api_app(tmp_path, ApiSettings.model_validate(given)) as api:
            api.world.put({**AGENT.to_json(), "kind": "Agent"})
            async with api.browser() as google:
                del google.headers["Origin"]
                made = [await called(google, headers(NOW)) for _ in range(2)]
                by_hand = await called(google, headers(NOW.replace(second=7, microsecond=5)))
                foreign = await called(google, headers(NOW, "heliostat-default-sales-other"))
                other = CALL.model_copy(update={"uid": "other"})
                gone = await called(google, headers(NOW, cloud_job_id(other)), other)
                no_time = {**headers(NOW), "X-CloudScheduler-ScheduleTime": ""}
                nameless = await called(google, no_time)
    assert [each.status_code for each in made] == [202, 202]
    assert made[0].json()["execution"] == made[1].json()["execution"]
    assert by_hand.status_code == 202
    assert (foreign.status_code, gone.status_code, nameless.status_code) == (404, 404, 422)
    world = api.world.objects.items()
    found = [Execution.model_validate(each) for ref, each in world if ref.kind == EXECUTION]
    assert sorted((each.metadata.name, each.is_offer) for each in found) == [
        (scheduled_name("sales", NOW), True),
        ("sales-now-20261121t120007000005z", False),
    ]
    told = {each.json()["execution"]: each.json()["correlationId"] for each in (*made, by_hand)}
    assert told == {each.metadata.uid: each.correlation_id for each in found}
    assert {each.spec.deadline_time for each in found} == {None, NOW.replace(minute=10)}


async def called(
    google: httpx2.AsyncClient, given: Mapping[str, str], call: CloudCall = CALL
) -> httpx2.Response:
    return await google.post(PATH, headers=dict(given), json=call.to_json())
