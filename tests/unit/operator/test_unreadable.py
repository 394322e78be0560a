"""One Execution that an older schema let in, and that nobody can read, stops nothing else."""

import asyncio

from heliostat_core.names import RUN_FINALIZER
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, EXECUTION, NAMESPACE, JsonObject, Ref
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.engine import utc_now
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.uninstalls import finish_uninstall
from support.builders.pods import stamp
from support.builders.resources import NOW, make_agent, make_execution, make_settings
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld


def broken(finalizers: tuple[str, ...] = ()) -> JsonObject:
    return {
        "apiVersion": EXECUTION.api_version,
        "kind": "Execution",
        "metadata": {"name": "broken", "namespace": "default", "finalizers": list(finalizers)},
        "spec": {"agentRef": {"name": "sales"}},
        "status": {"attempts": "none", "conditions": [], "completionTime": "yesterday"},
    }


def fine(finalizers: tuple[str, ...] = ()) -> JsonObject:
    return make_execution("fine", finalizers=finalizers).to_json()


async def test_an_agents_status_is_kept_true_beside_a_run_that_cannot_be_read() -> None:
    world = MemoryWorld()
    world.put(make_agent().to_json())
    world.put(broken())
    world.put(fine())
    fleet = AgentReconciler(
        world, FakeGateway(), ConcurrencyLimiter(10, 300), utc_now, make_settings()
    )
    await fleet.reconcile(("default", "sales"))
    status = world.objects[Ref(AGENT, "default", "sales")]["status"]
    assert isinstance(status, dict)
    assert status["lastExecution"]["name"] == "fine"


async def test_an_uninstallation_lets_a_run_go_that_cannot_be_read() -> None:
    world = MemoryWorld()
    home = {"name": "heliostat-system", "namespace": "", "deletionTimestamp": stamp(NOW)}
    world.put({"apiVersion": "v1", "kind": NAMESPACE.name, "metadata": home})
    # What is being deleted stays in this world until its last finalizer is off.
    world.objects[Ref(NAMESPACE, "", "heliostat-system")] = {"metadata": dict(home)}
    world.put(broken((RUN_FINALIZER,)))
    world.put(fine((RUN_FINALIZER,)))
    async with asyncio.timeout(10):
        await finish_uninstall(world, FakeGateway(), "heliostat-system")
    left = [ObjectHead.model_validate(each) async for each in world.list(EXECUTION)]
    assert [each.metadata.finalizers for each in left] == [(), ()]
