"""What the reconciler does where nothing can be made, and what slots it takes meanwhile."""

from datetime import timedelta

import pytest

from heliostat_core.worlds import (
    EXECUTION,
    JOB,
    SECRET,
    JsonObject,
    NamespaceTerminatingError,
    Ref,
)
from heliostat_operator.runs.caches import TerminatingNamespaces
from support.builders.resources import make_agent, make_execution, make_settings, seconds
from support.memory_world import MemoryWorld
from unit.operator.test_reconcile import Operator

REFUSED = NamespaceTerminatingError("unable to create new content in namespace default")


class CountingWorld(MemoryWorld):
    """Counts what is tried to be made."""

    tried = 0

    async def create(self, obj: JsonObject) -> JsonObject:
        self.tried += 1
        return await super().create(obj)


@pytest.fixture
def operator() -> Operator:
    made = Operator(CountingWorld(), make_settings(max_concurrent_executions=1))
    made.put(make_agent())
    made.put(make_execution())
    return made


def reasons(operator: Operator, name: str = "sales-1") -> list[str]:
    return [each.reason for each in operator.execution(name).status.blocked_by]


async def test_no_further_attempt_is_tried_and_no_failure_is_raised(operator: Operator) -> None:
    assert isinstance(operator.world, CountingWorld)
    await operator.reconcile()
    operator.world.remove(Ref(JOB, "default", "sales-1-1"))
    await operator.reconcile()  # its attempt is lost
    operator.clock.now += seconds(5)
    operator.world.failures["create"] = REFUSED
    tried = operator.world.tried
    for _ in range(5):
        assert (await operator.reconcile() or 0) > 1
    assert operator.world.tried == tried + 1
    assert reasons(operator) == ["NamespaceTerminating"]


async def test_its_runs_hold_no_slot_and_go_when_they_are_deleted(operator: Operator) -> None:
    operator.world.failures["create"] = REFUSED
    await operator.reconcile()
    assert reasons(operator) == ["NamespaceTerminating"]
    operator.put(make_execution("other", agent="elsewhere", namespace="calm"))
    agent = make_agent("elsewhere", namespace="calm")
    operator.put(agent)
    operator.limiter.see_agent(agent)
    operator.world.failures.clear()
    await operator.reconciler.reconcile(("calm", "other"))
    assert Ref(JOB, "calm", "other-1") in operator.world.objects
    operator.world.failures["create"] = REFUSED
    await operator.world.delete(Ref(EXECUTION, "default", "sales-1"))
    await operator.reconcile()
    assert Ref(EXECUTION, "default", "sales-1") not in operator.world.objects


async def test_the_others_of_the_namespace_do_not_try(operator: Operator) -> None:
    assert isinstance(operator.world, CountingWorld)
    operator.world.failures["create"] = REFUSED
    await operator.reconcile()
    tried = operator.world.tried
    operator.put(make_execution("second"))
    await operator.reconcile("second")
    assert operator.world.tried == tried
    assert reasons(operator, "second") == ["NamespaceTerminating"]
    assert not any(ref.kind == SECRET for ref in operator.world.objects)


def test_a_namespace_of_the_same_name_is_tried_again_after_a_minute() -> None:
    now = 0.0
    known = TerminatingNamespaces(lambda: now)
    known.note("default")
    assert known.holds("default")
    assert not known.holds("other")
    now = timedelta(minutes=1).total_seconds()
    assert not known.holds("default")
