"""Schedules under two operator processes: their leader is killed at a tick, the next one stands
still past its Lease; each time has one run and one end all the same."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Protocol, TypeVar

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.fires import fires_after
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import AGENT, EXECUTION, LEASE, Ref, Selection
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.leases import LEASE_NAME
from heliostat_operator.schedules.schedule_forecast import digest_of
from support.control_plane import Address
from support.objects import make_agent, value_at
from support.operator_process import SYSTEM, OperatorProcess, running_operator
from support.worlds import make_namespace

AGENTS = 40
SPREAD_SECONDS = 12  # from the beginning on some time is due in each of these
DEADLINE_SECONDS = 60
Found = TypeVar("Found")


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


@dataclass
class Replicas:
    """Operators by their identity in the Lease."""

    kubeconfig: Path
    folder: Path
    stack: ExitStack
    world: KubernetesWorld
    running: dict[str, OperatorProcess] = field(default_factory=dict)

    def start(self, identity: str) -> None:
        log = self.folder / f"{identity}.log"
        operator = running_operator(self.kubeconfig, identity, log)
        self.running[identity] = self.stack.enter_context(operator)

    async def leader(self) -> str:
        """Waits until one of these holds the Lease."""

        async def look() -> str | None:
            lease = await self.world.get(Ref(LEASE, SYSTEM, LEASE_NAME))
            holder = value_at(lease, "spec", "holderIdentity") if lease else None
            return str(holder) if holder in self.running else None

        return await found(look, "a leader")


async def test_each_time_has_one_run_whatever_becomes_of_the_leader(
    installed: Installed, tmp_path: Path
) -> None:
    namespace = make_namespace(installed.server)
    async with await KubernetesWorld.connect(kubeconfig=installed.server.kubeconfig) as world:
        began = await make_agents(world, namespace)
        with ExitStack() as stack:
            replicas = Replicas(installed.kubeconfig, tmp_path, stack, world)
            replicas.start("a")
            replicas.start("b")
            await runs(world, namespace, more_than=0)
            killed = await replicas.leader()
            replicas.running.pop(killed).end(signal.SIGKILL)
            replicas.start("c")
            stopped = await replicas.leader()
            await runs(world, namespace, more_than=len(await read_runs(world, namespace)))
            paused = replicas.running.pop(stopped)
            paused.process.send_signal(signal.SIGSTOP)
            await replicas.leader()
            paused.process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(paused.process.wait, DEADLINE_SECONDS)
            assert paused.process.returncode != 0  # who lost the Lease ends
            await found(lambda: recorded(world, namespace, began), "an end of every time")
        check(await read_agents(world, namespace), await read_runs(world, namespace), began)
        await world.delete(Ref(LEASE, SYSTEM, LEASE_NAME))


async def make_agents(world: KubernetesWorld, namespace: str) -> datetime:
    """Their schedules have known this minute for a while, and its runs are due one after the
    other; returns the minute."""
    now = datetime.now(UTC)
    minute = now.replace(second=0, microsecond=0)
    fields = {
        "cron": "* * * * *",
        "trigger": "Builtin",
        "overlap": "Allow",
        "catchUp": "All",
        "jitterSeconds": min(59, now.second + SPREAD_SECONDS),
    }
    state = ScheduleStatus(
        decided_time=minute - timedelta(seconds=1),
        digest=digest_of(Schedule.model_validate(fields)),
    )
    for number in range(AGENTS):
        made = await world.create(make_agent(namespace, f"agent-{number}", schedule=fields))
        await world.patch_status({**made, "status": {"schedule": state.to_json()}})
    return minute


async def read_runs(world: KubernetesWorld, namespace: str) -> list[Execution]:
    found = world.list(EXECUTION, Selection(namespace))
    return [Execution.model_validate(each) async for each in found]


async def read_agents(world: KubernetesWorld, namespace: str) -> list[Agent]:
    found = world.list(AGENT, Selection(namespace))
    return [Agent.model_validate(each) async for each in found]


async def runs(world: KubernetesWorld, namespace: str, *, more_than: int) -> None:
    async def look() -> int | None:
        count = len(await read_runs(world, namespace))
        return count if count > more_than else None

    await found(look, f"more than {more_than} runs")


async def recorded(world: KubernetesWorld, namespace: str, minute: datetime) -> bool | None:
    agents = await read_agents(world, namespace)
    return all(state(each).decided_time >= minute for each in agents) or None


def state(agent: Agent) -> ScheduleStatus:
    assert agent.status.schedule is not None
    return agent.status.schedule


async def found(look: Callable[[], Awaitable[Found | None]], what: str) -> Found:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (seen := await look()) is None:
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS} s for {what}"
        await asyncio.sleep(0.1)
    return seen


def check(agents: Sequence[Agent], runs: Sequence[Execution], minute: datetime) -> None:
    """Of the times that are decided each has one receipt, and each receipt one run."""
    assert len(agents) == AGENTS
    for agent in agents:
        schedule, decided = agent.spec.schedule, state(agent).decided_time
        assert schedule is not None
        receipts = {each.scheduled_time: each.execution_name for each in state(agent).recent}
        assert len(receipts) == len(state(agent).recent)
        assert sorted(receipts) == times(schedule, minute, decided)
        mine = [each for each in runs if each.spec.agent_ref.name == agent.metadata.name]
        made = {each.spec.trigger.scheduled_time: each.metadata.name for each in mine}
        assert len(made) == len(mine)
        assert {time: name for time, name in made.items() if time and time <= decided} == receipts


def times(schedule: Schedule, first: datetime, last: datetime) -> list[datetime]:
    ahead = fires_after(schedule, first - timedelta(seconds=1))
    return [each.time for each in takewhile(lambda fire: fire.time <= last, ahead)]
