"""What the api's role and policy let it do with Secrets, before a real API server."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.records.managers import APPLIER
from heliostat_api.secrets.records import build_secret, new_secret
from heliostat_core.worlds import SECRET, JsonObject, Ref, World, WorldError
from heliostat_kubernetes.cluster import KubernetesWorld
from support.control_plane import Address, build_kubeconfig
from support.manifests import INSTALLATION

NAMESPACE = "heliostat-agents"
SYSTEM = "heliostat-system"
OWN = new_secret("crm", NAMESPACE, datetime(2026, 11, 22, tzinfo=UTC))
FOREIGN: JsonObject = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "sales-1-1", "namespace": NAMESPACE},
    "data": {"key": "aGVsbG8="},
}


def files() -> list[Path]:
    return [INSTALLATION / "api" / name for name in ("rbac.yaml", "secrets.yaml")]


@pytest.fixture(scope="module")
def installed(own_api_server: Address) -> Address:
    """The api's rights, and a Secret of a run."""
    kubectl = own_api_server.kubectl
    kubectl("apply", "-k", INSTALLATION / "system")
    for path in files():
        kubectl("apply", "-f", path)
    kubectl("-n", SYSTEM, "create", "serviceaccount", "heliostat-api")
    kubectl("create", "-f", "-", stdin=json.dumps(FOREIGN))
    return own_api_server


@pytest_asyncio.fixture
async def world(installed: Address, tmp_path: Path) -> AsyncIterator[World]:
    """The cluster as the api sees it."""
    token = installed.kubectl("-n", SYSTEM, "create", "token", "heliostat-api").strip()
    kubeconfig = tmp_path / "kubeconfig"
    authority = installed.kubeconfig.parent / "apiserver.crt"
    kubeconfig.write_text(json.dumps(build_kubeconfig(installed.url, token, authority)))
    async with await KubernetesWorld.connect(kubeconfig=kubeconfig) as connected:
        yield connected.as_manager(APPLIER)


async def refusal_of_touching_a_foreign_one(world: World) -> str:
    """What a patch that changes nothing is told; empty when it is answered, with the values."""
    try:
        await world.apply({**FOREIGN, "data": {}})
    except WorldError as error:
        return str(error)
    return ""


async def test_the_api_touches_its_own_secrets_and_reads_none(
    installed: Address, world: World
) -> None:
    async with asyncio.timeout(30):  # a policy holds a moment after it was made
        while not (said := await refusal_of_touching_a_foreign_one(world)):
            await asyncio.sleep(0.2)
    assert "only Secrets with the label heliostat.dev/owner" in said
    foreign = Ref(SECRET, NAMESPACE, "sales-1-1")
    for refused in (world.get(foreign), world.delete(foreign)):
        with pytest.raises(WorldError, match=r"forbidden|heliostat\.dev/owner"):
            await refused
    with pytest.raises(WorldError, match="forbidden"):
        assert [each async for each in world.list(SECRET)]
    basic = {**build_secret(OWN, "guest-1", {"username": "a"}), "type": "kubernetes.io/basic-auth"}
    with pytest.raises(WorldError, match="only Secrets of type Opaque"):
        await world.apply(basic)
    await world.apply(build_secret(OWN, "guest-1", {"old": "1"}))
    await world.apply(build_secret(OWN, "guest-1", {"token": "2"}))
    found = json.loads(
        installed.kubectl("-n", NAMESPACE, "get", "secret", OWN.resource, "-o", "json")
    )
    assert found["data"] == {"token": "Mg=="}
    assert await world.delete(Ref(SECRET, NAMESPACE, OWN.resource))
