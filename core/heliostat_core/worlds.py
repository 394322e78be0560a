"""The one way in which the engine sees resources, whichever world they live in.

An object is a plain JSON document in Kubernetes' own shape. Two implementations exist: a real
cluster and the embedded world; one contract test suite runs on both.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

JsonValue: TypeAlias = (
    "Mapping[str, JsonValue] | Sequence[JsonValue] | str | int | float | bool | None"
)
JsonObject: TypeAlias = Mapping[str, "JsonValue"]  # read-only: what was read is a fact


@dataclass(frozen=True)
class Kind:
    """A kind of resource and where the API serves it."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


AGENT = Kind("heliostat.dev", "v1alpha1", "Agent", "agents")
EXECUTION = Kind("heliostat.dev", "v1alpha1", "Execution", "executions")
APPROVAL = Kind("heliostat.dev", "v1alpha1", "Approval", "approvals")
CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
JOB = Kind("batch", "v1", "Job", "jobs")
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
POD = Kind("", "v1", "Pod", "pods")
SECRET = Kind("", "v1", "Secret", "secrets")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
VOLUME_CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs")
EVENT = Kind("", "v1", "Event", "events")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
SERVICE = Kind("", "v1", "Service", "services")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
FQDN_POLICY = Kind("networking.gke.io", "v1alpha1", "FQDNNetworkPolicy", "fqdnnetworkpolicies")
CILIUM_POLICY = Kind("cilium.io", "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
CLUSTER_ROLE = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False
)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
TOKEN_REVIEW = Kind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False)

KINDS = {
    kind.name: kind
    for kind in (
        AGENT,
        EXECUTION,
        APPROVAL,
        CONTROLLER_REVISION,
        DEPLOYMENT,
        JOB,
        LEASE,
        POD,
        SECRET,
        CONFIG_MAP,
        VOLUME_CLAIM,
        CRON_JOB,
        EVENT,
        SERVICE_ACCOUNT,
        SERVICE,
        ENDPOINT_SLICE,
        NETWORK_POLICY,
        ROLE,
        ROLE_BINDING,
        FQDN_POLICY,
        CILIUM_POLICY,
        NAMESPACE,
        CLUSTER_ROLE,
        CLUSTER_ROLE_BINDING,
        TOKEN_REVIEW,
    )
}


@dataclass(frozen=True)
class Ref:
    """The address of one object."""

    kind: Kind
    namespace: str
    name: str


@dataclass(frozen=True)
class Selection:
    """Which objects of a kind; everything by default.

    `labels` are equalities, `label_terms` raw selector terms (`a!=b`, `a`, `!a`), `fields`
    equalities over the kind's selectable fields (`metadata.name`, `spec.agentRef.name`, ...).
    """

    namespace: str | None = None
    labels: Mapping[str, str] | None = None
    label_terms: tuple[str, ...] = ()
    fields: Mapping[str, str] | None = None

    @property
    def label_selector(self) -> str:
        equalities = [f"{key}={value}" for key, value in sorted((self.labels or {}).items())]
        return ",".join([*equalities, *self.label_terms])

    @property
    def field_selector(self) -> str:
        return ",".join(f"{key}={value}" for key, value in sorted((self.fields or {}).items()))


EVERYTHING = Selection()


@dataclass(frozen=True)
class Change:
    """One step of a watch. A watch begins with an ADDED for everything that exists."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: JsonObject

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name, empty where the object does not say."""
        metadata = self.object.get("metadata")
        fields = metadata if isinstance(metadata, Mapping) else {}
        return str(fields.get("namespace", "")), str(fields.get("name", ""))


class WorldError(Exception):
    """The world did not do what was asked; the text is the server's own."""


class NotFoundError(WorldError):
    """There is no such object (any more)."""


class AlreadyExistsError(WorldError):
    """An object of that name exists: somebody, perhaps we, did it already."""


class ConflictError(WorldError):
    """The object changed since it was read, or another field manager owns a field."""


class InvalidError(WorldError):
    """The object breaks its schema or one of its rules."""


class ForbiddenError(WorldError):
    """We lack the right to do that."""


class NamespaceTerminatingError(ForbiddenError):
    """The namespace is being deleted: nothing can be made in it any more."""


UNSERVED = (NotFoundError, ForbiddenError)
"""Raised for a kind that an installation does not serve: it has no such definition, or roles of a
release that did not know it, whose right is asked for first."""


class UnavailableError(WorldError):
    """The world can't be reached now; the same call may succeed later."""


class World(Protocol):
    """Get, list, watch, create, apply, patch status, delete. Errors are WorldErrors."""

    @property
    def name(self) -> str:
        """What people call this world, e.g. `cluster kind-dev` or `embedded (~/.local/...)`."""

    async def get(self, ref: Ref) -> JsonObject | None:
        """The object, or None."""

    def list(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[JsonObject]:
        """All objects of a kind, page by page, so that ten thousand never sit in memory at once."""

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        """What exists, then every change; ends with UnavailableError when the connection does."""

    async def create(self, obj: JsonObject) -> JsonObject:
        """The created object. Raises AlreadyExistsError when the name is taken."""

    async def apply(self, obj: JsonObject) -> JsonObject:
        """Server-side apply of the given fields under our field manager (forced).

        Fields that we applied before and left out now are removed. `metadata.resourceVersion` and
        `metadata.uid`, when given, are preconditions (ConflictError). A missing object is created
        unless a uid is given (then ConflictError). A field that the schema does not know is
        refused (InvalidError), where `create` drops it in silence.
        """

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        """Apply `status` of the given object (only identity and status are read).

        `metadata.resourceVersion`, when given, is a precondition (ConflictError), and the only
        one: a uid is not looked at. Raises NotFoundError when the object is gone.
        """

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        """Delete in the background way; dependents follow. False when there was none.

        `uid` is a precondition: another object of that name is left alone (False).
        """


class Logs(Protocol):
    """What runs prints; both worlds have it beside World."""

    def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        """Lines of a pod's log without their end, the last `tail` or all of them.

        With `follow` it goes on until the container ends. Raises NotFoundError without such a pod.
        Before the container runs there are no lines, or InvalidError that says what it waits for.
        """
