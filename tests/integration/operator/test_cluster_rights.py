"""The Kubernetes world against a real API server: who may do what, and what was used."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliostat_core.worlds import (
    EXECUTION,
    POD,
    SECRET,
    ForbiddenError,
    NotFoundError,
    Ref,
    Selection,
    UnavailableError,
)
from heliostat_kubernetes.cluster import Call, KubernetesWorld
from support.control_plane import Address
from support.objects import make_execution, smallest_object
from support.worlds import make_namespace

GROUP = "heliostat.dev"


@pytest.fixture
def server(api_server_with_crds: Address) -> Address:
    return api_server_with_crds


@pytest.fixture
async def cluster(server: Address) -> AsyncIterator[KubernetesWorld]:
    async with await KubernetesWorld.connect(kubeconfig=server.kubeconfig) as world:
        yield world


@pytest.fixture
def namespace(server: Address) -> str:
    return make_namespace(server)


async def test_it_notes_every_right_that_it_used(cluster: KubernetesWorld, namespace: str) -> None:
    ref = Ref(EXECUTION, namespace, "run")
    await cluster.get(ref)
    assert cluster.calls == {Call(GROUP, "executions", "get")}
    await cluster.create(make_execution(namespace))
    await cluster.apply(make_execution(namespace, priority=1))
    await cluster.patch_status({**make_execution(namespace), "status": {"phase": "Running"}})
    await cluster.delete(ref)
    async for _ in cluster.list(SECRET, Selection(namespace)):
        pass
    verbs = ("get", "create", "patch", "delete")
    assert cluster.calls == {
        *(Call(GROUP, "executions", verb) for verb in verbs),
        Call(GROUP, "executions/status", "patch"),
        Call("", "secrets", "list"),
    }


async def test_an_apply_that_creates_needs_both_rights(
    cluster: KubernetesWorld, namespace: str
) -> None:
    await cluster.apply(make_execution(namespace))
    assert cluster.calls == {Call(GROUP, "executions", verb) for verb in ("patch", "create")}


async def test_without_the_right_it_is_forbidden(
    server: Address, namespace: str, tmp_path: Path
) -> None:
    server.kubectl("create", "serviceaccount", "stranger", "-n", namespace)
    token = server.kubectl("create", "token", "stranger", "-n", namespace).strip()
    config = json.loads(server.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = token
    stranger = tmp_path / "kubeconfig"
    stranger.write_text(json.dumps(config))
    async with await KubernetesWorld.connect(kubeconfig=stranger) as world:
        with pytest.raises(ForbiddenError, match="cannot get resource"):
            await world.get(Ref(EXECUTION, namespace, "run"))
        with pytest.raises(ForbiddenError):
            await anext(aiter(world.watch(EXECUTION)))


async def test_a_context_is_chosen_by_name(server: Address, tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig.read_text())
    config["contexts"].append({**config["contexts"][0], "name": "other"})
    config["current-context"] = "nowhere"
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    async with await KubernetesWorld.connect(kubeconfig=path, context="other") as world:
        assert world.name == "cluster other"
        assert await world.get(Ref(EXECUTION, "default", "nothing")) is None
    with pytest.raises(UnavailableError, match="nowhere"):
        await KubernetesWorld.connect(kubeconfig=path)


async def test_without_any_configuration_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no cluster to talk to"):
        await KubernetesWorld.connect(kubeconfig=tmp_path / "missing")


async def test_a_program_may_hand_out_the_credentials(server: Address, tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig.read_text())
    token = config["users"][0]["user"]["token"]
    kind = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    (tmp_path / "first").write_text(json.dumps({**kind, "status": {"token": "outdated"}}))
    (tmp_path / "next").write_text(json.dumps({**kind, "status": {"token": token}}))
    script = f"cd {tmp_path}; if [ -e first ]; then cat first; rm first; else cat next; fi"
    program = {
        "apiVersion": kind["apiVersion"],
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    }
    config["users"][0]["user"] = {"exec": program}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    async with await KubernetesWorld.connect(kubeconfig=path) as world:
        assert await world.get(Ref(EXECUTION, "default", "nothing")) is None


async def test_a_log_that_has_no_lines_yet_is_told_apart_from_no_pod(
    cluster: KubernetesWorld, namespace: str
) -> None:
    with pytest.raises(NotFoundError):
        await anext(cluster.read_log(namespace, "nothing"))
    await cluster.create(smallest_object(POD, namespace, "waiting"))
    assert [line async for line in cluster.read_log(namespace, "waiting")] == []


async def test_a_thousand_calls_at_once_all_come_back(
    cluster: KubernetesWorld, namespace: str
) -> None:
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(cluster.create(make_execution(namespace, f"run-{n}")) for n in range(1000))
        )
    assert len([obj async for obj in cluster.list(EXECUTION, Selection(namespace))]) == 1000
