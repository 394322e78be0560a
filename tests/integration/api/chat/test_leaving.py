"""Who leaves while it answers: the answer ends before what was said goes, and nothing stays."""

import asyncio
from datetime import timedelta

import pytest

from heliostat_api.app.assembly.entrance import build_guest_migration
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.chat.message_events import conversation_topic, stop_topic
from heliostat_api.chat.schemas import Say
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.people.repository import REST
from support.chatting import of_type

from .conftest import ANN, OVER_EACH_LOG, ChatPlace

PERSON = Person(ANN, PersonKind.GUEST)


async def test_an_answer_that_is_being_written_ends_and_nothing_of_it_stays(
    place: ChatPlace,
) -> None:
    api, body = place.api, {"confirm": "delete everything"}
    async with place.talker() as ann, api.browser(ANN) as browser:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        assert (await browser.request("DELETE", "/api/me", json=body)).status_code == 202
        api.clock.go_on(REST)
        async with asyncio.timeout(30):
            while not await api.parts.erasing.resume():
                await asyncio.sleep(0.02)
    booked = await place.gateway.booked(conversation)
    assert (booked["requests"], booked["settled"]) == (1, True), "the model is not called any more"
    assert await api.documents.get(f"conversations/{conversation}") is None
    repository = ConversationRepository(api.documents, api.parts.streams.log, api.clock)
    assert await repository.latest_messages(conversation) == ()
    reported = await api.parts.streams.log.read([f"conversation:{conversation}"], 0)
    assert reported.reports == ()


@OVER_EACH_LOG
@pytest.mark.parametrize("replica", ["the same", "another"])
async def test_of_a_conversation_that_is_deleted_while_it_answers_nothing_stays(
    place: ChatPlace, replica: str
) -> None:
    async with place.replica() as other, place.talker() as ann:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        api = (other if replica == "another" else place).api
        async with api.browser(ANN) as browser:
            path = f"/api/conversations/{conversation}"
            assert (await browser.delete(path)).status_code == 204
            assert (await browser.get(path)).status_code == 404
            assert (await browser.get("/api/conversations")).json()["items"] == []
        await gone(place, conversation)
        answer = str(ann.answers[0]["id"])
        async with asyncio.timeout(30):
            while place.api.parts.chat.runner.is_writing(answer):
                await asyncio.sleep(0.01)
    assert await rows(place, conversation) == 0
    booked = await place.gateway.booked(conversation)
    assert (booked["requests"], booked["settled"]) == (1, True), "the model is not called any more"


async def test_a_deleted_conversation_whose_writer_died_goes_once_its_lease_is_over(
    place: ChatPlace,
) -> None:
    chat, said = place.api.parts.chat, Say(type="say", id="1", text="hello")
    conversation, begun = await chat.start_answer.start(PERSON, said, "")
    assert begun is not None
    await chat.commands.delete(PERSON, conversation)
    await chat.recovery.recover_all()
    assert await place.api.documents.get(f"conversations/{conversation}") is not None
    place.api.clock.go_on(timedelta(seconds=16))
    await chat.recovery.recover_all()
    await gone(place, conversation)
    chat.runner.start(begun)  # it had only been asleep
    async with asyncio.timeout(30):
        while chat.runner.is_writing(begun.answer):
            await asyncio.sleep(0.01)
    assert await rows(place, conversation) == 0
    told = (await chat.log.read([f"person:{ANN}"], 0)).reports
    assert [each.report.type for each in told] == ["conversation.changed", "conversation.deleted"]


async def test_who_signs_in_while_it_answers_has_the_conversation_and_what_it_made(
    place: ChatPlace,
) -> None:
    api, user = place.api, "user-ann"
    moves = build_guest_migration(api.dependencies, api.parts.erasing.register, api.parts.money)
    async with place.talker() as ann:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        await moves.move(ANN, user)
        found = await api.documents.get(f"conversations/{conversation}")
        assert found is not None
        assert found.fields["userId"] == ANN, "its answer is still written for the guest"
        assert (await ann.answered())["state"] == "stopped"
    api.clock.go_on(REST)
    async with asyncio.timeout(30):
        while not await moves.resume():
            await asyncio.sleep(0.02)
    found = await api.documents.get(f"conversations/{conversation}")
    assert found is not None
    assert (found.fields["userId"], found.fields["state"]) == (user, "idle")
    reported = await api.parts.streams.log.read([f"person:{user}"], 0)
    assert [each.report.payload["id"] for each in reported.reports] == [conversation]


async def gone(place: ChatPlace, conversation: str) -> None:
    async with asyncio.timeout(30):
        while await place.api.documents.get(f"conversations/{conversation}"):
            await asyncio.sleep(0.01)


async def rows(place: ChatPlace, conversation: str) -> int:
    """Reports that its audiences have in the log."""
    log = place.api.dependencies.log
    names = (conversation_topic(conversation), stop_topic(conversation))
    if isinstance(log, RedisEventLog):
        return sum([await log._redis.xlen(f"{{heliostat:events}}:of:{name}") for name in names])
    assert isinstance(log, SqliteEventLog)
    counting = "SELECT count(*) FROM reports WHERE audience IN (?, ?)"
    return int(log._connection.execute(counting, names).fetchone()[0])
