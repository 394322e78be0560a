"""The Kubernetes world: resources live in a cluster and are reached through its API server.

Documents go as they are: the client's generated models cost memory and lose unknown fields.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from heliostat_core.names import AGENT_CONTAINER, FIELD_MANAGER
from heliostat_core.worlds import (
    EVERYTHING,
    KINDS,
    POD,
    Change,
    ConflictError,
    JsonObject,
    JsonValue,
    Kind,
    NotFoundError,
    Ref,
    Selection,
)
from heliostat_kubernetes.connection import LOG_TIMEOUT, Connection, find_target
from heliostat_kubernetes.errors import NotServedError
from heliostat_kubernetes.watching import HEADS, list_pages, read_items, watch

_APPLY = "application/apply-patch+yaml"  # JSON is YAML


@dataclass(frozen=True, order=True)
class Call:
    """What a call needs in a role: RBAC's own words; core resources have an empty group."""

    group: str
    resource: str
    verb: str


class KubernetesWorld:
    """A World in a cluster, and Logs. `calls` holds every right that was used so far."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        field_manager: str = FIELD_MANAGER,
        namespace: str = "default",
    ) -> None:
        """`namespace` is where its user works when he names no other."""
        self.namespace = namespace
        self._connection = connection
        self._name = name
        self._field_manager = field_manager
        self.calls: set[Call] = set()

    @classmethod
    async def connect(
        cls,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        field_manager: str = FIELD_MANAGER,
    ) -> Self:
        """The cluster of a kubeconfig (and context), or the one that we run in.

        Nothing is asked of the cluster yet. Raises UnavailableError when no configuration is found.
        """
        target = await find_target(kubeconfig, context)
        return cls(Connection(target), target.name, field_manager, target.namespace)

    def as_manager(self, manager: str) -> "KubernetesWorld":
        """The same world over the same connection, written to under another name."""
        world = KubernetesWorld(self._connection, self._name, manager, self.namespace)
        world.calls = self.calls
        return world

    async def close(self) -> None:
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def name(self) -> str:
        return self._name

    async def get(self, ref: Ref) -> JsonObject | None:
        """The object, or None. Raises NotFoundError when the cluster has no such kind at all."""
        self._note(ref.kind, "get")
        try:
            _, obj = await self._connection.request("GET", object_path(ref))
        except NotServedError:
            raise
        except NotFoundError:
            return None
        return obj

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        self._note(kind, "list")
        path = collection_path(kind, selection.namespace)
        async for page in list_pages(self._connection, path, build_query(selection)):
            for item in read_items(kind, page):
                yield item

    async def list_heads(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        """Lists as `list` does, but only the objects' metadata."""
        self._note(kind, "list")
        path = collection_path(kind, selection.namespace)
        async for page in list_pages(self._connection, path, build_query(selection), HEADS):
            for item in read_items(kind, page):
                yield item

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        self._note(kind, "list")
        self._note(kind, "watch")
        path = collection_path(kind, selection.namespace)
        return watch(self._connection, kind, path, build_query(selection))

    async def create(self, obj: JsonObject) -> JsonObject:
        ref = ref_of_document(obj)
        self._note(ref.kind, "create")
        path = collection_path(ref.kind, ref.namespace)
        _, created = await self._connection.request("POST", path, self._manager_query(), obj)
        return created

    async def try_create(self, obj: JsonObject) -> None:
        """Raises what `create` would raise; nothing is made."""
        ref = ref_of_document(obj)
        self._note(ref.kind, "create")
        path = collection_path(ref.kind, ref.namespace)
        await self._connection.request("POST", path, self._manager_query(dryRun="All"), obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        ref = ref_of_document(obj)
        self._note(ref.kind, "patch")
        status, applied = await self._connection.request(
            "PATCH", object_path(ref), self._manager_query(force="true"), obj, _APPLY
        )
        if status == 201:
            self._note(ref.kind, "create")
        return applied

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        ref = ref_of_document(obj)
        self._note(ref.kind, "patch", "status")
        _, applied = await self._connection.request(
            "PATCH",
            f"{object_path(ref)}/status",
            self._manager_query(force="true"),
            only_status(obj, ref),
            _APPLY,
        )
        return applied

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self._note(ref.kind, "delete")
        options: dict[str, JsonValue] = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            await self._connection.request("DELETE", object_path(ref), body=options)
        except NotServedError:
            raise
        except NotFoundError:
            return False
        except ConflictError:
            if uid is None:
                raise
            return False
        return True

    async def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        """Lines of the pod's log, the last `tail` or all of them; see the protocol Logs."""
        self._note(POD, "get", "log")
        query: dict[str, str | int] = {"container": AGENT_CONTAINER}  # a pod may have sidecars
        if follow:
            query["follow"] = "true"
        if tail is not None:
            query["tailLines"] = tail
        path = f"{object_path(Ref(POD, namespace, pod))}/log"
        async with self._connection.stream(path, query, LOG_TIMEOUT) as lines:
            async for line in lines:
                yield line.decode(errors="replace")

    def _note(self, kind: Kind, verb: str, subresource: str = "") -> None:
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        self.calls.add(Call(kind.group, resource, verb))

    def _manager_query(self, **more: str) -> Mapping[str, str]:
        return {"fieldManager": self._field_manager, **more}


def collection_path(kind: Kind, namespace: str | None) -> str:
    """Where the objects of a kind are; of all namespaces when none is named."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"


def object_path(ref: Ref) -> str:
    return f"{collection_path(ref.kind, ref.namespace)}/{ref.name}"


def build_query(selection: Selection) -> dict[str, str | int]:
    selectors: dict[str, str | int] = {
        "labelSelector": selection.label_selector,
        "fieldSelector": selection.field_selector,
    }
    return {key: value for key, value in selectors.items() if value}


def ref_of_document(obj: JsonObject) -> Ref:
    """The address of an object that is to be written. Raises KeyError for an unknown kind."""
    kind = KINDS[text_at(obj, "kind")]
    namespace = text_at(obj, "metadata", "namespace") or "default"
    return Ref(kind, namespace if kind.namespaced else "", text_at(obj, "metadata", "name"))


def only_status(obj: JsonObject, ref: Ref) -> JsonObject:
    """What a status patch may hold: identity, precondition, status."""
    metadata: dict[str, JsonValue] = {"name": ref.name, "namespace": ref.namespace}
    if version := text_at(obj, "metadata", "resourceVersion"):
        metadata["resourceVersion"] = version
    return {
        "apiVersion": ref.kind.api_version,
        "kind": ref.kind.name,
        "metadata": metadata,
        "status": obj.get("status", {}),
    }


def text_at(obj: JsonObject, *path: str) -> str:
    """The text there, or an empty one."""
    value: JsonValue = obj
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
