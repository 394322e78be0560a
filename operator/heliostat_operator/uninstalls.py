"""Uninstalling does not hang on running Executions: docs/decisions/0003-uninstalling.md.

`kubectl delete -k` takes the operator's rights in the moment in which the Executions need it. So
the rights to let go live in objects of our own, owned by the Namespace, and our ServiceAccount
stays until the last finalizer is off.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import CRON_NAME, EXECUTION_LABEL, GROUP, RUN_FINALIZER, label_value
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CRON_JOB,
    DEPLOYMENT,
    EXECUTION,
    NAMESPACE,
    POD,
    SERVICE_ACCOUNT,
    ConflictError,
    ForbiddenError,
    JsonObject,
    NotFoundError,
    Ref,
    Selection,
    World,
)
from heliostat_operator.gateway.ledgers import Gateway, GatewayUnavailableError
from heliostat_operator.network.guards import GUARDING, remove_policies
from heliostat_operator.runs.stops import STOP_GRACE_SECONDS
from heliostat_operator.schedules.cron_jobs import SHARED
from heliostat_operator.schedules.cron_jobs import remove_all as remove_cron_jobs

UNINSTALL_FINALIZER = f"{GROUP}/uninstall"
RELEASE_ROLE = "heliostat-operator-release"
SERVICE_ACCOUNT_NAME = "heliostat-operator"
# The account's token dies 60 s after its deletion, the pod 45 s after SIGTERM.
RELEASE_SECONDS = 35

logger = logging.getLogger(__name__)


async def prepare_uninstall(world: World, namespace: str) -> bool:
    """Makes what outlives the manifests' objects. False outside of a cluster installation."""
    account = await world.get(Ref(SERVICE_ACCOUNT, namespace, SERVICE_ACCOUNT_NAME))
    home = await world.get(Ref(NAMESPACE, "", namespace))
    if account is None or home is None:
        return False
    try:
        for obj in build_release_roles(ObjectHead.model_validate(home).metadata.uid, namespace):
            await world.apply(obj)
    except ForbiddenError as error:
        # A newer image under an older installation's roles, as after a rollback, works on.
        logger.warning("what an uninstall needs is as an earlier release left it: %s", error)
    await world.apply(_account(namespace, ObjectHead.model_validate(account), hold=True))
    return True


async def finish_uninstall(
    world: World,
    gateway: Gateway,
    namespace: str,
    farewell: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """The operator's last act: lets everything go if no operator comes after it. `farewell` takes
    away what is outside of the cluster."""
    account = await world.get(Ref(SERVICE_ACCOUNT, namespace, SERVICE_ACCOUNT_NAME))
    is_installed = account is not None
    if await _is_leaving(world, namespace) or (is_installed and await _is_gone(world, namespace)):
        logger.info("Heliostat leaves %s: letting every Execution go", namespace)
        async with asyncio.timeout(RELEASE_SECONDS):
            if farewell is not None:
                await farewell()
            await _release_all(world, gateway)
            await _open_network(world)
    if account is not None:
        await world.apply(_account(namespace, ObjectHead.model_validate(account), hold=False))


async def _open_network(world: World) -> None:
    """The last run is gone: what closed its network goes, too, as far as the roles allow."""
    with suppress(ForbiddenError):
        await remove_policies(world)


async def _is_leaving(world: World, namespace: str) -> bool:
    home = await world.get(Ref(NAMESPACE, "", namespace))
    return home is not None and _is_being_deleted(home)


async def _is_gone(world: World, namespace: str) -> bool:
    """`helm uninstall` takes the Deployment and leaves the Namespace."""
    found = await world.get(Ref(DEPLOYMENT, namespace, SERVICE_ACCOUNT_NAME))
    return found is None or _is_being_deleted(found)


def _is_being_deleted(found: JsonObject) -> bool:
    return ObjectHead.model_validate(found).metadata.deletion_timestamp is not None


async def _release_all(world: World, gateway: Gateway) -> None:
    """Until none carries our finalizer: the CRD's deletion may reach them one after the other."""
    with suppress(ForbiddenError):  # under roles of a release that had none
        await remove_cron_jobs(world)
    told: set[str] = set()
    while held := await _held(world):
        for each in held:
            try:
                await _release(world, gateway, each, told)
            except (ConflictError, NotFoundError):
                continue  # it changed or went; the next round sees what is true


@dataclass(frozen=True)
class _Held:
    """What carries our finalizer, and the attempts whose keys may live."""

    meta: ObjectMeta
    attempts: tuple[Attempt, ...]


async def _held(world: World) -> list[_Held]:
    try:
        everything = [_read(found) async for found in world.list(EXECUTION)]
    except NotFoundError:
        return []  # the definition itself is gone, and all Executions with it
    return [each for each in everything if RUN_FINALIZER in each.meta.finalizers]


def _read(found: JsonObject) -> _Held:
    """One that can't be read is let go too; its keys end with the gateway, or expire."""
    try:
        execution = Execution.model_validate(found)
    except ValidationError as error:
        head = ObjectHead.model_validate(found)
        logger.warning("Execution %s can't be read: %s", head.metadata.name, error)
        return _Held(head.metadata, ())
    return _Held(execution.metadata, execution.status.attempts)


async def _release(world: World, gateway: Gateway, held: _Held, told: set[str]) -> None:
    meta = held.meta
    if meta.uid not in told:
        told.add(meta.uid)
        await _tell(gateway, meta.uid, held.attempts)
    selection = Selection(
        namespace=meta.namespace, labels={EXECUTION_LABEL: label_value(meta.name)}
    )
    async for pod in world.list(POD, selection):
        head = ObjectHead.model_validate(pod).metadata
        ref = Ref(POD, head.namespace, head.name)
        await world.delete(ref, uid=head.uid, grace_seconds=STOP_GRACE_SECONDS)
    await world.apply(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": EXECUTION.name,
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "uid": meta.uid,
                "resourceVersion": meta.resource_version,
                "finalizers": [],
            },
        }
    )


async def _tell(gateway: Gateway, uid: str, attempts: tuple[Attempt, ...]) -> None:
    """Once, while the gateway may still answer: it goes with the Namespace, keys and all."""
    for attempt in attempts:
        if attempt.key_revoked:
            continue
        try:
            await gateway.revoke(uid, attempt.number, int(attempt.key_expires_time.timestamp()))
        except GatewayUnavailableError:
            return


def build_release_roles(namespace_uid: str, namespace: str) -> tuple[JsonObject, JsonObject]:
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
            _rule(EXECUTION.group, "executions", "get", "list", "watch", "patch"),
            _rule(AGENT.group, "agents", "list", "patch"),
            _rule("", "pods", "get", "list", "watch", "delete"),
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


def _account(namespace: str, head: ObjectHead, *, hold: bool) -> JsonObject:
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
