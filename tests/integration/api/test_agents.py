"""Agents of the dashboard, from the first draft to the last trace, over REST."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import httpx2
import pytest
from pydantic import JsonValue

from heliostat_api.agents.mending import REST
from heliostat_api.documents.port import Put
from heliostat_api.events.log import Logged
from heliostat_core.agents import Agent
from heliostat_core.worlds import AGENT, JsonObject, Ref
from support.crd_cases import RULE_CASES, Case
from support.local_api import NAMESPACE, ApiPlace, body_of, client_of

SPEC: dict[str, JsonValue] = {"prompt": "Add up the sales.", "limits": {"timeoutSeconds": 60}}
AGENT_CASES = [each for each in RULE_CASES if each.kind == AGENT]
Client = httpx2.AsyncClient


async def create(client: Client, name: str = "Sales", **fields: JsonValue) -> str:
    body = {"name": name, "spec": SPEC, **fields}
    saved = body_of(await client.post("/api/agents", json=body), 201)
    return str(saved["agent"])


async def read(client: Client, agent: str) -> Mapping[str, JsonValue]:
    return body_of(await client.get(f"/api/agents/{agent}"), 200)


async def activate(client: Client, agent: str) -> str:
    """The name of its resource."""
    body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    return str((await read(client, agent))["resource"])


async def edit(client: Client, agent: str, spec: dict[str, JsonValue]) -> None:
    answer = await client.patch(
        f"/api/agents/{agent}", json={"spec": spec}, headers={"If-Match": "*"}
    )
    body_of(answer, 200)


async def live(place: ApiPlace, name: str) -> Agent:
    found = await place.agent(name)
    assert found is not None
    return Agent.model_validate(found)


def manifest(name: str, spec: dict[str, JsonValue], **annotations: str) -> JsonObject:
    return {
        "apiVersion": AGENT.api_version,
        "kind": "Agent",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": spec,
    }


def errors_of(answer: httpx2.Response, status: int = 422) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return fields_of(body_of(answer, status)["errors"])


def says(case: Case, field: str, message: str) -> bool:
    """Whether a field's error is what the case wants; of schedules the api has words of its own."""
    assert case.refused_at is not None
    if case.refused_at.startswith("spec.schedule"):
        return field.startswith(case.refused_at)
    return field == case.refused_at and message.startswith(case.message)


def fields_of(errors: JsonValue) -> dict[str, str]:
    assert isinstance(errors, list)
    found = [each for each in errors if isinstance(each, dict)]
    return {str(each["field"]): str(each["message"]) for each in found}


# ---- drafts -------------------------------------------------------------------------------------


async def test_a_draft_says_what_it_lacks_and_is_in_the_list(client: Client) -> None:
    agent = await create(client, "매출 보고", spec={})
    view = await read(client, agent)
    assert (view["name"], view["status"], view["revision"]) == ("매출 보고", "draft", 1)
    assert view["missing"] == ["spec.prompt"]
    assert len(agent.removeprefix("agent-")) == 24
    listed = body_of(await client.get("/api/agents"), 200)["items"]
    assert isinstance(listed, list)
    assert [each["id"] for each in listed if isinstance(each, dict)] == [agent]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"limits": {"timeoutSeconds": 0}}, "spec.limits.timeoutSeconds"),
        ({"limits": {"timeoutSeconds": "60"}}, "spec.limits.timeoutSeconds"),
        ({"promt": "x"}, "spec.promt"),
        ({"tools": {"allow": ["Read", "7"]}}, "spec.tools.allow[1]"),
        ({"suspend": True}, "spec.suspend"),
        ({"description": "x"}, "spec.description"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    client: Client, spec: JsonValue, field: str
) -> None:
    answer = await client.post("/api/agents", json={"name": "x", "spec": spec})
    assert list(errors_of(answer)) == [field]
    assert body_of(await client.get("/api/agents"), 200)["items"] == []


async def test_an_agent_is_imported_from_yaml_and_exported_as_the_same(client: Client) -> None:
    text = (
        "apiVersion: heliostat.dev/v1alpha1\nkind: Agent\nmetadata:\n  name: sales\nspec:\n"
        "  description: Sums.\n  prompt: |-\n    Add up.\n    Then stop.\n"
        "  verify:\n    files:\n    - report.csv\n"
    )
    answer = await client.post("/api/agents", json={"yaml": text})
    first = str(body_of(answer, 201)["agent"])
    exported = (await client.get(f"/api/agents/{first}/yaml")).text
    assert exported.replace(f"sales-{first[6:16]}", "sales") == text
    answer = await client.post("/api/agents", json={"yaml": exported})
    second = str(body_of(answer, 201)["agent"])
    assert (await read(client, second))["spec"] == (await read(client, first))["spec"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "kind: Agent",
        "a: &a [x]\nb: *a\nkind: Agent",
        "[" * 5000,
        "apiVersion: heliostat.dev/v1alpha1\nkind: Agent\nmetadata: {name: x}\nspec: {x: .nan}",
        "apiVersion: heliostat.dev/v1alpha1\nkind: Agent\nmetadata: {name: ''}\nspec: {}",
    ],
)
async def test_yaml_that_is_no_agent_is_refused(client: Client, text: str) -> None:
    answer = await client.post("/api/agents", json={"yaml": text})
    assert list(errors_of(answer)) == ["yaml"]


async def test_a_request_that_is_sent_again_makes_one_draft(client: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    body = {"name": "Sales", "spec": SPEC}
    answers = [await client.post("/api/agents", json=body, headers=headers) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    other = await client.post("/api/agents", json={**body, "name": "Other"}, headers=headers)
    assert "take a new one" in str(body_of(other, 422)["detail"])


async def test_a_draft_that_is_asked_for_again_needs_no_secret_any_more(client: Client) -> None:
    await client.put("/api/secrets/crm", json={"values": {"token": "x"}})
    ref: JsonValue = {"name": "crm", "key": "token", "envName": "X"}
    spec: JsonValue = {"prompt": "x", "workspace": {"secretRefs": [ref]}}
    headers = {"Idempotency-Key": "k-1"}
    body: JsonValue = {"name": "Sales", "spec": spec}
    first = await client.post("/api/agents", json=body, headers=headers)
    assert (await client.delete("/api/secrets/crm")).status_code == 204
    assert (await client.post("/api/agents", json=body)).status_code == 422, "or this shows nothing"
    again = await client.post("/api/agents", json=body, headers=headers)
    assert (again.status_code, again.text) == (201, first.text)


async def test_a_copy_is_a_draft_of_its_own(client: Client) -> None:
    agent = await create(client)
    await activate(client, agent)
    saved = body_of(await client.post(f"/api/agents/{agent}/duplicate", json={}), 201)
    copy = await read(client, str(saved["agent"]))
    assert (copy["name"], copy["status"], copy["resource"]) == ("Sales (copy)", "draft", "")
    assert copy["spec"] == SPEC


# ---- edits --------------------------------------------------------------------------------------


async def test_an_edit_needs_the_tag_of_what_was_read(client: Client) -> None:
    agent = await create(client)
    tag = (await client.get(f"/api/agents/{agent}")).headers["etag"]
    body = {"name": "Sales", "spec": {"prompt": "Add."}}
    assert (await client.put(f"/api/agents/{agent}", json=body)).status_code == 428
    headers = {"If-Match": tag}
    first = await client.put(f"/api/agents/{agent}", json=body, headers=headers)
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    second = await client.put(f"/api/agents/{agent}", json=body, headers=headers)
    assert second.status_code == 412
    assert (await read(client, agent))["spec"] == {"prompt": "Add."}


async def test_an_edit_as_yaml_keeps_what_people_call_it(client: Client) -> None:
    agent = await create(client, "매출 보고")
    exported = (await client.get(f"/api/agents/{agent}/yaml")).text
    text = exported.replace("Add up the sales.", "Add them twice.")
    headers = {"If-Match": '"1"'}
    body_of(await client.put(f"/api/agents/{agent}", json={"yaml": text}, headers=headers), 200)
    view = await read(client, agent)
    assert (view["name"], view["revision"]) == ("매출 보고", 2)
    assert view["spec"] == {**SPEC, "prompt": "Add them twice."}
    wrong = await client.put(
        f"/api/agents/{agent}", json={"yaml": text + "  promt: x\n"}, headers={"If-Match": '"2"'}
    )
    assert list(errors_of(wrong)) == ["spec.promt"]


async def test_what_a_run_changes_meanwhile_is_no_conflict(client: Client, place: ApiPlace) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    tag = (await client.get(f"/api/agents/{agent}")).headers["etag"]
    place_of_it = {"name": name, "namespace": NAMESPACE}
    status: JsonObject = {"metadata": place_of_it, "status": {"active": 3}}
    await place.world.patch_status({**manifest(name, {}), **status})
    while (await read(client, agent))["activeExecutions"] != 3:
        await place.log.wait(["person:local"], await place.log.end(), 0.05)
    answer = await client.patch(
        f"/api/agents/{agent}", json={"name": "New"}, headers={"If-Match": tag}
    )
    assert answer.status_code == 200


async def test_a_patch_takes_out_what_is_null(client: Client) -> None:
    agent = await create(client)
    await edit(client, agent, {"limits": None, "priority": 7})
    assert (await read(client, agent))["spec"] == {"prompt": "Add up the sales.", "priority": 7}


async def test_saving_the_same_makes_no_revision(client: Client) -> None:
    agent = await create(client)
    await edit(client, agent, dict(SPEC))
    body, headers = {"name": "Sales", "spec": SPEC}, {"If-Match": '"1"'}
    body_of(await client.put(f"/api/agents/{agent}", json=body, headers=headers), 200)
    assert (await read(client, agent))["revision"] == 1


async def test_every_saved_state_is_kept_told_apart_and_restored(client: Client) -> None:
    agent = await create(client)
    await edit(client, agent, {"limits": {"timeoutSeconds": 90}})
    path = f"/api/agents/{agent}/revisions"
    second = body_of(await client.get(f"{path}/2"), 200)
    assert second["changes"] == [{"field": "spec.limits.timeoutSeconds", "before": 60, "after": 90}]
    body_of(await client.post(f"{path}/1/restore"), 200)
    assert (await read(client, agent))["spec"] == SPEC
    listed = body_of(await client.get(path, params={"limit": 2}), 200)
    items, cursor = listed["items"], listed["next"]
    assert isinstance(items, list)
    noted = [(each["number"], each["note"]) for each in items if isinstance(each, dict)]
    assert noted == [(3, "restored from 1"), (2, "edited")]
    older = body_of(await client.get(path, params={"cursor": str(cursor)}), 200)
    assert isinstance(older["items"], list)
    assert len(older["items"]) == 1
    assert (await client.get(f"{path}/9")).status_code == 404


# ---- activation ---------------------------------------------------------------------------------


async def test_an_activated_agent_is_a_resource_that_names_owner_agent_and_revision(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client, description="Sums.")
    name = await activate(client, agent)
    assert name == f"sales-{agent[6:16]}"
    resource = await live(place, name)
    assert resource.metadata.annotations == {
        "heliostat.dev/owner": "local",
        "heliostat.dev/agent-id": agent,
        "heliostat.dev/agent-revision": "1",
    }
    assert resource.spec.description == "Sums."
    [entry] = resource.metadata.managed_fields
    assert (entry.manager, entry.operation) == ("heliostat-api", "Apply")
    view = await read(client, agent)
    assert (view["status"], view["appliedRevision"], view["drift"]) == ("active", 1, [])
    [report] = [each for each in await place.heard() if each.payload["status"] == "active"]
    assert report.payload["id"] == agent


async def test_what_lacks_something_is_not_activated(client: Client, place: ApiPlace) -> None:
    agent = await create(client, spec={"prompt": ""})
    answer = await client.post(f"/api/agents/{agent}/activate")
    assert errors_of(answer) == {"spec.prompt": "is required"}
    assert [each async for each in place.world.list(AGENT)] == []
    stored = await place.documents.get(f"agents/{agent}")
    assert stored is not None
    assert not stored.fields.get("resource"), "what is refused stores nothing"


async def test_what_the_world_would_refuse_is_refused_before_anything_is_stored(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    wrong = [each for each in AGENT_CASES if each.refused_at is not None]
    for case in wrong:
        assert isinstance(case.spec, Mapping)
        answers = [
            await client.post("/api/agents", json={"name": "x", "spec": case.spec}),
            await client.patch(
                f"/api/agents/{agent}", json={"spec": case.spec}, headers={"If-Match": "*"}
            ),
        ]
        preview = await client.post("/api/agents/preview", json={"spec": case.spec})
        named = [*map(errors_of, answers), fields_of(body_of(preview, 200)["errors"])]
        for errors in named:
            assert any(says(case, *each) for each in errors.items()), (case, errors)
    listed = body_of(await client.get("/api/agents"), 200)["items"]
    assert isinstance(listed, list)
    assert len(listed) == 1
    stored = await place.documents.get(f"agents/{agent}/revisions/000002")
    assert stored is None, "and the agent is as it was"


async def test_what_the_world_takes_is_saved(client: Client) -> None:
    await client.put("/api/secrets/crm", json={"values": {"token": "x"}})
    agent = await create(client)
    for case in AGENT_CASES:
        if case.refused_at is None:
            body = {"name": "x", "spec": case.spec}
            answer = await client.put(f"/api/agents/{agent}", json=body, headers={"If-Match": "*"})
            assert answer.status_code == 200, (case, answer.text)


async def test_a_draft_that_lacks_a_field_is_not_wrong_yet_but_for_what_is_there(
    client: Client,
) -> None:
    lacking: JsonValue = {"env": [{"value": "x"}]}
    agent = await create(client, spec={"workspace": lacking})
    assert (await read(client, agent))["missing"] == ["spec.prompt", "spec.workspace.env[0].name"]
    body: JsonValue = {"name": "x", "spec": {"workspace": lacking, "verify": {"files": ["../x"]}}}
    answer = await client.post("/api/agents", json=body)
    assert errors_of(answer) == {"spec.verify.files[0]": "must stay in the workspace: no '..'"}


async def test_somebody_elses_secret_is_not_stored_with_half_a_reference(client: Client) -> None:
    ref: JsonValue = {"name": "somebodys", "envName": "X"}
    spec: JsonValue = {"prompt": "x", "workspace": {"secretRefs": [ref]}}
    answer = await client.post("/api/agents", json={"name": "x", "spec": spec})
    assert list(errors_of(answer)) == ["spec.workspace.secretRefs[0]"]


async def test_a_draft_of_before_that_the_rules_refuse_is_refused_before_anything_is_stored(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    known = await place.documents.get(f"agents/{agent}")
    assert known is not None
    spec: JsonObject = {"prompt": "x", "workspace": {"storage": {"type": "Volume"}}}
    fields = {**known.fields, "spec": spec}
    await place.documents.commit(Put(known.path, fields))
    answer = await client.post(f"/api/agents/{agent}/activate")
    [(field, message)] = errors_of(answer).items()
    assert field == "spec.workspace.storage"
    assert message == "must set size with type Volume, and only then"
    after = await place.documents.get(f"agents/{agent}")
    assert after is not None
    assert after.fields == fields


async def test_an_edit_waits_for_the_next_activation(client: Client, place: ApiPlace) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    await edit(client, agent, {"prompt": "Multiply.", "limits": None})
    view = await read(client, agent)
    assert (view["revision"], view["appliedRevision"]) == (2, 1)
    assert (await live(place, name)).spec.prompt == "Add up the sales."
    await activate(client, agent)
    resource = await live(place, name)
    assert (resource.spec.prompt, resource.spec.limits.timeout_seconds) == ("Multiply.", 3600)


async def test_deactivation_suspends_and_touches_nothing_else(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    await place.world.as_manager("kubectl").apply(manifest(name, {"priority": 9}))
    body_of(await client.post(f"/api/agents/{agent}/deactivate"), 202)
    resource = await live(place, name)
    assert (resource.spec.suspend, resource.spec.priority) == (True, 9)
    view = await read(client, agent)
    assert (view["status"], view["drift"]) == ("inactive", ["spec.priority"])
    assert (await client.post(f"/api/agents/{agent}/run", json={})).status_code == 409
    await activate(client, agent)
    assert (await live(place, name)).spec.suspend is False


async def drifted(client: Client, place: ApiPlace, spec: dict[str, JsonValue]) -> str:
    """The id of an active agent of whose resource kubectl changed that."""
    agent = await create(client)
    name = await activate(client, agent)
    await place.world.as_manager("kubectl").apply(manifest(name, spec))
    while not (await read(client, agent))["drift"]:
        await place.log.wait(["person:local"], await place.log.end(), 0.05)
    return agent


async def to_change(client: Client, agent: str) -> list[JsonValue]:
    """Fields that an activation would change."""
    answer = await client.post("/api/agents/preview", json={"agent": agent})
    changes = body_of(answer, 200)["changes"]
    assert isinstance(changes, list)
    return [each["field"] for each in changes if isinstance(each, dict)]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"prompt": "Theirs."}, "spec.prompt"), ({"suspend": True}, "spec.suspend")],
)
async def test_what_others_change_of_a_resource_shows_as_drift_until_activation(
    client: Client, place: ApiPlace, change: dict[str, JsonValue], field: str
) -> None:
    agent = await drifted(client, place, change)
    assert (await read(client, agent))["drift"] == [field]
    await edit(client, agent, {"priority": 3})
    assert (await read(client, agent))["drift"] == [field]
    assert await to_change(client, agent) == sorted(["spec.priority", field])
    await activate(client, agent)
    assert (await read(client, agent))["drift"] == []
    assert await to_change(client, agent) == []


async def test_a_field_that_only_others_set_stays_theirs(client: Client, place: ApiPlace) -> None:
    agent = await drifted(client, place, {"priority": 9})
    assert await to_change(client, agent) == []
    name = await activate(client, agent)
    assert (await live(place, name)).spec.priority == 9
    assert (await read(client, agent))["drift"] == ["spec.priority"]
    await edit(client, agent, {"priority": 5})
    assert await to_change(client, agent) == ["spec.priority"]
    await activate(client, agent)
    assert (await read(client, agent))["drift"] == []


async def test_a_foreign_resource_of_that_name_is_left_alone(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    name = f"sales-{agent[6:16]}"
    await place.world.create(manifest(name, {"prompt": "Foreign."}))
    before = await read(client, agent)
    answer = await client.post(f"/api/agents/{agent}/activate")
    assert f"another Agent {name}" in str(body_of(answer, 409)["detail"])
    assert await read(client, agent) == before
    body_of(await client.delete(f"/api/agents/{agent}"), 200)
    assert (await live(place, name)).spec.prompt == "Foreign."


async def test_a_copy_of_a_resource_is_not_taken_for_the_agent(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    annotations = (await live(place, name)).metadata.annotations
    await place.world.as_manager("kubectl").create(
        manifest("copy", {"prompt": "Copy."}, **annotations)
    )
    items: list[JsonValue] = []
    while len(items) < 2:
        found = body_of(await client.get("/api/agents"), 200)["items"]
        assert isinstance(found, list)
        items = found
    kinds = {each["name"]: each["managedBy"] for each in items if isinstance(each, dict)}
    assert kinds == {"Sales": "dashboard", "copy": "kubectl"}
    assert (await read(client, agent))["spec"] == SPEC


async def test_an_agent_that_moved_to_another_person_keeps_its_record(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    known = await place.documents.get(f"agents/{agent}")
    assert known is not None
    await place.documents.commit(Put(known.path, {**known.fields, "userId": "ann"}))
    status: JsonObject = {"active": 2}
    await place.world.patch_status({**manifest(name, {}), "status": status})
    told: tuple[Logged, ...] = ()
    async with asyncio.timeout(10):
        # The activation itself may be heard after the move, and is then told to them as well.
        while not told or told[-1].report.payload["activeExecutions"] != 2:
            await place.log.wait(["person:ann"], told[-1].id if told else 0, 10)
            told = (await place.log.read(["person:ann"], 0)).reports
    assert {each.report.payload["id"] for each in told} == {agent}
    assert body_of(await client.get("/api/agents"), 200)["items"] == []


@pytest.mark.parametrize("agent", ["none", "__x__", "..", "a" * 2000, "agent-%00"])
async def test_an_id_of_nobody_is_not_there(client: Client, agent: str) -> None:
    answer = await client.get(f"/api/agents/{agent}/yaml")
    assert answer.status_code == 404


async def test_a_resource_that_kubectl_deleted_leaves_its_agent_inactive(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    await place.world.delete(Ref(AGENT, NAMESPACE, name))
    while (await read(client, agent))["status"] != "inactive":
        await place.log.wait(["person:local"], await place.log.end(), 0.05)
    left = await read(client, agent)
    assert "activate it to have it again" in str(left["readyMessage"])
    assert left["readyReason"] == "ResourceDeleted"
    assert "agent.deleted" not in {each.type for each in await place.heard()}
    await activate(client, agent)
    assert (await read(client, agent))["status"] == "active"


# ---- made by kubectl ----------------------------------------------------------------------------


@pytest.fixture
async def foreign(client: Client, place: ApiPlace) -> str:
    """The id of an agent made by kubectl."""
    created = await place.world.as_manager("kubectl").create(manifest("theirs", SPEC))
    uid = Agent.model_validate(created).metadata.uid
    while (await client.get(f"/api/agents/{uid}")).status_code == 404:
        await place.log.wait(["person:local"], 0, 0.05)
    return uid


async def test_an_agent_made_by_kubectl_is_shown_and_not_changed(
    client: Client, foreign: str
) -> None:
    view = await read(client, foreign)
    assert (view["name"], view["managedBy"], view["revision"]) == ("theirs", "kubectl", None)
    assert str(view["yaml"]).startswith("apiVersion: heliostat.dev/v1alpha1\nkind: Agent\n")
    path, body = f"/api/agents/{foreign}", {"name": "x", "spec": {}}
    assert body_of(await client.get(f"{path}/revisions"), 200)["items"] == []
    for answer in (
        await client.put(path, json=body, headers={"If-Match": "*"}),
        await client.patch(path, json={}, headers={"If-Match": "*"}),
        await client.delete(path),
        await client.post(f"{path}/activate"),
        await client.post(f"{path}/deactivate"),
    ):
        assert "made with kubectl" in str(body_of(answer, 409)["detail"])


async def test_a_copy_of_an_agent_made_by_kubectl_is_ones_own(client: Client, foreign: str) -> None:
    answer = await client.post(f"/api/agents/{foreign}/duplicate", json={"name": "Mine"})
    agent = str(body_of(answer, 201)["agent"])
    assert (await read(client, agent))["missing"] == []
    await activate(client, agent)


# ---- deletion -----------------------------------------------------------------------------------


async def test_a_deleted_agent_is_gone_with_its_resource(client: Client, place: ApiPlace) -> None:
    agent = await create(client)
    name = await activate(client, agent)
    body_of(await client.delete(f"/api/agents/{agent}"), 200)
    assert await place.agent(name) is None
    assert (await client.get(f"/api/agents/{agent}")).status_code == 404
    assert body_of(await client.get("/api/agents"), 200)["items"] == []
    reports = [each for each in await place.heard() if each.payload["id"] == agent]
    assert reports[-1].type == "agent.deleted"


async def test_the_last_traces_of_a_deleted_agent_go_in_time(
    client: Client, place: ApiPlace
) -> None:
    agent = await create(client)
    await activate(client, agent)
    body_of(await client.delete(f"/api/agents/{agent}"), 200)
    assert await place.documents.get(f"agents/{agent}") is not None
    place.clock.ahead = REST + timedelta(minutes=1)
    async with client_of(place.app()):
        async with asyncio.timeout(10):
            while await place.documents.get(f"agents/{agent}") is not None:
                await asyncio.sleep(0.02)
    assert await place.documents.get(f"agents/{agent}/revisions/000001") is None
