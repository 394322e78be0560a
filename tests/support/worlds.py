"""Worlds for the contract suite: where objects live, and a namespace for each test."""

import json
import ssl
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.worlds import JsonObject, Kind, World
from heliostat_kubernetes.cluster import KubernetesWorld
from support.control_plane import Address


@dataclass(frozen=True)
class Ground:
    """One implementation: how it is opened (as often as one likes) and how a namespace is made."""

    name: str
    open: Callable[[], AbstractAsyncContextManager[World]]
    make_namespace: Callable[[], str]


def cluster_ground(address: Address) -> Ground:
    """The cluster behind that API server; our CRDs must be there."""

    @asynccontextmanager
    async def open_world() -> AsyncIterator[World]:
        async with await KubernetesWorld.connect(kubeconfig=address.kubeconfig) as world:
            yield world

    return Ground("cluster", open_world, lambda: make_namespace(address))


def embedded_ground(folder: Path) -> Ground:
    """The embedded world in that folder; each opening has the file open for itself, as another
    process would."""

    @asynccontextmanager
    async def open_world() -> AsyncIterator[World]:
        with closing(Store(folder / "world.sqlite")) as store:
            yield EmbeddedWorld(store)

    return Ground("embedded", open_world, lambda: f"t-{uuid.uuid4().hex[:12]}")


def make_namespace(address: Address) -> str:
    name = f"t-{uuid.uuid4().hex[:12]}"
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(
        f"{address.url}/api/v1/namespaces",
        data=json.dumps({"metadata": {"name": name}}).encode(),
        headers={"Authorization": f"Bearer {address.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10, context=context):
        return name


def document(kind: Kind, namespace: str, name: str, **parts: object) -> JsonObject:
    """An object with `metadata` merged into its identity and the other parts as they are."""
    metadata = parts.pop("metadata", {})
    assert isinstance(metadata, dict)
    content = json.loads(json.dumps({**parts, "metadata": metadata}))
    assert isinstance(content, dict)
    identity = {"name": name, "namespace": namespace}
    return {
        **content,
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {**content["metadata"], **identity},
    }
