"""The gatherer: how old an Agent may be that was read for another Execution."""

from dataclasses import dataclass

import pytest

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.worlds import (
    AGENT,
    CONTROLLER_REVISION,
    JsonObject,
    JsonValue,
    Ref,
    UnavailableError,
)
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.facts import counted_seconds
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.pods import Job
from support.builders.pods import POD_NAME, make_job, make_pod, running, stamp
from support.builders.resources import (
    NOW,
    make_admitted,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_uid,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld
from support.objects import mapping_at

KEY = ("default", "sales")
ATTEMPT = make_attempt(job_uid=make_uid("job"))
RUNNING = make_admitted(ATTEMPT)
ENDED = make_execution(status=make_condition_status(ATTEMPT, succeeded="True", reason="Verified"))


class ReadingWorld(MemoryWorld):
    """Counts what is read."""

    reads = 0

    async def get(self, ref: Ref) -> JsonObject | None:
        self.reads += 1
        return await super().get(ref)


@dataclass
class Gatherer:
    """An observer with hands on its clock."""

    world: ReadingWorld
    now: float = 100.0

    def __post_init__(self) -> None:
        self.limiter = ConcurrencyLimiter(100, 300)
        self.observer = Observer(
            self.world, FakeGateway(), self.limiter, lambda: NOW, 15, lambda: self.now
        )

    async def prompt(self, arrived: float | None) -> str | None:
        found = await self.observer.agent(make_execution(), arrived)
        return found.spec.prompt if found else None

    async def is_asked(self, execution: Execution) -> bool:
        """Whether the gateway is asked now what the run cost."""
        return (await self.observer.observe(execution)).ledger is not None

    def put(self, agent: Agent) -> None:
        document: dict[str, JsonValue] = {**agent.to_json()}
        document.pop("status")
        self.world.put(document)


@pytest.fixture
def gatherer() -> Gatherer:
    made = Gatherer(ReadingWorld())
    made.put(make_agent(prompt="old"))
    return made


async def test_one_reading_serves_all_that_had_arrived_before_it(gatherer: Gatherer) -> None:
    for arrived in (98.0, 99.0, 100.0):
        assert await gatherer.prompt(arrived) == "old"
        gatherer.now += 0.1
    assert gatherer.world.reads == 1


@pytest.mark.parametrize("arrived", [100.01, None], ids=["it arrived later", "it was read"])
async def test_whoever_changes_an_agent_and_then_makes_an_execution_gets_the_change(
    gatherer: Gatherer, arrived: float | None
) -> None:
    await gatherer.prompt(99.0)
    gatherer.put(make_agent(prompt="new"))
    gatherer.now = 100.02
    assert await gatherer.prompt(arrived) == "new"


async def test_no_reading_serves_longer_than_a_second(gatherer: Gatherer) -> None:
    await gatherer.prompt(99.0)
    gatherer.put(make_agent(prompt="new"))
    gatherer.now = 101.0
    assert await gatherer.prompt(99.0) == "new"


async def test_a_change_that_the_watch_told_ends_a_reading_at_once(gatherer: Gatherer) -> None:
    await gatherer.prompt(99.0)
    gatherer.put(make_agent(prompt="new"))
    gatherer.observer.forget_agent(KEY)
    assert await gatherer.prompt(99.0) == "new"


async def test_an_agent_that_is_gone_is_not_remembered(gatherer: Gatherer) -> None:
    await gatherer.prompt(99.0)
    gatherer.world.remove(Ref(AGENT, *KEY))
    assert await gatherer.prompt(None) is None
    assert await gatherer.prompt(99.0) is None


async def test_a_gateway_that_was_just_asked_about_a_run_is_left_alone(gatherer: Gatherer) -> None:
    assert await gatherer.is_asked(RUNNING)
    assert not await gatherer.is_asked(RUNNING)


async def test_nothing_is_remembered_of_a_run_that_ended_or_went(gatherer: Gatherer) -> None:
    await gatherer.is_asked(RUNNING)
    assert await gatherer.is_asked(ENDED)
    assert await gatherer.is_asked(RUNNING)
    gatherer.observer.forget_execution(("default", "sales-1"))
    assert await gatherer.is_asked(RUNNING)


def test_a_jobs_count_is_as_old_as_the_last_write_of_it() -> None:
    written = [
        {"manager": "kube-controller-manager", "time": stamp(NOW - seconds(ago))}
        for ago in (40, 12)
    ]
    made = make_job()
    job = Job.model_validate(
        {**made, "metadata": {**mapping_at(made, "metadata"), "managedFields": written}}
    )
    assert counted_seconds(job, NOW) == 12
    assert counted_seconds(Job.model_validate(made), NOW) == 0
    assert counted_seconds(None, NOW) == 0


async def test_a_pod_that_lives_is_read_by_its_name_and_one_that_leaves_is_looked_for(
    gatherer: Gatherer,
) -> None:
    """A list costs the more, the more pods the namespace has."""
    job = make_job()
    job_uid = str(mapping_at(job, "metadata")["uid"])
    gatherer.world.put(job)
    attempt = make_attempt(job_uid=job_uid, pod_name=POD_NAME)
    execution = make_admitted(attempt)
    gatherer.world.put(make_pod("Running", running(), job_uid=job_uid))
    gatherer.world.failures["list"] = UnavailableError("no list is needed")
    facts = (await gatherer.observer.observe(execution)).facts
    assert facts.pod is not None
    assert facts.pod.metadata.name == POD_NAME
    gatherer.world.put(make_pod("Running", running(), job_uid=job_uid, deleted=NOW))
    with pytest.raises(UnavailableError):
        await gatherer.observer.observe(execution)


async def test_what_is_stopped_needs_no_snapshot() -> None:
    asked: list[Ref] = []

    class Asked(ReadingWorld):
        async def get(self, ref: Ref) -> JsonObject | None:
            asked.append(ref)
            return await super().get(ref)

    stopping = Gatherer(Asked())
    await stopping.observer.observe(make_execution(status=RUNNING.status, cancel=True))
    assert CONTROLLER_REVISION not in {ref.kind for ref in asked}
