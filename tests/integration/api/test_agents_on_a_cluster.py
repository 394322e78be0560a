"""Agents of the dashboard before a real API server: applying, drift, suspending, its refusals."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
import yaml
from pydantic import JsonValue

from heliostat_api.app.main import create_app
from heliostat_api.web.problems import fields_of
from heliostat_core.agents import Agent
from heliostat_core.worlds import AGENT, InvalidError, JsonObject, Ref, World
from heliostat_kubernetes.cluster import KubernetesWorld
from support.control_plane import Address
from support.local_api import api_place, body_of, client_of
from support.worlds import make_namespace

BLACKOUT: JsonValue = {"cron": "0 0 * * 6", "durationSeconds": 3600}


@dataclass(frozen=True)
class Cluster:
    """A namespace, as kubectl sees it, and the dashboard's client."""

    kubectl: World
    namespace: str
    client: httpx2.AsyncClient

    async def live(self, name: str) -> Agent:
        found = await self.kubectl.get(Ref(AGENT, self.namespace, name))
        assert found is not None
        return Agent.model_validate(found)

    async def change(self, name: str, spec: JsonObject) -> None:
        await self.kubectl.apply(
            {
                "apiVersion": AGENT.api_version,
                "kind": "Agent",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": spec,
            }
        )

    async def create(self, spec: JsonValue) -> str:
        """The path of the new agent."""
        answer = await self.client.post("/api/agents", json={"name": "Sales", "spec": spec})
        return f"/api/agents/{body_of(answer, 201)['agent']}"

    async def read(self, path: str) -> dict[str, JsonValue]:
        return dict(body_of(await self.client.get(path), 200))


@pytest_asyncio.fixture
async def cluster(api_server_with_crds: Address, tmp_path: Path) -> AsyncIterator[Cluster]:
    address = api_server_with_crds
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            await KubernetesWorld.connect(kubeconfig=address.kubeconfig)
        )
        place = await stack.enter_async_context(api_place(tmp_path))
        namespace = make_namespace(address)
        dependencies = replace(place.dependencies(), world=world.as_manager, namespace=namespace)
        client = await stack.enter_async_context(client_of(create_app(dependencies)))
        yield Cluster(world.as_manager("kubectl"), namespace, client)


async def test_an_agent_lives_with_what_others_change(cluster: Cluster) -> None:
    path = await cluster.create({"prompt": "Add up.", "workspace": {"env": [{"name": "A"}]}})
    body_of(await cluster.client.post(f"{path}/activate"), 202)
    view = await cluster.read(path)
    name = str(view["resource"])
    assert (view["status"], view["drift"]) == ("active", [])
    await cluster.change(name, {"prompt": "Theirs.", "priority": 9})
    body_of(await cluster.client.post(f"{path}/deactivate"), 202)
    view = await cluster.read(path)
    assert (view["status"], view["drift"]) == ("inactive", ["spec.priority", "spec.prompt"])
    live = await cluster.live(name)
    assert (live.spec.suspend, live.spec.prompt) == (True, "Theirs.")
    body_of(await cluster.client.post(f"{path}/activate"), 202)
    view = await cluster.read(path)
    assert (view["status"], view["drift"]) == ("active", ["spec.priority"])
    live = await cluster.live(name)
    assert (live.spec.suspend, live.spec.prompt, live.spec.priority) == (False, "Add up.", 9)
    await cluster.change(name, {"priority": 9, "suspend": True})
    body_of(await cluster.client.post(f"{path}/test", json={}), 202)
    body_of(await cluster.client.delete(path), 200)
    assert await cluster.kubectl.get(Ref(AGENT, cluster.namespace, name)) is None


async def test_its_yaml_is_what_kubectl_says_of_it(
    cluster: Cluster, api_server_with_crds: Address
) -> None:
    path = await cluster.create(
        {
            "prompt": "Add up.",
            "schedule": {"frequency": "daily", "blackouts": [BLACKOUT]},
            "workspace": {"egress": [{"host": "a.example"}], "env": [{"name": "A"}]},
            "tools": {"deny": ["Bash"]},
        }
    )
    body_of(await cluster.client.post(f"{path}/activate"), 202)
    view = await cluster.read(path)
    said = api_server_with_crds.kubectl(
        "get", "agent", str(view["resource"]), "-n", cluster.namespace, "-o", "yaml"
    )
    assert yaml.safe_load(str(view["wholeYaml"]))["spec"] == yaml.safe_load(said)["spec"]
    draft = await cluster.read(await cluster.create({"priority": 3}))
    assert draft["wholeYaml"] == "", "nothing would take it without a prompt"


async def test_what_the_api_server_refuses_is_refused_before_by_the_same_fields(
    cluster: Cluster,
) -> None:
    ref: JsonValue = {"name": "db", "key": "password", "envName": "A"}
    spec: JsonObject = {
        "prompt": "x",
        "workspace": {"env": [{"name": "A"}], "secretRefs": [ref]},
        "verify": {"files": ["a"], "command": ["b"]},
    }
    answer = await cluster.client.post("/api/agents", json={"name": "Sales", "spec": spec})
    errors = body_of(answer, 422)["errors"]
    assert isinstance(errors, list)
    told = {str(each["field"]): str(each["message"]) for each in errors if isinstance(each, dict)}
    assert set(told) == {"spec.verify", "spec.workspace"}
    assert "must set exactly one of command and files" in told["spec.verify"]
    with pytest.raises(InvalidError) as refused:
        await cluster.change("sales", spec)
    assert {field for field, _ in fields_of(str(refused.value))} == set(told)
