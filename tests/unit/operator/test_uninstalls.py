"""Leaving a cluster: under the roles of an earlier release, and when something fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from heliostat_core.executions import ExecutionStatus
from heliostat_core.kinds import watches
from heliostat_core.names import CLAIM_FINALIZER, RUN_FINALIZER
from heliostat_core.worlds import (
    APPROVAL,
    CLUSTER_ROLE,
    CRON_JOB,
    EVERYTHING,
    EXECUTION,
    NAMESPACE,
    NETWORK_POLICY,
    SERVICE_ACCOUNT,
    ForbiddenError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    UnavailableError,
    WorldError,
)
from heliostat_operator.gateway.ledgers import GatewayUnavailableError
from heliostat_operator.handlers import watchable
from heliostat_operator.release_rights import UNINSTALL_FINALIZER
from heliostat_operator.uninstalls import finish_uninstall, prepare_uninstall
from support.builders.resources import make_attempt, make_execution
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import MemoryWorld, meta_of

SYSTEM = "heliostat-system"
HOME: JsonObject = {"name": SYSTEM, "namespace": ""}
ACCOUNT = Ref(SERVICE_ACCOUNT, SYSTEM, "heliostat-operator")


class EarlierRoles(MemoryWorld):
    """Roles that know neither asks, CronJobs nor NetworkPolicies, and let nobody hand those on."""

    def __init__(self) -> None:
        super().__init__()
        self.put({"apiVersion": "v1", "kind": NAMESPACE.name, "metadata": HOME})
        account = {"name": ACCOUNT.name, "namespace": SYSTEM}
        self.put({"apiVersion": "v1", "kind": SERVICE_ACCOUNT.name, "metadata": account})

    async def apply(self, obj: JsonObject) -> JsonObject:
        if obj["kind"] == CLUSTER_ROLE.name:
            raise ForbiddenError("attempting to grant RBAC permissions not currently held")
        return await super().apply(obj)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind in (APPROVAL, CRON_JOB, NETWORK_POLICY):
            raise ForbiddenError(f"cannot list resource {kind.plural}")
        async for each in super().list(kind, selection):
            yield each


async def test_a_newer_operator_starts_and_leaves_under_earlier_roles() -> None:
    world = EarlierRoles()
    assert await prepare_uninstall(world, SYSTEM)
    assert meta_of(world.objects[ACCOUNT])["finalizers"] == [UNINSTALL_FINALIZER]
    await finish_uninstall(world, FakeGateway(), SYSTEM)
    assert meta_of(world.objects[ACCOUNT])["finalizers"] == []


class Leaving(MemoryWorld):
    """A release whose Deployment is gone, with runs that are held."""

    def __init__(self, runs: int) -> None:
        super().__init__()
        self.failing: list[WorldError] = []
        self.put({"apiVersion": "v1", "kind": NAMESPACE.name, "metadata": HOME})
        account = {"name": ACCOUNT.name, "namespace": SYSTEM, "finalizers": [UNINSTALL_FINALIZER]}
        self.put({"apiVersion": "v1", "kind": SERVICE_ACCOUNT.name, "metadata": account})
        for number in range(runs):
            held = make_execution(
                f"sales-{number}",
                uid=f"run-{number}",
                status=ExecutionStatus(attempts=(make_attempt(),)),
                finalizers=(RUN_FINALIZER,),
            )
            self.put(held.to_json())

    async def apply(self, obj: JsonObject) -> JsonObject:
        if obj["kind"] == EXECUTION.name and self.failing:
            raise self.failing.pop()
        return await super().apply(obj)

    @property
    def held(self) -> list[Ref]:
        return [ref for ref, each in self.objects.items() if meta_of(each).get("finalizers")]


class RolesWithoutAsks(EarlierRoles):
    """Roles of the release before asks: everything else may be handed on."""

    async def apply(self, obj: JsonObject) -> JsonObject:
        if obj["kind"] == CLUSTER_ROLE.name and APPROVAL.plural not in str(obj):
            return await MemoryWorld.apply(self, obj)
        return await super().apply(obj)


async def test_what_may_be_handed_on_is_handed_on_without_the_rest() -> None:
    """Else an uninstall of the release before could not let its own account go."""
    world = RolesWithoutAsks()
    assert await prepare_uninstall(world, SYSTEM)
    (role,) = [each for ref, each in world.objects.items() if ref.kind == CLUSTER_ROLE]
    assert "executions" in str(role)
    assert APPROVAL.plural not in str(role)


@pytest.mark.parametrize("error", [NotFoundError, ForbiddenError])
async def test_kopf_watches_what_an_earlier_release_lets_it_watch(error: type[WorldError]) -> None:
    """It would end with the first kind that it may not."""

    class Earlier(MemoryWorld):
        async def list(
            self, kind: Kind, selection: Selection = EVERYTHING
        ) -> AsyncIterator[JsonObject]:
            if kind == APPROVAL:
                raise error(f"no {kind.plural} here")
            async for each in super().list(kind, selection):
                yield each

    assert await watchable(Earlier(), watches()) == tuple(e for e in watches() if e != APPROVAL)
    assert await watchable(MemoryWorld(), watches()) == tuple(watches())


@pytest.mark.parametrize("error", [UnavailableError, ForbiddenError, InvalidError])
def test_an_answer_that_fails_is_asked_for_again(error: type[WorldError]) -> None:
    world = Leaving(runs=3)
    world.failing = [error("for a moment")]
    run(finish_uninstall(world, FakeGateway(), SYSTEM))
    assert world.held == []


def test_what_was_granted_is_let_go_with_its_run() -> None:
    world = Leaving(runs=1)
    metadata: JsonObject = {"name": "ask", "namespace": "default", "finalizers": [CLAIM_FINALIZER]}
    world.put({"apiVersion": APPROVAL.api_version, "kind": "Approval", "metadata": metadata})
    run(finish_uninstall(world, FakeGateway(), SYSTEM))
    assert world.held == []


@pytest.mark.parametrize("call", ["get", "list"])
def test_so_is_a_question_at_the_very_beginning(call: str) -> None:
    async def scene() -> None:
        world.failures[call] = UnavailableError("the API server does not answer")
        end = asyncio.create_task(finish_uninstall(world, FakeGateway(), SYSTEM))
        await asyncio.sleep(5)
        del world.failures[call]
        await end

    world = Leaving(runs=1)
    run(scene())
    assert world.held == []


def test_what_cannot_be_done_in_time_is_told_and_holds_the_account_no_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Leaving(runs=1)
    world.failing = [UnavailableError("away")] * 1000
    run(finish_uninstall(world, FakeGateway(), SYSTEM))
    assert [ref.name for ref in world.held] == ["sales-0"]
    assert "left undone: runs" in caplog.text


def test_what_is_outside_of_the_cluster_keeps_no_run() -> None:
    async def remove_cloud_jobs() -> None:
        await asyncio.sleep(3600)

    world = Leaving(runs=1)
    run(finish_uninstall(world, FakeGateway(), SYSTEM, remove_cloud_jobs))
    assert world.held == []


def test_a_gateway_that_is_gone_is_asked_once() -> None:
    class Gone(FakeGateway):
        async def revoke(self, execution_uid: str, attempt: int, expires: int) -> None:
            self.revoked.append((execution_uid, attempt))
            assert expires > 0
            await asyncio.sleep(3)
            raise GatewayUnavailableError("no answer in time")

    world, gateway = Leaving(runs=100), Gone()
    run(finish_uninstall(world, gateway, SYSTEM))
    assert (world.held, len(gateway.revoked)) == ([], 1)


def test_one_that_answers_is_told_of_every_key_once() -> None:
    world, gateway = Leaving(runs=2), FakeGateway()
    world.failing = [UnavailableError("for a moment")]
    run(finish_uninstall(world, gateway, SYSTEM))
    assert sorted(gateway.revoked) == [("run-0", 1), ("run-1", 1)]
