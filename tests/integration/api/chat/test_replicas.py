"""Several replicas, some of which die: one writes an answer, and nothing is paid twice."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from heliostat_api.base.person import LOCAL, Person, PersonKind
from heliostat_api.chat.agent_tools import AgentTools
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.chat.schemas import Say
from heliostat_api.chat.start_answer import StartedAnswer
from heliostat_api.chat.toolbox import ToolContext, ToolResult
from heliostat_api.chat.tools import SaveAgent
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_cli.embedded.folders import StateFolder
from support.chatting import Frame, Talker, of_type, parts_of, talking, text_of
from support.dev_process import DevProcess, running_dev
from support.fuses import KilledError

from .conftest import ANN, OVER_EACH_LOG, OVER_REDIS, SCENARIOS, ChatPlace

PERSON = Person(ANN, PersonKind.GUEST)
OVER = timedelta(seconds=16)


async def begin(place: ChatPlace, text: str) -> StartedAnswer:
    """Something is said to a replica that dies before it asks a model."""
    said = Say(type="say", id="1", text=text)
    _, started = await place.api.parts.chat.start_answer.start(PERSON, said, "")
    assert started is not None
    return started


@OVER_EACH_LOG
async def test_any_replica_shows_and_stops_what_another_one_writes(place: ChatPlace) -> None:
    async with place.replica() as other, place.talker() as here, other.talker() as there:
        conversation = await here.say("stand still")
        await there.watch(conversation)
        await there.until(lambda _: any(of_type(each, "text") for each in there.answers))
        await there.send(type="stop", conversation=conversation)
        answer = await there.answered()
        assert await here.answered() == answer
    assert answer["state"] == "stopped"


@OVER_REDIS
async def test_who_watches_hears_the_rest_after_an_outage_of_redis(place: ChatPlace) -> None:
    assert place.redis is not None
    async with place.replica() as other, place.talker() as here, other.talker() as there:
        conversation = await here.say("stand still")
        await here.until(lambda _: any(of_type(each, "text") for each in here.answers))
        await asyncio.to_thread(place.redis.kill)
        await here.watch(conversation, max(here.cursors()))
        await there.watch(conversation)
        for each in (here, there):
            await each.send(type="stop", conversation="another")
            refused = await each.until(lambda frame: frame["type"] == "refused")
            assert problem_status(refused) == 404, "nothing else is refused"
        await asyncio.to_thread(place.redis.start)
        await there.until(lambda _: bool(there.answers))
        await there.send(type="stop", conversation=conversation)
        assert (await here.answered())["state"] == "stopped"
        assert await there.answered() == here.answers[0]


def problem_status(refused: Frame) -> JsonValue:
    problem = refused["problem"]
    assert isinstance(problem, dict)
    return problem["status"]


@OVER_EACH_LOG
async def test_an_answer_without_a_writer_is_marked_and_continued_once(place: ChatPlace) -> None:
    begun = await begin(place, "hello")
    async with place.replica() as other, place.talker() as here, other.talker() as there:
        await here.watch(begun.conversation)
        await here.hear()
        assert here.answers[0]["state"] == "writing"
        place.api.clock.go_on(OVER)
        await there.watch(begun.conversation)
        assert (await there.answered())["state"] == "interrupted"
        assert (await here.answered())["state"] == "interrupted"
        for each in (here, there):
            await each.send(type="continue", conversation=begun.conversation, message=begun.answer)
        await here.until(lambda _: here.answers[0]["state"] == "done")
        await there.until(lambda _: there.answers[0]["state"] == "done")
        assert here.messages == there.messages
    assert (await place.gateway.booked(begun.conversation))["requests"] == 1


@OVER_EACH_LOG
async def test_a_writer_that_comes_back_too_late_changes_nothing(place: ChatPlace) -> None:
    begun = await begin(place, "talk")
    place.api.clock.go_on(OVER)
    async with place.talker() as ann, place.api.browser(ANN) as browser:
        await browser.get(f"/api/conversations/{begun.conversation}")
        place.api.parts.chat.runner.start(begun)  # it had only been asleep
        await ann.say("and now?", "2", conversation=begun.conversation)
        await ann.watch(begun.conversation)
        await ann.until(lambda _: len(ann.answers) == 2 and ann.answers[1]["state"] == "done")
    assert ann.answers[0]["state"] == "interrupted"


async def test_an_answer_outlives_a_sleep_of_its_machine(place: ChatPlace) -> None:
    """The clock jumps, timers do not: no lease was renewed when the page looks again."""
    async with place.talker() as ann, place.api.browser(ANN) as browser:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        place.api.clock.go_on(timedelta(hours=8))
        found = await browser.get(f"/api/conversations/{conversation}")
        await place.api.parts.chat.recovery.recover_all()
        assert found.json()["state"] == "answering"
        await ann.send(type="stop", conversation=conversation)
        assert (await ann.answered())["state"] == "stopped"


@OVER_EACH_LOG
async def test_a_replica_that_ends_in_good_order_leaves_its_answers_interrupted(
    place: ChatPlace,
) -> None:
    async with place.talker() as here:
        async with place.replica() as other, other.talker() as there:
            conversation = await there.say("stand still")
            await there.until(lambda _: any(of_type(each, "text") for each in there.answers))
        await here.watch(conversation)
        answer = await here.answered()
    booked = await place.gateway.booked(conversation)
    assert answer["state"] == "interrupted"
    assert text_of(answer) == "One moment, please"
    assert answer["costMicros"] == -(-int(str(booked["costNanos"])) // 1000)


async def show_nothing(_: ToolResult) -> None:
    """No client watches."""


class DyingRepository(ConversationRepository):
    """Its replica is gone before it can write into the conversation."""

    async def update(self, *_: object) -> None:
        raise KilledError


async def test_an_agent_whose_maker_died_is_taken_up_and_not_made_twice(place: ChatPlace) -> None:
    begun = await begin(place, "design badly")
    dependencies, drafts = place.api.parts.chat.runner.dependencies, place.api.parts.drafts
    repository, previews = dependencies.repository, SchedulePreviews(place.api.clock)
    tools = AgentTools(drafts, repository, previews, dependencies.model)
    context = ToolContext(PERSON, "", begun.conversation, begun.answer, "call-1", "", "UTC")
    dying = replace(
        tools,
        repository=DyingRepository(repository.documents, repository.log, repository.clock),
    )
    with pytest.raises(KilledError):
        await dying.save(context, SaveAgent(name="Sales", prompt="Count."), show_nothing)
    again = replace(context, call="call-2")  # the model is asked once more
    await tools.save(again, SaveAgent(name="Sales", prompt="Count well."), show_nothing)
    async with place.api.browser(ANN) as browser:
        agents = (await browser.get("/api/agents")).json()["items"]
        view = (await browser.get(f"/api/conversations/{begun.conversation}")).json()
        detail = (await browser.get(f"/api/agents/{view['agentId']}")).json()
    assert [each["id"] for each in agents] == [view["agentId"]]
    assert detail["spec"]["prompt"] == "Count well."


async def test_a_cap_that_is_reached_is_said_with_the_remedy(place: ChatPlace) -> None:
    poor_connection = place.gateway.connection("scripted/talk", cap_nanos=1)
    async with place.replica(poor_connection) as poor, poor.talker() as ann:
        conversation = await ann.say("hello")
        await ann.answered()
        await ann.say("more", "2", conversation=conversation)
        answer = await ann.answered()
    assert answer["state"] == "failed"
    assert parts_of(answer)[-1]["code"] == "capReached"
    assert "cap" in str(parts_of(answer)[-1]["text"])


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[DevProcess]:
    with running_dev(
        tmp_path,
        HELIOSTAT_API_CHAT_MODEL="scripted/talk",
        HELIOSTAT_GATEWAY_SCENARIOS_DIR=str(SCENARIOS),
    ) as process:
        yield process


@asynccontextmanager
async def page_of(dev: DevProcess) -> AsyncIterator[Talker]:
    with dev.browser() as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with talking(dev.url, LOCAL.id, {"Origin": dev.url, "Cookie": cookie}) as talker:
        yield talker


def booked(dev: DevProcess, conversation: str) -> list[tuple[str, int]]:
    """ToolResult and cost of each model call, from the ledger of a gateway that has ended."""
    path = StateFolder(dev.folder).gateway / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as ledger:
        return ledger.execute(
            "SELECT outcome, cost_nanos FROM requests WHERE key = ? ORDER BY started_ms",
            (f"{LOCAL.id}/{conversation}",),
        ).fetchall()


async def test_a_server_that_is_killed_goes_on_when_asked_and_the_bill_shows_each_call(
    dev: DevProcess,
) -> None:
    async with page_of(dev) as page:
        conversation = await page.say("stand still")
        await page.until(lambda _: any(of_type(each, "text") for each in page.answers))
        dev.end(signal.SIGKILL)
    dev.start()
    async with page_of(dev) as page:
        await page.watch(conversation)
        answer = await page.answered()
        assert answer["state"] == "interrupted"
        assert text_of(answer) == "One moment, please"
        await page.send(type="continue", conversation=conversation, message=answer["id"])
        await page.until(lambda _: page.answers[0]["state"] == "done")
    dev.end()
    assert text_of(page.answers[0]) == "One moment, pleaseand this is the rest."
    calls = booked(dev, conversation)
    assert [outcome for outcome, _ in calls] == ["gateway_died", "answered"]
    assert page.answers[0]["costMicros"] == -(-sum(cost for _, cost in calls) // 1000)
