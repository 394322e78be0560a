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
from typing import TypeVar

from pydantic import ValidationError

from heliostat_core.executions import Attempt, Execution
from heliostat_core.kinds import REGISTRY, required
from heliostat_core.names import CLAIM_FINALIZER, EXECUTION_LABEL, RUN_FINALIZER, label_value
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import (
    APPROVAL,
    DEPLOYMENT,
    EXECUTION,
    NAMESPACE,
    POD,
    SERVICE_ACCOUNT,
    UNSERVED,
    ConflictError,
    ForbiddenError,
    JsonObject,
    NotFoundError,
    Ref,
    Selection,
    World,
    WorldError,
)
from heliostat_operator.builders.approval_objects import build_hold
from heliostat_operator.gateway.ledgers import Gateway, GatewayUnavailableError
from heliostat_operator.network.network_policies import remove_policies
from heliostat_operator.release_rights import (
    SERVICE_ACCOUNT_NAME,
    UNINSTALL_FINALIZER,
    build_own_account,
    build_release_roles,
)
from heliostat_operator.runs.leftover_jobs import STOP_GRACE_SECONDS
from heliostat_operator.schedules.cron_jobs import remove_all as remove_cron_jobs

# The account's token dies 60 s after its deletion, the pod 45 s after SIGTERM.
RELEASE_SECONDS = 35
_ACCOUNT_SECONDS = 5
_AGAIN_SECONDS = 1.0

_Answer = TypeVar("_Answer")
logger = logging.getLogger(__name__)


async def prepare_uninstall(world: World, namespace: str) -> bool:
    """Makes what outlives the manifests' objects. False outside of a cluster installation."""
    account = await world.get(Ref(SERVICE_ACCOUNT, namespace, SERVICE_ACCOUNT_NAME))
    home = await world.get(Ref(NAMESPACE, "", namespace))
    if account is None or home is None:
        return False
    uid = ObjectHead.model_validate(home).metadata.uid
    for registry in (REGISTRY, required()):  # nobody may hand on a right that he lacks
        try:
            for obj in build_release_roles(uid, namespace, registry):
                await world.apply(obj)
            break
        except ForbiddenError as error:
            # A newer image under an older installation's roles, as after a rollback, works on.
            logger.warning("what an uninstall needs is not all there: %s", error)
    await world.apply(build_own_account(namespace, ObjectHead.model_validate(account), hold=True))
    return True


async def finish_uninstall(
    world: World,
    gateway: Gateway,
    namespace: str,
    remove_cloud_jobs: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Lets everything go if no operator comes after this one. `remove_cloud_jobs` takes away what
    is outside of the cluster.

    Nobody comes after, so what fails is done again while there is time, and the rest is told.
    """
    account: JsonObject | None = None
    left: list[_CleanupStep] = []
    try:
        async with asyncio.timeout(RELEASE_SECONDS):
            account = await _insist(
                lambda: world.get(Ref(SERVICE_ACCOUNT, namespace, SERVICE_ACCOUNT_NAME))
            )
            is_installed = account is not None
            if await _insist(lambda: _is_over(world, namespace, is_installed=is_installed)):
                logger.info("Heliostat leaves %s: letting every Execution go", namespace)
                left += _cleanup_steps(world, _Teller(gateway), remove_cloud_jobs)
                await _do_all(left)
    except TimeoutError:
        names = ", ".join(each.name for each in left) or "to see whether there is anything to do"
        logger.error("%s s are over, left undone: %s", RELEASE_SECONDS, names)
    finally:
        if account is not None:
            await _let_go(
                world, build_own_account(namespace, ObjectHead.model_validate(account), hold=False)
            )


@dataclass(frozen=True)
class _CleanupStep:
    name: str
    do: Callable[[], Awaitable[None]]


def _cleanup_steps(
    world: World, teller: "_Teller", remove_cloud_jobs: Callable[[], Awaitable[None]] | None
) -> list[_CleanupStep]:
    """What is outside comes last: it may take long to answer, and holds no run."""

    async def release_runs() -> None:
        await _release_all(world, teller)
        await _release_asks(world)
        await _open_network(world)

    steps = [
        _CleanupStep("CronJobs", lambda: _remove_cron_jobs(world)),
        _CleanupStep("runs", release_runs),
    ]
    return (
        steps
        if remove_cloud_jobs is None
        else [*steps, _CleanupStep("Cloud Scheduler", remove_cloud_jobs)]
    )


async def _do_all(left: list[_CleanupStep]) -> None:
    """Each in its turn, and those again that did not succeed; what is done leaves the list."""
    while left:
        for step in tuple(left):
            try:
                await step.do()
            except WorldError as error:
                logger.warning("%s are not let go yet: %s", step.name, error)
            else:
                left.remove(step)
        if left:
            await asyncio.sleep(_AGAIN_SECONDS)


async def _insist(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer, whenever it comes."""
    while True:
        try:
            return await ask()
        except WorldError as error:
            logger.warning("asked once more: %s", error)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _let_go(world: World, account: JsonObject) -> None:
    """Whatever else is left: with the account, the Namespace would wait for nobody."""

    async def take_finalizer_off() -> None:
        with suppress(ConflictError, NotFoundError):  # another's by now, or gone
            await world.apply(account)

    try:
        async with asyncio.timeout(_ACCOUNT_SECONDS):
            await _insist(take_finalizer_off)
    except TimeoutError:
        logger.error(
            "ServiceAccount %s keeps the finalizer %s: take it off",
            SERVICE_ACCOUNT_NAME,
            UNINSTALL_FINALIZER,
        )


async def _remove_cron_jobs(world: World) -> None:
    with suppress(ForbiddenError):  # under roles of a release that had none
        await remove_cron_jobs(world)


async def _open_network(world: World) -> None:
    """The last run is gone: what closed its network goes, too, as far as the roles allow."""
    with suppress(ForbiddenError):
        await remove_policies(world)


async def _is_over(world: World, namespace: str, *, is_installed: bool) -> bool:
    """Whether no operator comes after this one."""
    return await _is_leaving(world, namespace) or (
        is_installed and await _is_gone(world, namespace)
    )


async def _is_leaving(world: World, namespace: str) -> bool:
    home = await world.get(Ref(NAMESPACE, "", namespace))
    return home is not None and _is_being_deleted(home)


async def _is_gone(world: World, namespace: str) -> bool:
    """`helm uninstall` takes the Deployment and leaves the Namespace."""
    found = await world.get(Ref(DEPLOYMENT, namespace, SERVICE_ACCOUNT_NAME))
    return found is None or _is_being_deleted(found)


def _is_being_deleted(found: JsonObject) -> bool:
    return ObjectHead.model_validate(found).metadata.deletion_timestamp is not None


async def _release_all(world: World, teller: "_Teller") -> None:
    """Until none carries our finalizer: the CRD's deletion may reach them one after the other.
    One that can't be let go keeps no other. Raises WorldError: that of such a one."""
    while held := await _held(world):
        failed: WorldError | None = None
        for each in held:
            try:
                await _release(world, teller, each)
            except (ConflictError, NotFoundError):
                continue  # it changed or went; the next round sees what is true
            except WorldError as error:
                failed = error
        if failed is not None:
            raise failed


async def _release_asks(world: World) -> None:
    """What was granted is let go like its run, as far as the roles allow."""
    with suppress(*UNSERVED):
        async for found in world.list(APPROVAL):
            meta = ObjectHead.model_validate(found).metadata
            if CLAIM_FINALIZER in meta.finalizers:
                with suppress(ConflictError, NotFoundError):
                    await world.apply(build_hold(meta, held=False))


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


async def _release(world: World, teller: "_Teller", held: _Held) -> None:
    meta = held.meta
    await teller.tell(meta.uid, held.attempts)
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


class _Teller:
    """Tells the gateway which keys are dead, once, while it may still answer: it goes with the
    Namespace, keys and all, and each of its silences would cost seconds that the others need."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway: Gateway | None = gateway
        self._told: set[str] = set()

    async def tell(self, uid: str, attempts: tuple[Attempt, ...]) -> None:
        if self._gateway is None or uid in self._told:
            return
        self._told.add(uid)
        try:
            for each in attempts:
                if not each.key_revoked:
                    expires = int(each.key_expires_time.timestamp())
                    await self._gateway.revoke(uid, each.number, expires)
        except GatewayUnavailableError as error:
            logger.info("keys end with the gateway, it is told no more: %s", error)
            self._gateway = None
