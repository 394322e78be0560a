"""`/admin/keys` on a real process: the life of a key, and words for each mistake."""

import json
from typing import TypedDict

import pytest

from .gateway_process import GatewayProcess, Reply

OWNERS = "owner-chosen-key-of-forty-characters-000"


class Details(TypedDict):
    id: str
    revokedTime: str | None
    lastUsedTime: str | None


class Issued(TypedDict):
    key: str
    details: Details


async def create(gateway: GatewayProcess, by: str = "", **wanted: object) -> Issued:
    body = {"name": "trial", "kind": "service", **wanted}
    headers = {"x-api-key": by} if by else gateway.admin_headers()
    reply = await gateway.ask("/admin/keys", document=body, headers=headers)
    assert reply.status == 201, reply.text
    issued: Issued = json.loads(reply.body)
    return issued


async def listed(gateway: GatewayProcess, prefix: str) -> list[Details]:
    answer: dict[str, list[Details]] = json.loads(await gateway.get(f"/admin/keys?prefix={prefix}"))
    return answer["keys"]


async def status(gateway: GatewayProcess, key: str) -> int:
    return (await gateway.message(key, "scripted/hello", stream=False)).status


async def test_the_life_of_a_key(shared: GatewayProcess) -> None:
    issued = await create(shared, kind="user", user="ada", expiresSeconds=600)
    key_id = issued["details"]["id"]
    assert issued["key"].startswith(f"{key_id}_")
    assert await status(shared, issued["key"]) == 200
    rotated = await rotate(shared, key_id, 60)
    assert [await status(shared, key) for key in (issued["key"], rotated)] == [200, 200]
    third = await rotate(shared, key_id, 0)
    assert [await status(shared, key) for key in (rotated, third)] == [401, 200]
    (shown,) = await listed(shared, key_id)
    assert shown["lastUsedTime"] is not None
    reply = await shared.ask(
        f"/admin/keys/{key_id}", method="DELETE", headers=shared.admin_headers()
    )
    assert reply.status == 200
    assert json.loads(reply.body)["everywhere"] is True
    assert await status(shared, third) == 401
    (shown,) = await listed(shared, key_id)
    assert shown["revokedTime"] is not None
    again = await shared.ask(
        f"/admin/keys/{key_id}/rotate", document={}, headers=shared.admin_headers()
    )
    assert (again.status, "make a new one" in again.error[1]) == (409, True)


async def rotate(gateway: GatewayProcess, key_id: str, grace: int) -> str:
    reply = await gateway.ask(
        f"/admin/keys/{key_id}/rotate",
        document={"graceSeconds": grace},
        headers=gateway.admin_headers(),
    )
    assert reply.status == 200, reply.text
    issued: Issued = json.loads(reply.body)
    return issued["key"]


async def test_no_answer_shows_a_secret_or_a_hash_twice(shared: GatewayProcess) -> None:
    issued = await create(shared)
    secret = issued["key"].removeprefix(issued["details"]["id"])
    whole = (await shared.get("/admin/keys")).decode()
    assert secret not in whole
    assert "digest" not in whole
    with_secret = await shared.get(f"/admin/keys?prefix={issued['key']}")
    assert [each["id"] for each in json.loads(with_secret)["keys"]] == [issued["details"]["id"]]


async def test_a_key_opens_what_its_scopes_name(shared: GatewayProcess) -> None:
    admin = (await create(shared, scopes=["admin"]))["key"]
    made_by_it = (await create(shared, by=admin))["key"]
    assert await status(shared, admin) == 403
    assert await status(shared, made_by_it) == 200
    reply = await shared.ask("/admin/keys", method="GET", headers={"x-api-key": made_by_it})
    assert (reply.status, reply.error[0]) == (403, "permission_error")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"name": ""}, "body.name"),
        ({"kind": "execution"}, "body.kind"),
        ({"kind": "user"}, "user: must say whose key it is"),
        ({"scopes": ["root"]}, "body.scopes.0"),
        ({"models": []}, "body.models"),
        ({"caps": {"maxCostMicros": 0}}, "body.caps.maxCostMicros"),
        ({"expiresSeconds": -1}, "body.expiresSeconds"),
        ({"color": "red"}, "body.color"),
    ],
)
async def test_a_mistake_names_its_field(
    shared: GatewayProcess, wanted: dict[str, object], words: str
) -> None:
    reply = await ask_for(shared, {"name": "trial", "kind": "service", **wanted})
    assert reply.status == 400
    assert words in reply.error[1]


async def ask_for(gateway: GatewayProcess, wanted: dict[str, object]) -> Reply:
    return await gateway.ask("/admin/keys", document=wanted, headers=gateway.admin_headers())


async def test_unknown_ids_and_prefixes(shared: GatewayProcess) -> None:
    headers = shared.admin_headers()
    for path, method in (("/admin/keys/hsk_x", "DELETE"), ("/admin/keys/hsk_x/rotate", "POST")):
        reply = await shared.ask(path, method=method, headers=headers)
        assert (reply.status, reply.error[0]) == (404, "not_found_error")
    reply = await shared.ask("/admin/keys?prefix=sk-", method="GET", headers=headers)
    assert (reply.status, "prefix: must be" in reply.error[1]) == (400, True)


async def test_breakers_are_shown(shared: GatewayProcess) -> None:
    assert json.loads(await shared.get("/admin/breakers")) == {
        "mode": "local",
        "away": 0,
        "alone": 0,
        "breakers": [],
    }


async def test_the_very_first_key_is_made_with_the_owners_own(gateway: GatewayProcess) -> None:
    gateway.stop()
    path = gateway.folder / "admin-key"
    path.write_text(f"{OWNERS}\n")
    gateway.start(HELIOSTAT_GATEWAY_ADMIN_KEY_FILE=str(path))
    admin = (await create(gateway, by=OWNERS, scopes=["admin", "models"]))["key"]
    assert await status(gateway, admin) == 200
    assert await status(gateway, OWNERS) == 401
    gateway.kill()
    gateway.start()  # without the file
    assert await status(gateway, (await create(gateway, by=admin))["key"]) == 200
    log = gateway.log.read_text()
    assert OWNERS not in log
    assert admin not in log


def test_a_short_owners_key_stops_the_start(gateway: GatewayProcess) -> None:
    gateway.stop()
    path = gateway.folder / "admin-key"
    path.write_text("too-short")
    process = gateway.spawn(HELIOSTAT_GATEWAY_ADMIN_KEY_FILE=str(path))
    assert process.wait(timeout=60) == 2
    log = gateway.log.read_text()
    assert "HELIOSTAT_GATEWAY_ADMIN_KEY_FILE must hold one key of at least 32" in log
    assert "too-short" not in log


async def test_the_documented_answers_are_the_true_ones(shared: GatewayProcess) -> None:
    document = json.loads((await shared.ask("/openapi.json", method="GET")).body)
    create_page = document["paths"]["/admin/keys"]["post"]
    assert sorted(create_page["responses"]) == ["201", "4XX", "5XX"]
