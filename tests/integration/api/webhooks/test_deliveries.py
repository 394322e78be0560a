"""Who is told what went wrong: signed, once for each event, again until it is taken."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.app.main import create_app
from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.documents.queries import SHAPES
from heliostat_api.records.annotations import TEST_OF
from heliostat_api.webhooks.records import EVENTS, IssuedWebhook, NewWebhook
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject
from support.builders.resources import make_agent, make_execution
from support.fuses import Fuse, FusedDocuments, FusedLog, KilledError
from support.hooks import Receiver, receiving
from support.shared_api import ApiApp, api_app
from support.waiting import until

ANN = Person("user-ann", PersonKind.USER)
BOB = Person("user-bob", PersonKind.USER)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOOPBACK = ApiSettings(webhook_networks=("127.0.0.0/8",))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, LOOPBACK) as opened:
        yield opened


async def make_webhook(
    api: ApiApp, receiver: Receiver, person: Person = ANN, agent: str | None = None
) -> IssuedWebhook:
    order = NewWebhook(url=receiver.url, agent=agent)
    return await api.parts.webhooks.subscriptions.create(person, order)


def failed(
    name: str = "sales-1", owner: str = ANN.id, ended: datetime = NOW, trial_of: str = ""
) -> JsonObject:
    """A run that ended badly."""
    document = make_execution(name).to_json()
    meta = document["metadata"]
    assert isinstance(meta, dict)
    told = {OWNER_ANNOTATION: owner, TEST_OF: trial_of}
    annotations = {name: each for name, each in told.items() if each}
    condition: JsonObject = {
        "type": "Succeeded",
        "status": "False",
        "reason": "CostLimitReached",
        "message": "It spent what it may.",
        "lastTransitionTime": ended.isoformat(),
    }
    status: JsonObject = {
        "phase": "Failed",
        "completionTime": ended.isoformat(),
        "conditions": [condition],
        "result": {"text": "the content of the run"},
    }
    marked = {**meta, "annotations": annotations}
    return {**document, "kind": "Execution", "metadata": marked, "status": status}


def standing(paused: datetime | None, missed: Sequence[datetime] = ()) -> JsonObject:
    """An Agent whose schedule went wrong."""
    document = make_agent().to_json()
    meta = document["metadata"]
    assert isinstance(meta, dict)
    receipts: list[JsonValue] = [
        {
            "scheduledTime": each.isoformat(),
            "outcome": "Missed",
            "reason": "TooLate",
            "time": NOW.isoformat(),
        }
        for each in reversed(missed)
    ]
    pause: JsonObject = {"time": NOW.isoformat(), "reason": "TooManyFailures", "generation": 1}
    schedule: JsonObject = {
        "decidedTime": NOW.isoformat(),
        "recent": receipts,
        **({"paused": pause} if paused else {}),
    }
    marked = {**meta, "annotations": {OWNER_ANNOTATION: ANN.id}}
    return {**document, "kind": "Agent", "metadata": marked, "status": {"schedule": schedule}}


async def see(api: ApiApp, obj: JsonObject) -> str:
    """The recorder sees it."""
    kind = AGENT if obj["kind"] == "Agent" else EXECUTION
    return await api.parts.recorder.see(kind, api.world.put(obj))


@asynccontextmanager
async def running(*apis: ApiApp) -> AsyncIterator[None]:
    """Replicas at work."""
    if not apis:
        yield
        return
    first, *others = apis
    async with first.app.router.lifespan_context(first.app), running(*others):
        yield


async def records(api: ApiApp, webhook: str, person: Person = ANN) -> list[dict[str, JsonValue]]:
    found = await api.parts.webhooks.subscriptions.deliveries(person, webhook, None, 100)
    return [each.model_dump(mode="json", by_alias=True) for each in found.items]


async def until_state(api: ApiApp, webhook: str, state: str) -> dict[str, JsonValue]:
    """The only delivery, once it is in that state."""
    async with asyncio.timeout(10):
        while True:
            (record,) = await records(api, webhook)
            if record["state"] == state and (state != "waiting" or record["attempts"]):
                return record
            await asyncio.sleep(0.01)


async def test_a_failed_run_is_told_signed_and_without_its_content(
    api: ApiApp, receiver: Receiver
) -> None:
    webhook = await make_webhook(api, receiver)
    foreign = await make_webhook(api, receiver, BOB)
    async with running(api):
        path = await see(api, failed())
        record = await until_state(api, webhook.id, "delivered")
    (got,) = receiver.received
    assert got.is_signed_with(webhook.secret)
    assert not got.is_signed_with(foreign.secret)
    assert got.id == record["id"]
    assert json.loads(got.body) == {
        "type": "execution.failed",
        "timestamp": "2026-11-22T12:00:00Z",
        "data": {
            "agent": {"id": "", "name": "sales", "namespace": "default"},
            "execution": {"id": path.removeprefix("executions/"), "name": "sales-1"},
            "reason": "CostLimitReached",
        },
    }
    assert record["body"] == got.body.decode()
    assert [each["status"] for each in maps(record["attempts"])] == [204]
    assert await records(api, foreign.id, BOB) == []


def maps(value: JsonValue) -> list[dict[str, JsonValue]]:
    assert isinstance(value, list)
    return [each for each in value if isinstance(each, dict)]


async def test_a_pause_and_each_missed_time_are_told_once(api: ApiApp, receiver: Receiver) -> None:
    webhook = await make_webhook(api, receiver)
    first, second = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    async with running(api):
        for obj in (
            standing(None, [first]),
            standing(NOW, [first]),
            standing(NOW, [first, second]),
        ):
            await see(api, obj)
            await see(api, obj)
        await until(lambda: len(receiver.received) == 3)
    told = [json.loads(each.body) for each in receiver.received]
    assert sorted(each["type"] for each in told) == [
        "schedule.missed",
        "schedule.missed",
        "schedule.paused",
    ]
    times = {each["data"].get("scheduledTime") for each in told}
    assert times == {None, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"}
    assert len(await records(api, webhook.id)) == 3


async def test_what_was_before_the_webhook_and_test_runs_are_not_told(
    api: ApiApp, receiver: Receiver
) -> None:
    webhook = await make_webhook(api, receiver)
    await see(api, failed("old-1", ended=NOW - timedelta(seconds=1)))
    await see(api, failed("test-1", trial_of="agent-1"))
    await see(api, failed("nobodys-1", owner=""))
    assert await records(api, webhook.id) == []


async def test_one_agents_webhook_hears_of_that_agent_alone(
    api: ApiApp, receiver: Receiver
) -> None:
    agent = await api.give_agent(ANN.id)
    webhook = await make_webhook(api, receiver, agent=agent)
    other = {**failed("other-1"), "spec": {"agentRef": {"name": "other"}}}
    await see(api, other)
    assert await records(api, webhook.id) == []
    await see(api, failed())
    (record,) = await records(api, webhook.id)
    assert json.loads(str(record["body"]))["data"]["agent"]["id"] == agent


async def test_what_is_not_taken_is_sent_again_over_hours_with_the_same_id(
    api: ApiApp, receiver: Receiver
) -> None:
    receiver.answers = [500, 302, 500]
    webhook = await make_webhook(api, receiver)
    hooks = api.parts.webhooks.subscriptions
    async with running(api):
        await see(api, failed())
        for count, pause in ((1, 5), (2, 300), (3, 1800)):
            record = await until_attempts(api, webhook.id, count)
            due = datetime.fromisoformat(str(record["nextTime"]))
            assert due - api.clock() == timedelta(seconds=pause)
            api.clock.go_on(timedelta(seconds=pause))
            hooks.planner.news.set()
        record = await until_state(api, webhook.id, "delivered")
    statuses = [each["status"] for each in maps(record["attempts"])]
    assert statuses == [500, 302, 500, 204]
    assert len({each.id for each in receiver.received}) == 1
    assert all(each.is_signed_with(webhook.secret) for each in receiver.received)
    stamps = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert stamps == sorted(set(stamps)), "each is signed anew"


async def until_attempts(api: ApiApp, webhook: str, count: int) -> dict[str, JsonValue]:
    async with asyncio.timeout(10):
        while True:
            (record,) = await records(api, webhook)
            if len(maps(record["attempts"])) == count:
                return record
            await asyncio.sleep(0.01)


async def test_a_receiver_that_never_answers_is_given_up_and_asked_again_by_hand(
    api: ApiApp, receiver: Receiver
) -> None:
    receiver.answers = [503] * 8
    webhook = await make_webhook(api, receiver)
    hooks = api.parts.webhooks.subscriptions
    async with running(api):
        await see(api, failed())
        for count in range(1, 9):
            await until_attempts(api, webhook.id, count)
            api.clock.go_on(timedelta(hours=10))
            hooks.planner.news.set()
        record = await until_state(api, webhook.id, "failed")
        assert record["nextTime"] is None
        assert len(receiver.received) == 8
        await hooks.redeliver(ANN, webhook.id, str(record["id"]))
        await until_state(api, webhook.id, "delivered")
    assert len({each.id for each in receiver.received}) == 1


async def test_two_replicas_make_one_record_and_send_it_once(
    api: ApiApp, receiver: Receiver
) -> None:
    webhook = await make_webhook(api, receiver)
    other = replace(api, app=create_app(api.dependencies))
    async with running(api, other):
        objs = [failed(f"sales-{number}") for number in range(8)]
        await asyncio.gather(*(see(each, obj) for obj in objs for each in (api, other)))
        await until(lambda: len(receiver.received) >= 8)
        async with asyncio.timeout(10):
            while {each["state"] for each in await records(api, webhook.id)} != {"delivered"}:
                await asyncio.sleep(0.01)
    assert len(await records(api, webhook.id)) == 8
    assert len({each.id for each in receiver.received}) == len(receiver.received) == 8


async def test_a_replica_that_dies_anywhere_leaves_one_record_that_is_sent(
    api: ApiApp, receiver: Receiver, tmp_path: Path
) -> None:
    webhook = await make_webhook(api, receiver)
    steps, names = 0, list[str]()
    while True:
        names.append(f"sales-{steps}")
        if not await dies(api, failed(names[-1]), steps, tmp_path):
            break
        steps += 1
        assert steps < 20
    assert steps >= 5
    async with running(api):  # what is still in the world is seen again
        for name in names:
            await see(api, failed(name))
        api.clock.go_on(timedelta(minutes=2))  # what the dead one had taken is free
        api.parts.webhooks.subscriptions.planner.news.set()
        async with asyncio.timeout(20):
            while {each["state"] for each in await records(api, webhook.id)} != {"delivered"}:
                await asyncio.sleep(0.01)
    found = await records(api, webhook.id)
    told = [json.loads(str(each["body"]))["data"]["execution"]["name"] for each in found]
    assert sorted(told) == sorted(names)
    assert {each.id for each in receiver.received} == {each["id"] for each in found}


async def dies(api: ApiApp, obj: JsonObject, steps: int, folder: Path) -> bool:
    """Whether a replica that sees this and sends what is due dies after so many steps."""
    documents = FusedDocuments(folder / "documents.sqlite", SHAPES)
    log = FusedLog(folder / "events.sqlite")
    documents.fuse = log.fuse = Fuse(steps)
    dependencies = replace(api.dependencies, documents=documents, log=log)
    dying = replace(api, app=create_app(dependencies))
    died = False
    try:
        await see(dying, obj)
        await dying.parts.webhooks.sending.send_due()
    except* KilledError:
        died = True
    finally:
        await log.close()
        await documents.close()
    return died


async def test_the_settings_webhook_hears_of_everybody_and_shows_to_admins(
    tmp_path: Path, receiver: Receiver
) -> None:
    secret = "whsec_" + "YWJj" * 11
    settings = LOOPBACK.model_copy(
        update={"webhook_url": receiver.url, "webhook_secret": type(LOOPBACK.redis_url)(secret)}
    )
    admin = replace(BOB, is_admin=True)
    async with api_app(tmp_path, settings) as api:
        hooks = api.parts.webhooks.subscriptions
        await see(api, failed("old-1", ended=NOW - timedelta(hours=1)))  # before it was there
        async with running(api):
            while not (await hooks.list(admin)).items:
                await asyncio.sleep(0.01)
            api.clock.go_on(timedelta(seconds=1))
            await see(api, failed(ended=api.clock()))
            await see(api, failed("nobodys-1", owner="", ended=api.clock()))
            await until(lambda: len(receiver.received) == 2)
        assert all(each.is_signed_with(secret) for each in receiver.received)
        (shown,) = (await hooks.list(admin)).items
        assert (shown.id, shown.is_for_everybody) == ("all", True)
        assert len(await records(api, "all", admin)) == 2
        assert (await hooks.list(ANN)).items == ()


async def test_where_webhooks_may_not_go(tmp_path: Path, receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    async with api_app(tmp_path) as api, api.browser() as _:
        hooks = api.parts.webhooks.subscriptions
        for url in (
            receiver.url,
            f"http://localhost:{port}",
            f"https://[::1]:{port}",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://0.0.0.0/",
            "https://user@93.184.215.14/",
            "http://93.184.215.14/",
            "ftp://93.184.215.14/",
            "https://",
        ):
            with pytest.raises(Exception, match="url: "):
                await hooks.create(ANN, NewWebhook(url=url))
    assert receiver.received == []


async def test_a_name_that_leads_elsewhere_later_is_not_followed(
    api: ApiApp, receiver: Receiver
) -> None:
    """Looked up once a delivery: the connection goes to the address that was judged."""
    port = receiver.url.split(":")[2].split("/")[0]
    answers = [["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]]

    async def look_up(host: str, _: int) -> Sequence[str]:
        assert host == "hooks.test"
        return answers.pop(0)

    hooks = api.parts.webhooks.subscriptions
    addresses = replace(hooks.addresses, look_up=look_up)
    sending = replace(api.parts.webhooks.sending, addresses=addresses)
    made = await replace(hooks, addresses=addresses).create(
        ANN, NewWebhook(url=f"http://hooks.test:{port}/x")
    )
    await see(api, failed("first-1"))
    await sending.send_due()
    assert receiver.received[0].headers["host"] == f"hooks.test:{port}"
    await see(api, failed("second-1"))
    await sending.send_due()
    assert len(receiver.received) == 1
    refused = next(each for each in await records(api, made.id) if each["state"] == "waiting")
    assert "10.0.0.1" in str(maps(refused["attempts"])[0]["message"])


async def test_a_webhook_goes_with_its_deliveries(api: ApiApp, receiver: Receiver) -> None:
    webhook = await make_webhook(api, receiver)
    await see(api, failed())
    await api.parts.webhooks.subscriptions.delete(ANN, webhook.id)
    async with running(api):
        api.parts.webhooks.subscriptions.planner.news.set()
        await api.parts.webhooks.sending.send_due()
    assert receiver.received == []


def test_events_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text()
    assert all(f"`{each}`" in page for each in EVENTS)
