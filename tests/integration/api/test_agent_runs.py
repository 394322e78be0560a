"""Runs and tests of agents of the dashboard: what they leave, what they cost, what is counted."""

from collections.abc import Mapping
from datetime import timedelta

import httpx2
import pytest
from pydantic import JsonValue

from heliostat_api.recording.trials import Trials
from heliostat_core.executions import MOST_INPUT, Execution
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Ref, Selection
from support.local_api import NAMESPACE, ApiPlace, body_of
from support.objects import ENDED

Client = httpx2.AsyncClient
SPEC: JsonValue = {
    "prompt": "Add up.",
    "tools": {"allow": ["Read", "Bash(python3:*)"]},
    "limits": {"maxCostMicros": 2_000_000},
}


def finished(cost: int) -> Mapping[str, JsonValue]:
    """The status of a run that ended well."""
    return {
        "phase": "Succeeded",
        "completionTime": "2026-11-22T12:00:00Z",
        "costMicros": cost,
        "usage": {"requests": 1, "inputTokens": 10, "outputTokens": 5},
        "conditions": ENDED,
    }


async def finish(place: ApiPlace, run: Execution, cost: int) -> None:
    """What the operator would write."""
    await place.world.patch_status(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": "Execution",
            "metadata": {"name": run.metadata.name, "namespace": NAMESPACE},
            "status": finished(cost),
        }
    )


async def runs(place: ApiPlace) -> list[Execution]:
    return [
        Execution.model_validate(each)
        async for each in place.world.list(EXECUTION, Selection(NAMESPACE))
    ]


async def names(place: ApiPlace) -> list[JsonObject]:
    return [each async for each in place.world.list(AGENT)]


@pytest.fixture
async def agent(client: Client) -> str:
    """The id of a draft."""
    answer = await client.post("/api/agents", json={"name": "Sales", "spec": SPEC})
    return str(body_of(answer, 201)["agent"])


async def totals(client: Client, agent: str) -> JsonValue:
    return body_of(await client.get(f"/api/agents/{agent}"), 200)["totals"]


async def until_counted(client: Client, place: ApiPlace, agent: str, count: int) -> None:
    while True:
        seen = await totals(client, agent)
        assert isinstance(seen, dict)
        if seen["executions"] == count:
            return
        await place.log.wait(["person:local"], await place.log.end(), 0.05)


async def test_a_draft_is_not_run_but_tested(client: Client, agent: str, place: ApiPlace) -> None:
    answer = await client.post(f"/api/agents/{agent}/run", json={})
    assert "activate it first" in str(body_of(answer, 409)["detail"])
    body_of(await client.post(f"/api/agents/{agent}/test", json={"input": "a,b"}), 202)
    [run] = await runs(place)
    assert run.spec.input == "a,b"
    assert run.spec.agent_ref.name.startswith("sales-test-")
    assert run.metadata.name == run.spec.agent_ref.name  # no suffix twice
    listed = body_of(await client.get("/api/agents"), 200)["items"]
    assert isinstance(listed, list)
    assert len(listed) == 1


async def test_what_no_record_holds_is_refused_before_anything_is_made(
    client: Client, agent: str, place: ApiPlace
) -> None:
    body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    before = await names(place)
    large = {"input": "가" * (MOST_INPUT - 1), "parameters": {"a": "가b"}}
    for what in ("run", "test"):
        refusal = body_of(await client.post(f"/api/agents/{agent}/{what}", json=large), 422)
        assert "input and parameters" in str(refusal["detail"])
    assert (await runs(place), await names(place)) == ([], before)
    most = {**large, "parameters": {"a": "가"}}
    body_of(await client.post(f"/api/agents/{agent}/run", json=most), 202)
    [run] = await runs(place)
    assert len(run.spec.input) == MOST_INPUT - 1


async def test_a_test_leaves_its_record_and_nothing_else(
    client: Client, agent: str, place: ApiPlace
) -> None:
    answer = await client.post(f"/api/agents/{agent}/test", json={})
    uid = body_of(answer, 202)["execution"]
    [run] = await runs(place)
    await finish(place, run, 40_000)
    while await names(place) or await runs(place):
        await place.log.wait(["person:local"], await place.log.end(), 0.05)
    record = body_of(await client.get(f"/api/executions/{uid}"), 200)
    assert (record["phase"], record["costMicros"]) == ("Succeeded", 40_000)
    await until_counted(client, place, agent, 1)


async def test_the_runs_of_an_agent_are_listed_with_its_tests(
    client: Client, agent: str, place: ApiPlace
) -> None:
    other = body_of(await client.post("/api/agents", json={"name": "Other", "spec": SPEC}), 201)
    body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    asked = [f"{agent}/run", f"{agent}/test", f"{other['agent']}/test"]
    uids = [
        body_of(await client.post(f"/api/agents/{each}", json={}), 202)["execution"]
        for each in asked
    ]

    async def listed() -> set[JsonValue]:
        page = body_of(await client.get(f"/api/executions?agentId={agent}"), 200)["items"]
        assert isinstance(page, list)
        return {each["id"] for each in page if isinstance(each, dict)}

    while len(await listed()) < 2:
        await place.log.wait(["person:local"], await place.log.end(), 0.05)
    assert await listed() == set(uids[:2])
    refused = await client.get(f"/api/executions?agentId={agent}&phase=Failed")
    assert "no other filter" in str(body_of(refused, 400)["detail"])


async def test_a_test_of_what_lacks_something_is_refused(client: Client, place: ApiPlace) -> None:
    draft = body_of(await client.post("/api/agents", json={"name": "x"}), 201)["agent"]
    assert (await client.post(f"/api/agents/{draft}/test", json={})).status_code == 422
    assert await names(place) == []


@pytest.mark.parametrize("what", ["test", "run"])
async def test_a_run_that_is_asked_for_again_is_made_once(
    client: Client, agent: str, place: ApiPlace, what: str
) -> None:
    body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    headers = {"Idempotency-Key": "k"}
    path = f"/api/agents/{agent}/{what}"
    answers = [await client.post(path, json={}, headers=headers) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    assert len(await runs(place)) == 1


async def test_a_test_whose_run_was_never_made_goes_by_itself(
    client: Client, agent: str, place: ApiPlace
) -> None:
    body_of(await client.post(f"/api/agents/{agent}/test", json={}), 202)
    [run] = await runs(place)
    await place.world.delete(Ref(EXECUTION, NAMESPACE, run.metadata.name))
    trials = Trials(place.world)
    await trials.sweep(NAMESPACE, place.clock())
    assert len(await names(place)) == 1
    await trials.sweep(NAMESPACE, place.clock() + timedelta(minutes=11))
    assert await names(place) == []


async def test_runs_are_counted_once_and_priced_by_history(
    client: Client, agent: str, place: ApiPlace
) -> None:
    ask = {"agent": agent}
    before = body_of(await client.post("/api/agents/preview", json=ask), 200)
    assert before["cost"] == {
        "executions": 0,
        "averageMicros": None,
        "highestMicros": None,
        "limitMicros": 2_000_000,
        "text": "No history: it has not run yet. A run stops at about $2.0000.",
    }
    body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    for _ in range(2):
        body_of(await client.post(f"/api/agents/{agent}/run", json={}), 202)
    for run, cost in zip(await runs(place), (40_000, 25_001), strict=True):
        await finish(place, run, cost)
    await until_counted(client, place, agent, 2)
    assert await totals(client, agent) == {
        "executions": 2,
        "usage": {
            "requests": 0,
            "inputTokens": 20,
            "outputTokens": 10,
            "cacheReadTokens": 0,
            "cacheWriteTokens": 0,
        },
        "costMicros": 65_001,
    }
    after = body_of(await client.post("/api/agents/preview", json=ask), 200)
    said = after["cost"]
    assert isinstance(said, dict)
    assert said["text"] == (
        "The last 2 runs cost $0.0326 on average, $0.0400 at most. A run stops at about $2.0000."
    )


async def test_a_preview_says_what_is_wrong_missing_touched_and_changed(
    client: Client, agent: str
) -> None:
    ask = {"agent": agent, "spec": {"prompt": None, "priority": 99}}
    wrong = body_of(await client.post("/api/agents/preview", json=ask), 200)
    errors = wrong["errors"]
    assert isinstance(errors, list)
    assert [each["field"] for each in errors if isinstance(each, dict)] == ["spec.priority"]
    assert (wrong["missing"], wrong["touches"]) == (["spec.prompt"], None)
    right = body_of(
        await client.post("/api/agents/preview", json={"agent": agent, "name": "New"}), 200
    )
    assert right["changes"] == [{"field": "name", "before": "Sales", "after": "New"}]
    assert right["touches"] == {
        "tools": ["Read", "Bash(python3:*)"],
        "denied": [],
        "hosts": ["*"],
        "secrets": [],
        "redActions": ["Bash(python3:*)"],
    }


async def test_a_sample_leaves_an_agent_of_its_name_alone(client: Client, place: ApiPlace) -> None:
    theirs: JsonObject = {
        "apiVersion": AGENT.api_version,
        "kind": "Agent",
        "metadata": {"name": "hello", "namespace": NAMESPACE},
        "spec": {"prompt": "Theirs."},
    }
    await place.world.as_manager("kubectl").create(theirs)
    body_of(await client.post("/api/samples/hello"), 202)
    [run] = await runs(place)
    assert run.spec.agent_ref.name.startswith("hello-")


async def test_a_sample_is_an_agent_of_ones_own_that_may_be_edited_and_deleted(
    client: Client, place: ApiPlace
) -> None:
    for _ in range(2):
        body_of(await client.post("/api/samples/hello"), 202)
    listed = body_of(await client.get("/api/agents"), 200)["items"]
    assert isinstance(listed, list)
    [view] = [each for each in listed if isinstance(each, dict)]
    assert (view["resource"], view["managedBy"], view["revision"]) == ("hello", "dashboard", 1)
    assert len(await runs(place)) == 2
    path = f"/api/agents/{view['id']}"
    edited = {"spec": {"prompt": "Say goodbye."}}
    body_of(await client.patch(path, json=edited, headers={"If-Match": "*"}), 200)
    body_of(await client.post("/api/samples/hello"), 202)
    detail = body_of(await client.get(path), 200)
    assert (detail["revision"], detail["appliedRevision"]) == (2, 2)
    body_of(await client.delete(path), 200)
    body_of(await client.post("/api/samples/hello"), 202)
    assert body_of(await client.get(path), 200)["revision"] == 1


async def test_what_is_asked_again_is_answered_alike_after_the_agent_is_inactive_and_gone(
    client: Client, agent: str, place: ApiPlace
) -> None:
    path = f"/api/agents/{agent}"
    body_of(await client.post(f"{path}/activate"), 202)
    run = body_of(await client.post(f"{path}/run", json={}), 202)["execution"]

    async def ask_all() -> list[str]:
        asked = (f"{path}/run", f"{path}/test", f"/api/executions/{run}/rerun", f"{path}/duplicate")
        answers = [
            await client.post(each, json={}, headers={"Idempotency-Key": f"k{number}"})
            for number, each in enumerate(asked)
        ]
        assert [each.status_code for each in answers] == [202, 202, 202, 201]
        return [each.text for each in answers]

    first, made = await ask_all(), len(await runs(place))
    body_of(await client.post(f"{path}/deactivate"), 202)
    assert await ask_all() == first
    body_of(await client.delete(path), 200)
    assert await ask_all() == first
    assert len(await runs(place)) == made
    other = await client.post(f"{path}/run", json={"input": "x"}, headers={"Idempotency-Key": "k0"})
    assert "take a new one" in str(body_of(other, 422)["detail"])
