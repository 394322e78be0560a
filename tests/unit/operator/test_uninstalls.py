"""Leaving a cluster under the roles of an earlier release: nothing hangs, nothing crashes."""

from collections.abc import AsyncIterator

from heliostat_core.worlds import (
    CLUSTER_ROLE,
    CRON_JOB,
    EVERYTHING,
    NAMESPACE,
    NETWORK_POLICY,
    SERVICE_ACCOUNT,
    ForbiddenError,
    JsonObject,
    Kind,
    Ref,
    Selection,
)
from heliostat_operator.uninstalls import (
    UNINSTALL_FINALIZER,
    finish_uninstall,
    prepare_uninstall,
)
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld, meta_of

SYSTEM = "heliostat-system"
ACCOUNT = Ref(SERVICE_ACCOUNT, SYSTEM, "heliostat-operator")


class EarlierRoles(MemoryWorld):
    """Roles that know neither CronJobs nor NetworkPolicies, and let nobody hand those on."""

    def __init__(self) -> None:
        super().__init__()
        home = {"name": SYSTEM, "namespace": ""}
        self.put({"apiVersion": "v1", "kind": NAMESPACE.name, "metadata": home})
        account = {"name": ACCOUNT.name, "namespace": SYSTEM}
        self.put({"apiVersion": "v1", "kind": SERVICE_ACCOUNT.name, "metadata": account})

    async def apply(self, obj: JsonObject) -> JsonObject:
        if obj["kind"] == CLUSTER_ROLE.name:
            raise ForbiddenError("attempting to grant RBAC permissions not currently held")
        return await super().apply(obj)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind in (CRON_JOB, NETWORK_POLICY):
            raise ForbiddenError(f"cannot list resource {kind.plural}")
        async for each in super().list(kind, selection):
            yield each


async def test_a_newer_operator_starts_and_leaves_under_earlier_roles() -> None:
    world = EarlierRoles()
    assert await prepare_uninstall(world, SYSTEM)
    assert meta_of(world.objects[ACCOUNT])["finalizers"] == [UNINSTALL_FINALIZER]
    await finish_uninstall(world, FakeGateway(), SYSTEM)
    assert meta_of(world.objects[ACCOUNT])["finalizers"] == []
