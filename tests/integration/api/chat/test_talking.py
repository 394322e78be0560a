"""What is said is answered, and every client sees the same."""

import asyncio
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import httpx2
import pytest
from pydantic import JsonValue
from websockets.exceptions import ConnectionClosed

from heliostat_api.events.log import Slice
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_core.worlds import EXECUTION, JsonObject
from support.chatting import Frame, ScriptedGateway, of_type, parts_of, text_of
from support.shared_api import api_app

from .conftest import ANN, ChatPlace


async def test_tokens_stream_and_every_client_sees_the_same(place: ChatPlace) -> None:
    async with place.talker() as first, place.talker() as second:
        conversation = await first.say("talk")
        await second.watch(conversation)
        answer = await first.answered()
        assert len([each for each in first.frames if each["type"] == "delta"]) >= 3
        assert len(of_type(answer, "text")) == 2
        assert text_of(answer).endswith("and then it is done.")
        assert await second.answered() == answer
        assert second.messages == first.messages
    async with place.talker() as reloaded, place.api.browser(ANN) as browser:
        await reloaded.watch(conversation)
        assert await reloaded.answered() == answer
        page = (await browser.get(f"/api/conversations/{conversation}/messages")).json()
        listed = await settled_list(browser)
    assert page["items"] == list(reloaded.messages.values())
    assert [(each["id"], each["title"], each["state"]) for each in listed] == [
        (conversation, "talk", "idle")
    ]


async def settled_list(browser: httpx2.AsyncClient) -> list[dict[str, JsonValue]]:
    """All conversations, once none is answered in: their documents follow the last word."""
    async with asyncio.timeout(20):
        while True:
            found: list[dict[str, JsonValue]] = (await browser.get("/api/conversations")).json()[
                "items"
            ]
            if all(each["state"] != "answering" for each in found):
                return found
            await asyncio.sleep(0.01)


async def test_a_client_that_is_dropped_anywhere_gets_exactly_what_is_missing(
    place: ChatPlace,
) -> None:
    async with place.talker() as first:
        conversation = await first.say("talk")
        await first.answered()
        told = [each for each in first.frames if "cursor" in each]
        for index, frame in enumerate(told):
            missing = told[index + 1 :]
            async with place.talker() as again:
                await again.watch(conversation, frame["cursor"])
                assert [await again.receive() for _ in missing] == missing


async def test_what_is_said_twice_is_said_once(place: ChatPlace) -> None:
    async with place.talker() as first, place.talker() as second:
        conversation = await first.say("hello", "the-same")
        assert await second.say("hello", "the-same") == conversation
        await first.answered()
        assert await second.say("hello", "the-same") == conversation
        await second.send(type="say", id="the-same", text="something else")
        refused = await second.until(lambda each: each["type"] == "refused")
    assert refused["id"] == "the-same"
    assert problem_of(refused)["status"] == 422
    assert len(first.messages) == 2
    assert (await place.gateway.booked(conversation))["requests"] == 1


async def test_words_while_it_answers_are_refused_and_later_ones_follow(place: ChatPlace) -> None:
    async with place.talker(language="ko") as ann:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        await ann.send(type="say", id="2", text="hello", conversation=conversation)
        refused = await ann.until(lambda each: each["type"] == "refused")
        assert problem_of(refused)["status"] == 409
        assert str(problem_of(refused)["detail"]).startswith("아직 답하는 중입니다.")
        await ann.send(type="stop", conversation=conversation)
        await ann.answered()
        await ann.say("what else", "3", conversation=conversation)
        answer = await ann.answered()
    assert text_of(answer) == "Heard what else."
    assert len(ann.messages) == 4


async def test_stop_ends_the_model_call_and_says_what_it_cost(place: ChatPlace) -> None:
    async with place.talker() as ann, place.talker() as other:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        await other.send(type="stop", conversation=conversation)
        answer = await ann.answered()
    booked = await place.gateway.booked(conversation)
    assert answer["state"] == "stopped"
    assert parts_of(answer)[-1]["code"] == "stopped"
    assert answer["costMicros"] == booked["costNanos"] // 1000  # type: ignore[operator]
    assert booked["requests"] == 1
    assert answer["costMicros"]


@pytest.mark.parametrize(
    ("said", "code"), [("overload", "unavailable"), ("cut", "unavailable"), ("for ever", "stopped")]
)
async def test_an_answer_never_ends_in_silence(place: ChatPlace, said: str, code: str) -> None:
    async with place.talker() as ann:
        conversation = await ann.say(said, language="ko")
        answer = await ann.answered()
        assert parts_of(answer)[-1]["code"] == code
        await ann.say("hello", "2", conversation=conversation)
        assert (await ann.answered())["state"] == "done"
    assert answer["state"] == ("stopped" if code == "stopped" else "failed")


async def test_tools_save_look_and_never_activate(place: ChatPlace) -> None:
    async with place.talker() as ann, place.api.browser(ANN) as browser:
        conversation = await ann.say("design", timeZone="Asia/Seoul")
        answer = await ann.answered()
        view = (await browser.get(f"/api/conversations/{conversation}")).json()
        agent = (await browser.get(f"/api/agents/{view['agentId']}")).json()
    calls = {each["id"]: each["name"] for each in of_type(answer, "toolCall")}
    results = {calls[each["callId"]]: each for each in of_type(answer, "result")}
    [preview] = of_type(answer, "schedulePreview")
    cards = of_type(answer, "agentCard")
    assert [each["revision"] for each in cards] == [1, 2, 3]
    assert all(each["name"] for each in cards)  # what it was called then
    assert preview["words"] == {
        "en": "every day at 08:30, Asia/Seoul",
        "ko": "매일 08:30 (Asia/Seoul)",
    }
    assert agent["status"] == "draft"
    assert agent["spec"] == {
        "prompt": "Count.",
        "model": {"name": "scripted/hello"},
        "schedule": {"timeZone": "Asia/Seoul", "frequency": "daily", "time": "08:30"},
    }
    assert "scripted/talk" in str(results["list_models"]["text"])
    assert "No history" in str(results["estimate_cost"]["text"])
    refused = {name for name, each in results.items() if each["isError"]}
    assert refused == {"activate_agent", "preview_schedule"}
    assert results["run_test"]["execution"]


async def test_the_same_words_in_two_conversations_test_an_agent_each(place: ChatPlace) -> None:
    """Their calls have the same ids: the script makes them of words and turn."""
    correlations: set[JsonValue] = set()
    async with (
        place.replica(place.gateway.connection("scripted/designer"), runs_guest=0) as designing,
        place.api.browser(ANN) as browser,
    ):
        for number in range(2):
            async with designing.talker() as ann:
                conversation = await ann.say("Every Monday at 9:00, sum up my mail", f"a{number}")
                await ann.answered()
                await ann.say("test", f"b{number}", conversation=conversation)
                answer = await ann.answered()
            [run] = [run for each in of_type(answer, "result") if (run := each["execution"])]
            view = (await browser.get(f"/api/conversations/{conversation}")).json()
            execution = (await browser.get(f"/api/executions/{run}")).json()
            assert execution["testOf"] == view["agentId"]
            correlations.add(execution["correlationId"])
    assert len(correlations) == 2


async def test_what_a_test_run_came_to_is_read_and_what_it_cost_is_drawn(
    place: ChatPlace,
) -> None:
    async with place.talker() as ann:
        conversation = await ann.say("design")
        await ann.answered()
        await end_its_run(place, cost_micros=31_000)
        await ann.say("how did it go", "2", conversation=conversation)
        answer = await ann.answered()
    calls = [each["name"] for each in of_type(answer, "toolCall")]
    assert calls == ["read_result", "estimate_cost", "read_result"]
    read, estimated, foreign = of_type(answer, "result")
    assert "Succeeded" in str(read["text"])
    assert "42 rows" in str(read["text"])
    assert "The last run cost $0.0310" in str(estimated["text"])
    assert foreign["isError"]
    [chart] = of_type(answer, "chart")
    assert (chart["title"], chart["unit"]) == ("cost", "usdMicros")
    assert "31000]" in json.dumps(chart["series"])


async def end_its_run(place: ChatPlace, cost_micros: int) -> None:
    """The only run of this world ends well."""
    [run] = [each async for each in place.api.world.list(EXECUTION)]
    done: JsonObject = {"status": "True", "lastTransitionTime": "2026-11-22T12:01:00Z"}
    status: JsonObject = {
        "phase": "Succeeded",
        "costMicros": cost_micros,
        "completionTime": "2026-11-22T12:01:00Z",
        "result": {"text": "42 rows"},
        "conditions": [
            {**done, "type": "Succeeded", "reason": "Verified"},
            {**done, "type": "Settled", "reason": "Settled"},
        ],
    }
    ended = place.api.world.put({**run, "status": status})
    await place.api.parts.recorder.see(EXECUTION, ended)


async def test_a_refusal_goes_back_to_the_model_with_its_field(place: ChatPlace) -> None:
    async with place.talker() as ann:
        await ann.say("design badly")
        answer = await ann.answered()
    assert "It says: spec.limits.timeoutSeconds: " in text_of(answer)
    assert len(of_type(answer, "agentCard")) == 1


async def test_after_its_agent_was_deleted_a_conversation_makes_another(place: ChatPlace) -> None:
    async with place.talker() as ann, place.api.browser(ANN) as browser:
        conversation = await ann.say("design badly")
        assert (await ann.answered())["state"] == "done"
        first = (await browser.get(f"/api/conversations/{conversation}")).json()["agentId"]
        gone = await browser.delete(f"/api/agents/{first}")
        assert gone.status_code == 200, gone.text
        await ann.say("design another", "2", conversation=conversation)
        await ann.until(lambda _: len(ann.answers) == 2 and ann.answers[1]["state"] == "done")
        second = (await browser.get(f"/api/conversations/{conversation}")).json()["agentId"]
        assert (await browser.get(f"/api/agents/{second}")).status_code == 200
    assert second != first


async def test_lists_hear_of_a_conversation_and_what_is_deleted_is_gone_for_all(
    place: ChatPlace,
) -> None:
    async with place.talker() as ann, place.api.browser(ANN) as browser:
        conversation = await ann.say("hello")
        await ann.answered()
        path = f"/api/conversations/{conversation}"
        async with asyncio.timeout(10):
            while (await browser.get(path)).json()["state"] != "idle":
                await asyncio.sleep(0.01)
        renamed = await browser.patch(path, json={"title": " Sales "})
        assert renamed.json()["title"] == "Sales"
        assert (await browser.delete(path)).status_code == 204
        gone = await ann.until(lambda each: each["type"] == "refused")
        assert problem_of(gone)["status"] == 404
        assert (await browser.get(path)).status_code == 404
    heard = (await place.api.parts.chat.log.read([f"person:{ANN}"], 0)).reports
    told = [each.report for each in heard if each.report.type.startswith("conversation.")]
    states = [each.payload.get("state") for each in told]
    assert states == ["answering", "idle", "idle", None]
    assert told[-1].payload == {"id": conversation}


async def test_a_workspace_ends_with_its_rights(place: ChatPlace) -> None:
    async with place.talker() as ann:
        await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        async with place.api.browser(ANN) as browser:
            ending = {"confirm": "delete everything"}
            assert (await browser.request("DELETE", "/api/me", json=ending)).status_code == 202
        with pytest.raises(ConnectionClosed):
            await ann.until(lambda _: False)


async def test_who_asks_too_often_is_told_when_to_come_back(place: ChatPlace) -> None:
    async with place.replica(limit_guest=3) as slow, slow.talker() as ann:
        for _ in range(3):
            await ann.send(type="stop", conversation="none")
        problems = [problem_of(await ann.receive())["status"] for _ in range(3)]
    assert problems == [404, 404, 429]


async def test_frames_that_are_none_are_refused_with_their_fields(place: ChatPlace) -> None:
    async with place.talker() as ann:
        for text in ("", "[]", '{"type": "shout"}', '{"type": "say", "id": "1", "text": " "}'):
            await ann.socket.send(text)
            assert problem_of(await ann.receive())["status"] == 422
        await ann.socket.send(" " * 300_000)
        assert problem_of(await ann.receive())["status"] == 413
        await ann.send(type="say", id="1", text="x" * 40_000)
        assert "text" in str(problem_of(await ann.receive())["detail"])


def problem_of(frame: Frame) -> Mapping[str, JsonValue]:
    problem = frame["problem"]
    assert isinstance(problem, dict)
    return problem


class ForgetfulLog(SqliteEventLog):
    """One with a fault of ours: it can't be read where conversations are."""

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        if any(each.startswith("conversation:") for each in audiences):
            raise ZeroDivisionError("a fault of ours")
        return await super().read(audiences, after, limit)


async def test_a_fault_of_ours_ends_the_socket_and_is_in_the_log(
    tmp_path: Path, gateway: ScriptedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    log = ForgetfulLog(tmp_path / "events.sqlite")
    async with (
        api_app(tmp_path, model_connection=gateway.connection("scripted/talk"), log=log) as api,
        api.serving() as url,
        ChatPlace(api, gateway, url, tmp_path).talker() as ann,
    ):
        conversation = await ann.say("hello")
        await ann.send(type="watch", conversation=conversation, cursor=0)
        with pytest.raises(ConnectionClosed):
            await ann.until(lambda _: False)
    assert "a fault of ours" in caplog.text
