"""Secrets of Secret Manager on their way to agents, over Google's own gRPC API."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from heliostat_core.keys import new_private_key
from heliostat_core.secret_refs import ManagedRef, ManagedSecret
from heliostat_core.worlds import AGENT, EXECUTION, JOB, SECRET, JsonObject, JsonValue, Ref
from heliostat_google.identity import Identity
from heliostat_google.keeping import Ages
from heliostat_google.problems import SecretUnavailableError
from heliostat_google.secret_manager import SecretManager
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.secrets.resolved_secrets import ResolvedSecrets
from heliostat_operator.secrets.vaults import SecretManagerVault
from support.builders.resources import make_agent, make_execution, make_settings
from support.fake_gateway import FakeGateway
from support.google.accounts import ServiceAccount
from support.google.secret_manager import FakeSecretManager
from support.google.unbound import Unbound
from support.memory_world import MemoryWorld
from support.waiting import until

OPERATOR = "operator@acme.iam.gserviceaccount.com"
CRM = "projects/acme/secrets/crm-token"
PROVIDER = "projects/acme/secrets/anthropic-key"
UNMARKED = "projects/acme/secrets/openai-key"
REFRESH, KEEP = 60.0, 3600.0
SIGNER = Signer(new_private_key(), utc_now)


@dataclass
class Bench:
    """The fake, and the operator's vault over it; time is the test's."""

    google: FakeSecretManager
    account: ServiceAccount
    now: float = 0.0

    @asynccontextmanager
    async def vault(self) -> AsyncIterator[SecretManagerVault]:
        identity = Identity(self.account.credentials(), self.google.trust())
        reader = SecretManager(self.google.endpoint, identity)
        ages = Ages(REFRESH, KEEP)
        try:
            yield SecretManagerVault(reader, [UNMARKED], ages, lambda: self.now)
        finally:
            await reader.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with FakeSecretManager() as google:
        account = google.know(ServiceAccount(OPERATOR))
        google.keep(
            CRM, "first", labels={"heliostat-namespaces": "sales_team-b"}, readers={OPERATOR}
        )
        everywhere = {"heliostat-use": "gateway", "heliostat-namespaces": "sales_research"}
        google.keep(PROVIDER, "sk-provider", labels=everywhere, readers={OPERATOR})
        google.keep(
            UNMARKED, "sk-other", labels={"heliostat-namespaces": "research"}, readers={OPERATOR}
        )
        yield Bench(google, account)


def ref(secret: str, version: str = "latest") -> ManagedRef:
    return ManagedRef(ManagedSecret(secret=secret, version=version), "TOKEN")


async def look(
    vault: SecretManagerVault, secret: str, *, namespace: str = "sales", version: str = "latest"
) -> str:
    """The value, or the reason why there is none."""
    return told(await vault.look(namespace, [ref(secret, version)]))


def told(seen: ResolvedSecrets) -> str:
    if seen.problem is not None:
        return seen.problem.reason.value
    return seen.values["TOKEN"].get_secret_value()


async def test_an_agent_gets_what_its_namespace_is_given(bench: Bench) -> None:
    async with bench.vault() as vault:
        assert await look(vault, CRM) == "first"
        assert await look(vault, CRM, namespace="team-b") == "first"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (CRM, "is not given to namespace 'research'"),
        (PROVIDER, "is kept for the gateway"),
        (UNMARKED, "is kept for the gateway"),
        ("projects/1234567890/secrets/openai-key", "is kept for the gateway"),
        ("projects/1234567890/secrets/anthropic-key", "is kept for the gateway"),
    ],
)
async def test_a_second_tenant_is_refused_and_its_value_is_never_read(
    bench: Bench, secret: str, words: str
) -> None:
    async with bench.vault() as vault:
        seen = await vault.look("research", [ref(secret)])
    assert seen.problem is not None
    assert seen.problem.reason == "SecretRefused"
    assert f"Secret {secret} {words}" in seen.problem.message
    assert "sales" not in seen.problem.message  # who else has it is none of their affair
    assert [name for method, name in bench.google.calls if method == "AccessSecretVersion"] == []


async def test_one_that_is_refused_keeps_the_others_back(bench: Bench) -> None:
    async with bench.vault() as vault:
        other = ManagedRef(ManagedSecret(secret=PROVIDER), "KEY")
        seen = await vault.look("sales", [ref(CRM), other])
    assert seen.values == {}


async def test_a_new_version_is_seen_without_a_restart_and_a_pinned_one_never_changes(
    bench: Bench,
) -> None:
    async with bench.vault() as vault:
        seen = [await look(vault, CRM), await look(vault, CRM, version="1")]
        bench.google.secrets[CRM].versions.append(b"second")
        bench.now = REFRESH - 1
        seen.append(await look(vault, CRM))
        bench.now = REFRESH
        seen += [await look(vault, CRM), await look(vault, CRM, version="1")]
    assert seen == ["first", "first", "first", "second", "first"]
    pinned = ("AccessSecretVersion", f"{CRM}/versions/1")
    assert bench.google.calls.count(pinned) == 1


async def test_a_label_that_is_taken_away_counts_within_the_refresh(bench: Bench) -> None:
    async with bench.vault() as vault:
        assert await look(vault, CRM, version="1") == "first"
        bench.google.secrets[CRM].labels = {"heliostat-namespaces": "team-b"}
        bench.now = REFRESH
        assert await look(vault, CRM, version="1") == "SecretRefused"


async def test_no_level_of_logging_shows_a_value(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("google"), "propagate", True)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "google"):
        async with bench.vault() as vault:
            assert await look(vault, CRM) == "first"
    shown = str([vars(each) for each in caplog.records])
    assert "first" not in shown
    assert base64.b64encode(b"first").decode() not in shown


async def test_access_that_is_missing_or_taken_away_is_told_with_its_remedy(bench: Bench) -> None:
    async with bench.vault() as vault:
        assert await look(vault, CRM) == "first"
        bench.google.secrets[CRM].readers.clear()
        bench.now = REFRESH
        seen = await vault.look("sales", [ref(CRM)])
    assert seen.problem is not None
    assert seen.problem.reason == "SecretForbidden"
    assert CRM in seen.problem.message
    assert "roles/secretmanager.secretAccessor" in seen.problem.message


async def test_a_caller_that_google_does_not_know_gets_nothing(bench: Bench) -> None:
    bench.account = ServiceAccount("stranger@elsewhere.iam.gserviceaccount.com")
    async with bench.vault() as vault:
        assert await look(vault, CRM) == "SecretForbidden"


@pytest.mark.parametrize(
    ("is_answered", "reason", "remedy"),
    [
        (True, "SecretForbidden", "Bind its service account by Workload Identity."),
        (False, "SecretManagerUnreachable", "It is asked again by itself."),
    ],
)
async def test_a_pod_to_which_google_gives_no_token_is_told_so(
    bench: Bench, is_answered: bool, reason: str, remedy: str
) -> None:
    identity = Identity(Unbound(is_answered=is_answered), bench.google.trust())
    reader = SecretManager(bench.google.endpoint, identity)
    with pytest.raises(SecretUnavailableError) as refused:
        await reader.labels(CRM)
    await reader.close()
    assert refused.value.problem.reason == reason
    assert refused.value.problem.message.endswith(remedy)


async def test_what_does_not_exist_or_was_destroyed_is_missing(bench: Bench) -> None:
    async with bench.vault() as vault:
        assert await look(vault, "projects/acme/secrets/nothing") == "SecretMissing"
        assert await look(vault, CRM, version="7") == "SecretMissing"
        bench.google.secrets[CRM].versions[0] = None
        assert await look(vault, CRM) == "SecretMissing"


async def test_what_is_no_text_is_told(bench: Bench) -> None:
    bench.google.secrets[CRM].versions.append(b"\xff\xfe")
    async with bench.vault() as vault:
        assert await look(vault, CRM) == "SecretMissing"


async def test_while_google_is_away_what_was_read_holds_to_its_bound(bench: Bench) -> None:
    async with bench.vault() as vault:
        assert await look(vault, CRM) == "first"
        bench.google.is_away = True
        seen = []
        for bench.now in (REFRESH, KEEP - 1, KEEP):
            seen.append(await look(vault, CRM))
        bench.google.is_away = False
        bench.now = KEEP + 10
        assert seen == ["first", "first", "SecretManagerUnreachable"]
        assert await look(vault, CRM) == "first"


async def test_a_pinned_value_too_outlives_an_absence_that_begins_at_any_time(
    bench: Bench,
) -> None:
    async with bench.vault() as vault:
        seen = [await look(vault, CRM, version="1")]
        bench.now = KEEP / 2
        seen.append(await look(vault, CRM, version="1"))
        bench.google.is_away = True
        bench.now = KEEP + 10
        seen.append(await look(vault, CRM, version="1"))
    assert seen == ["first"] * 3


# ---- runs ----------------------------------------------------------------------------------------


def make_world(namespaces: Mapping[str, str]) -> MemoryWorld:
    """In each namespace an Agent that names a secret, and a run of it."""
    world = MemoryWorld()
    for namespace, secret in namespaces.items():
        refs: JsonValue = [{"envName": "TOKEN", "secretManager": {"secret": secret}}]
        for made in (make_agent(workspace={"secretRefs": refs}), make_execution()):
            document: dict[str, JsonValue] = {**made.to_json()}
            document.pop("status")
            metadata = document["metadata"]
            assert isinstance(metadata, dict)
            del metadata["uid"]
            world.put({**document, "metadata": {**metadata, "namespace": namespace}})
    return world


@asynccontextmanager
async def working(world: MemoryWorld, vault: SecretManagerVault) -> AsyncIterator[Engine]:
    engine = Engine(world, FakeGateway(), SIGNER, make_settings(), vault=vault)
    task = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def block_of(world: MemoryWorld, namespace: str) -> str:
    status = world.objects[Ref(EXECUTION, namespace, "sales-1")].get("status")
    blocks = status.get("blockedBy") if isinstance(status, Mapping) else None
    first = blocks[0] if isinstance(blocks, list | tuple) and blocks else {}
    return str(first.get("reason")) if isinstance(first, Mapping) else ""


def ready_of(world: MemoryWorld, namespace: str) -> str:
    status = world.objects[Ref(AGENT, namespace, "sales")].get("status")
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    first = conditions[0] if isinstance(conditions, list | tuple) and conditions else {}
    return str(first.get("reason")) if isinstance(first, Mapping) else ""


def told_of(world: MemoryWorld, namespace: str) -> tuple[str, str]:
    """Of the run, and of its Agent."""
    return block_of(world, namespace), ready_of(world, namespace)


def run_secret(world: MemoryWorld, namespace: str) -> JsonObject | None:
    found = world.objects.get(Ref(SECRET, namespace, "sales-1-1"))
    data = found.get("data") if found else None
    return data if isinstance(data, Mapping) else None


async def test_the_runs_secret_holds_the_value_and_nothing_else_does(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    world = make_world({"sales": CRM, "research": PROVIDER, "team-c": CRM})
    with caplog.at_level(logging.DEBUG):
        async with bench.vault() as vault, working(world, vault):
            await until(lambda: Ref(JOB, "sales", "sales-1-1") in world.objects)
            await until(lambda: told_of(world, "research") == ("SecretRefused",) * 2)
            await until(lambda: told_of(world, "team-c") == ("SecretRefused",) * 2)
    data = run_secret(world, "sales")
    assert data is not None
    assert base64.b64decode(str(data["variable.TOKEN"])) == b"first"
    assert run_secret(world, "research") is run_secret(world, "team-c") is None
    everything = [str(each) for ref, each in world.objects.items() if ref.kind != SECRET]
    shown = "\n".join([*everything, caplog.text, str(world.changes[0])])
    assert "sk-provider" not in shown
    assert "first" not in shown
    assert base64.b64encode(b"first").decode() not in shown


async def test_a_run_waits_for_google_and_is_not_lost(bench: Bench) -> None:
    world = make_world({"sales": CRM})
    bench.google.is_away = True
    async with bench.vault() as vault, working(world, vault) as engine:
        await until(lambda: block_of(world, "sales") == "SecretManagerUnreachable")
        assert Ref(JOB, "sales", "sales-1-1") not in world.objects
        bench.google.is_away = False
        bench.now = 10
        engine.queue("execution").add(("sales", "sales-1"))  # its next look, half a minute early
        await until(lambda: Ref(JOB, "sales", "sales-1-1") in world.objects)
    data = run_secret(world, "sales")
    assert data is not None
    assert "variable.TOKEN" in data
