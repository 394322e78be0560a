"""Secrets: written, never read again, named by their owner's agents only."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from pydantic import JsonValue

from heliostat_api.app.assembly.entrance import build_guest_movings
from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import LOCAL
from heliostat_api.documents.port import OWNER, Put
from heliostat_api.people.identities import new_guest_id
from heliostat_api.secrets.records import (
    MOST,
    OWNER_LABEL,
    OwnSecret,
    new_secret,
    owner_label,
    path_of,
)
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import SECRET, JsonObject, Ref, World
from support.local_api import NAMESPACE, ApiPlace, body_of
from support.shared_api import ApiApp, api_app

ANN, BOB = new_guest_id(), new_guest_id()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUE = "s3cr3t-value"


def naming(*names: str, key: str = "token", **workspace: JsonValue) -> JsonValue:
    refs: list[JsonValue] = [
        {"name": name, "key": key, "envName": f"TOKEN_{place}"} for place, name in enumerate(names)
    ]
    return {"prompt": "Work.", "workspace": {"secretRefs": refs, **workspace}}


async def put(client: httpx2.AsyncClient, name: str, **values: str) -> str:
    """The name of its Secret."""
    answer = await client.put(f"/api/secrets/{name}", json={"values": values or {"token": VALUE}})
    assert (answer.status_code, answer.text) == (204, "")
    return next(str(each["resource"]) for each in await listed(client) if each["name"] == name)


async def listed(client: httpx2.AsyncClient) -> Sequence[dict[str, JsonValue]]:
    answer = await client.get("/api/secrets")
    assert VALUE not in answer.text
    items: list[dict[str, JsonValue]] = answer.json()["items"]
    return items


async def create(client: httpx2.AsyncClient, spec: JsonValue) -> httpx2.Response:
    return await client.post("/api/agents", json={"name": "Sales", "spec": spec})


async def found(world: World, name: str, namespace: str = NAMESPACE) -> JsonObject:
    secret = await world.get(Ref(SECRET, namespace, name))
    assert secret is not None
    return secret


def faults(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


async def test_a_secret_is_written_replaced_and_deleted(
    place: ApiPlace, client: httpx2.AsyncClient
) -> None:
    name = await put(client, "CRM 열쇠".replace(" ", "-"), token=VALUE, old="x")
    await put(client, "CRM-열쇠", token=f"{VALUE}-2")
    (item,) = await listed(client)
    assert (item["name"], item["keys"], item["usedBy"]) == ("CRM-열쇠", ["token"], [])
    secret = await found(place.world, name)
    head = ObjectHead.model_validate(secret).metadata
    assert head.labels[OWNER_LABEL] == LOCAL.id
    assert secret["data"] == {"token": "czNjcjN0LXZhbHVlLTI="}
    assert name.startswith("crm-")
    gone = await client.delete("/api/secrets/CRM-열쇠")
    assert gone.status_code == 204
    assert await place.world.get(Ref(SECRET, NAMESPACE, name)) is None
    assert await listed(client) == []
    assert (await client.delete("/api/secrets/CRM-열쇠")).status_code == 404


async def test_an_agent_names_a_secret_and_holds_it_while_it_is_active(
    place: ApiPlace, client: httpx2.AsyncClient
) -> None:
    resource = await put(client, "crm")
    agent = str(body_of(await create(client, naming("crm")), 201)["agent"])
    path = f"/api/agents/{agent}"
    view = body_of(await client.get(path), 200)
    assert view["spec"] == naming(resource), "saved by the name that the resource has"
    assert [each["usedBy"] for each in await listed(client)] == [[agent]]
    body_of(await client.post(f"{path}/activate"), 202)
    assert body_of(await client.get(path), 200)["drift"] == []
    refused = body_of(await client.delete("/api/secrets/crm"), 409)
    assert agent in str(refused["detail"])
    await client.post(f"{path}/deactivate")
    assert (await client.delete("/api/secrets/crm")).status_code == 204
    again = await client.post(f"{path}/activate")
    assert "spec.workspace.secretRefs[0].name" in faults(again)
    assert await place.world.get(Ref(SECRET, NAMESPACE, resource)) is None


async def test_what_is_not_a_secret_is_refused(client: httpx2.AsyncClient) -> None:
    too_much = {str(number): "x" * 65_000 for number in range(5)}
    for name, values in [
        ("a", {}),
        ("a", {"bad key": "x"}),
        ("a", {"k": "zero\x00byte"}),
        ("a", too_much),
        ("x" * 64, {"k": "v"}),
        ("with%20space", {"k": "v"}),
    ]:
        answer = await client.put(f"/api/secrets/{name}", json={"values": values})
        assert answer.status_code == 422, (name, answer.text)
        assert "zero" not in answer.text
    half = await client.put(
        "/api/secrets/a",
        content=b'{"values": {"k": "\\ud800"}}',
        headers={"Content-Type": "application/json"},
    )
    assert half.status_code == 422
    assert await listed(client) == []


async def test_nobody_names_or_touches_what_is_anothers(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann, api.browser(BOB) as bob:
        hers, his = await put(ann, "crm"), await put(bob, "crm")
        assert hers != his
        unknown = faults(await create(bob, naming("nothing")))
        for name in (hers, "nothing"):
            assert faults(await create(bob, naming(name))) == unknown
        assert list(unknown) == ["spec.workspace.secretRefs[0].name"]
        made = body_of(await create(bob, naming("crm")), 201)
        patch = await bob.patch(
            f"/api/agents/{made['agent']}",
            json={"spec": naming(hers)},
            headers={"If-Match": "*"},
        )
        assert faults(patch) == unknown
        preview = await bob.post("/api/agents/preview", json={"spec": naming(hers)})
        (told,) = preview.json()["errors"]
        assert {told["field"]: told["message"]} == unknown
        assert (await bob.delete(f"/api/secrets/{hers}")).status_code == 404
        wrong_key = faults(await create(bob, naming("crm", key="password")))
        assert wrong_key == {"spec.workspace.secretRefs[0].key": "must be one of its keys: token"}


async def test_nobody_can_aim_at_anothers_secret(tmp_path: Path) -> None:
    """Two persons and names whose hashes begin with the same 40 bits, found by trying."""
    ann, bob = "guest-" + "a" * 32, "guest-" + "b" * 32
    hers, his = "crm낔갫", "crm걌괊"
    async with api_app(tmp_path) as api, api.browser(ann) as one, api.browser(bob) as two:
        first, second = await put(one, hers, token="1"), await put(two, his, token="2")
        assert first != second
        assert (await found(api.world, first, "default"))["data"] == {"token": "MQ=="}


async def test_a_secrets_name_in_the_cluster_is_chosen_once_and_cannot_be_guessed(
    tmp_path: Path,
) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        first = await put(ann, "crm")
        assert await put(ann, "crm", token="another") == first
        assert (await ann.delete("/api/secrets/crm")).status_code == 204
        again = await put(ann, "crm")
        assert again != first
        assert all(re.fullmatch("crm-[0-9a-f]{24}", each) for each in (first, again))


async def test_a_secret_that_was_begun_keeps_its_name(tmp_path: Path) -> None:
    """As after a crash before its values were written, and as documents of before have it."""
    begun = OwnSecret(name="crm", namespace="default", resource="crm-0123456789", created_at=NOW)
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        await api.documents.commit(Put(path_of(ANN, "crm"), begun.fields(ANN)))
        assert await put(ann, "crm") == "crm-0123456789"


async def test_another_s_secret_in_an_older_draft_neither_runs_nor_is_tested(
    tmp_path: Path,
) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann, api.browser(BOB) as bob:
        hers = await put(ann, "crm")
        made = body_of(await create(ann, naming("crm")), 201)
        path = f"/api/agents/{made['agent']}"
        await rename_owner(api, f"agents/{made['agent']}", BOB)
        for call in (bob.post(f"{path}/activate"), bob.post(f"{path}/test", json={})):
            assert "spec.workspace.secretRefs[0].name" in faults(await call)
        assert (await bob.get(path)).json()["spec"] == naming(hers)


async def rename_owner(api: ApiApp, path: str, owner: str) -> None:
    """As a draft that was saved before anybody looked at its secrets."""
    known = await api.documents.get(path)
    assert known is not None
    await api.documents.commit(Put(path, {**known.fields, OWNER: owner}))


async def test_a_guests_secrets_become_the_users(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann, api.browser(BOB) as bob:
        hers, his = await put(ann, "crm"), await put(bob, "crm")
        only_hers = await put(ann, "mail")
        made = body_of(await create(ann, naming("crm")), 201)
        movings = build_guest_movings(api.dependencies, api.parts.money)
        for _ in range(2):  # may be called again
            for each in movings:
                await each.move(ANN, BOB)
        names = {str(each["resource"]): each["name"] for each in await listed(bob)}
        assert names == {his: "crm", only_hers: "mail", hers: hers}
        assert await listed(ann) == []
        labels = ObjectHead.model_validate(await found(api.world, hers, "default")).metadata.labels
        assert labels[OWNER_LABEL] == owner_label(BOB)
        await rename_owner(api, f"agents/{made['agent']}", BOB)
        body_of(await bob.post(f"/api/agents/{made['agent']}/activate"), 202)


async def test_all_of_a_person_goes_and_nobody_elses(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann, api.browser(BOB) as bob:
        hers, his = await put(ann, "crm"), await put(bob, "crm")
        for _ in range(2):
            await api.parts.secrets.delete_all_of(ANN)
        assert await listed(ann) == []
        assert len(await listed(bob)) == 1
        assert await api.world.get(Ref(SECRET, "default", hers)) is None
        assert await api.world.get(Ref(SECRET, "default", his)) is not None


async def test_there_is_a_bound(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        known = [new_secret(f"s{number}", "default", api.clock()) for number in range(MOST)]
        await api.documents.commit(
            *(Put(path_of(ANN, each.name), each.fields(ANN)) for each in known)
        )
        refused = await ann.put("/api/secrets/more", json={"values": {"k": "v"}})
        assert (refused.status_code, "delete one first" in refused.text) == (409, True)
        again = await ann.put("/api/secrets/s1", json={"values": {"k": "w"}})
        assert again.status_code == 204


async def test_the_admin_says_which_secrets_of_secret_manager_may_be_named(tmp_path: Path) -> None:
    field = "spec.workspace.secretRefs[0].secretManager.secret"

    def asking(secret: str) -> JsonValue:
        ref: JsonValue = {"envName": "TOKEN", "secretManager": {"secret": secret}}
        return {"prompt": "Work.", "workspace": {"secretRefs": [ref]}}

    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        told = faults(await create(ann, asking("projects/acme/secrets/team-crm")))
        words = (
            "projects/acme/secrets/team-crm is not allowed here: leave it out; an admin allows more"
        )
        assert told == {field: words}
    (tmp_path / "two").mkdir()
    settings = ApiSettings(allowed_secrets=("projects/acme/secrets/team-*",))
    async with api_app(tmp_path / "two", settings) as api, api.browser(ANN) as ann:
        body_of(await create(ann, asking("projects/acme/secrets/team-crm")), 201)
        for secret in ("projects/acme/secrets/other", "projects/else/secrets/team-crm"):
            told = faults(await create(ann, asking(secret)))
            assert "must be within projects/acme/secrets/team-*" in told[field]


async def test_the_admin_says_which_images_may_be_named(tmp_path: Path) -> None:
    field = "spec.workspace.image"
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        told = faults(await create(ann, naming(image="python:3.14")))
        assert told == {
            field: "python:3.14 is not allowed here: leave it out; an admin allows more"
        }
    (tmp_path / "two").mkdir()
    settings = ApiSettings(images=("registry.example/team/*",))
    async with api_app(tmp_path / "two", settings) as api, api.browser(ANN) as ann:
        body_of(await create(ann, naming(image="registry.example/team/py:1")), 201)
        for image in ("registry.example/teams/py", "python", "evil/registry.example/team/py"):
            assert (
                "registry.example/team/*" in faults(await create(ann, naming(image=image)))[field]
            )
