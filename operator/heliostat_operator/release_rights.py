"""Builds what an uninstall needs: rights that outlive the manifests' objects, and our account."""

from collections.abc import Sequence

from heliostat_core.kinds import REGISTRY, RegisteredKind, Role, rules_of
from heliostat_core.names import CRON_NAME, GROUP
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CRON_JOB,
    SERVICE_ACCOUNT,
    JsonObject,
)
from heliostat_operator.network.network_policies import GUARDING
from heliostat_operator.schedules.cron_jobs import SHARED

UNINSTALL_FINALIZER = f"{GROUP}/uninstall"
RELEASE_ROLE = "heliostat-operator-release"
SERVICE_ACCOUNT_NAME = "heliostat-operator"


def build_release_roles(
    namespace_uid: str, namespace: str, registry: Sequence[RegisteredKind] = REGISTRY
) -> tuple[JsonObject, JsonObject]:
    """What letting go needs, and nothing else; gone with the Namespace."""
    metadata: JsonObject = {
        "name": RELEASE_ROLE,
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Namespace", "name": namespace, "uid": namespace_uid}
        ],
    }
    role: JsonObject = {
        "apiVersion": CLUSTER_ROLE.api_version,
        "kind": CLUSTER_ROLE.name,
        "metadata": metadata,
        "rules": [
            *rules_of(Role.RELEASE, registry),
            _rule(CRON_JOB.group, CRON_JOB.plural, "list", "delete"),
            *(
                {**_rule(kind.group, kind.plural, "delete"), "resourceNames": [CRON_NAME]}
                for kind in SHARED
            ),
            *(_rule(each.group, each.plural, "list", "delete") for each in GUARDING),
            {
                **_rule("", "serviceaccounts", "get", "patch"),
                "resourceNames": [SERVICE_ACCOUNT_NAME],
            },
            {**_rule("", "namespaces", "get"), "resourceNames": [namespace]},
            {
                **_rule("apps", "deployments", "get"),
                "resourceNames": [SERVICE_ACCOUNT_NAME],
            },
        ],
    }
    binding: JsonObject = {
        "apiVersion": CLUSTER_ROLE_BINDING.api_version,
        "kind": CLUSTER_ROLE_BINDING.name,
        "metadata": metadata,
        "roleRef": {
            "apiGroup": CLUSTER_ROLE.group,
            "kind": CLUSTER_ROLE.name,
            "name": RELEASE_ROLE,
        },
        "subjects": [
            {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT_NAME, "namespace": namespace}
        ],
    }
    return role, binding


def _rule(group: str, resource: str, *verbs: str) -> JsonObject:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def build_own_account(namespace: str, head: ObjectHead, *, hold: bool) -> JsonObject:
    return {
        "apiVersion": SERVICE_ACCOUNT.api_version,
        "kind": SERVICE_ACCOUNT.name,
        "metadata": {
            "name": SERVICE_ACCOUNT_NAME,
            "namespace": namespace,
            "uid": head.metadata.uid,
            "finalizers": [UNINSTALL_FINALIZER] if hold else [],
        },
    }
