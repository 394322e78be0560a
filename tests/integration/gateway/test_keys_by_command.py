"""`heliostat gateway keys` on a real gateway: a key's life, and words for what goes wrong."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from support.manifests import ROOT
from support.ports import free_port

from .gateway_process import GatewayProcess
from .test_keys_over_http import OWNERS, create, status


@dataclass(frozen=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """`heliostat gateway keys` in a clean environment."""

    gateway: GatewayProcess

    @property
    def environment(self) -> dict[str, str]:
        token = self.gateway.admin_headers()["authorization"].split()[1]
        return {"HELIOSTAT_ADMIN_URL": self.gateway.url, "HELIOSTAT_ADMIN_KEY": token}

    async def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Told:
        process = await asyncio.create_subprocess_exec(
            str(ROOT / ".venv" / "bin" / "heliostat"),
            *("gateway", "keys", *arguments),
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.gateway.folder),
                **(self.environment if environ is None else environ),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Told(process.returncode, out.decode(), err.decode())


@pytest.fixture
def keys(shared: GatewayProcess) -> Commands:
    return Commands(shared)


async def test_a_keys_life_by_commands(keys: Commands, shared: GatewayProcess) -> None:
    made = await keys("create", "laptop", "--user", "ada", "--model", "scripted/*")
    assert made.code == 0, made.err
    (first,) = made.out.splitlines()  # nothing else is on stdout
    assert await status(shared, first) == 200
    key_id = "_".join(first.split("_")[:2])

    turned = await keys("rotate", key_id, "--grace-seconds", "0")
    second = turned.out.strip()
    assert [await status(shared, each) for each in (first, second)] == [401, 200]

    shown = await keys("list", key_id)
    header, row = shown.out.splitlines()
    assert header.split() == [
        "ID",
        "NAME",
        "OF",
        "SCOPES",
        "MODELS",
        "LIMITS",
        "AGE",
        "USED",
        "STATE",
    ]
    assert row.split()[:6] == [key_id, "laptop", "ada", "models", "scripted/*", "-"]
    assert row.split()[-1] == "good"

    ended = await keys("revoke", second)  # the whole text in place of its id
    assert ended.out == f"{key_id} is revoked everywhere; open streams ended: 0\n"
    assert await status(shared, second) == 401
    assert "revoked 20" in (await keys("list", key_id)).out
    secrets = [each.removeprefix(f"{key_id}_") for each in (first, second)]
    said = "".join(each.out + each.err for each in (shown, ended)) + made.err + turned.err
    assert not [each for each in secrets if each in said or each in shared.log.read_text()]


async def test_every_option_of_a_new_key_is_obeyed(keys: Commands) -> None:
    made = await keys(
        *("create", "batch", "--scope", "models", "--scope", "api", "--budget", "team"),
        *("--max-cost-micros", "5000000", "--max-tokens", "100", "--max-turns", "3", "--strict"),
        *("--expires-seconds", "600", "--json"),
    )
    assert made.code == 0, made.err
    issued = json.loads(made.out)
    details = issued["details"]
    assert issued["key"].startswith(f"{details['id']}_")
    assert (details["kind"], details["scopes"], details["models"], details["budgets"]) == (
        "service",
        ["api", "models"],
        ["*"],
        ["team"],
    )
    caps = {"maxCostMicros": 5000000, "maxTokens": 100, "maxTurns": 3, "strict": True}
    assert details["caps"] == caps
    assert details["expiresTime"] is not None
    listed = json.loads((await keys("list", details["id"], "--json")).out)
    assert listed == {"keys": [details]}
    row = (await keys("list", details["id"])).out.splitlines()[1]
    assert "maxCostMicros=5000000,maxTokens=100,maxTurns=3,strict,budget=team" in row


async def test_the_admin_key_may_be_in_a_file(gateway: GatewayProcess) -> None:
    gateway.stop()
    path = gateway.folder / "admin-key"
    path.write_text(f"{OWNERS}\n")
    gateway.start(HELIOSTAT_GATEWAY_ADMIN_KEY_FILE=str(path))
    place = ("--url", gateway.url, "--admin-key-file", str(path))
    made = await Commands(gateway)("create", "me", "--scope", "admin", *place, environ={})
    assert made.code == 0, made.err
    headers = {"x-api-key": made.out.strip()}
    assert (await gateway.ask("/admin/keys", method="GET", headers=headers)).status == 200


async def test_refusals_are_told_with_a_remedy(keys: Commands, shared: GatewayProcess) -> None:
    plain = (await create(shared))["key"]
    gone = f"http://127.0.0.1:{free_port()}"
    for change, arguments, code, words in (
        ({"HELIOSTAT_ADMIN_KEY": "wrong"}, ("list",), 1, ("answered 401", "scope admin")),
        ({"HELIOSTAT_ADMIN_KEY": plain}, ("list",), 1, ("answered 403", "lacks the scope")),
        ({"HELIOSTAT_ADMIN_URL": gone}, ("list",), 1, (f"{gone} did not answer", "--url")),
        ({}, ("revoke", "hsk_000000000000"), 1, ("answered 404", "no key with this id")),
        ({}, ("create", "x", "--scope", "root"), 2, ("answered 400", "body.scopes.0")),
        ({}, ("list", "sk-"), 2, ("answered 400", "prefix: must be")),
    ):
        told = await keys(*arguments, environ={**keys.environment, **change})
        assert (told.code, told.out) == (code, ""), told
        assert told.err.startswith("error: ")
        assert all(each in told.err for each in words), told.err


async def test_what_is_no_gateway_is_said(keys: Commands, shared: GatewayProcess) -> None:
    told = await keys("list", "--url", f"{shared.url}/healthz?")
    assert (told.code, told.out) == (1, "")
    assert "remedy: " in told.err
