"""Who runs things is killed (SIGKILL) at bad moments; nothing is lost, nothing runs twice."""

import json
import os
import signal
from pathlib import Path

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.host import hosting
from heliostat_cli.embedded.pods import is_finished
from heliostat_cli.embedded.processes import marked
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.reading import part, parts, text
from heliostat_core.worlds import EXECUTION, JOB, POD, JsonObject, Ref
from heliostat_gateway.settings import Settings
from support.embedded import make_job, running_jobs, wait_for_object, wait_until
from support.hosts import HOST, JOBS, other_process
from support.objects import make_agent, make_execution

SCRIPTED = Settings(default_provider="scripted")
RUN = Ref(JOB, "default", "run-1")
EXECUTION_RUN = Ref(EXECUTION, "default", "run")

# Begins, waits until it may go on, and counts how often it was begun.
PATIENT = """
import os, subprocess, sys, time
open("begun", "a").write("x")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
while not os.path.exists("go"):
    time.sleep(0.02)
open(os.environ["HELIOSTAT_TERMINATION_LOG"], "w").write("done")
"""


async def begun(folder: StateFolder) -> Path:
    """The workspace of the patient job, once it has begun."""
    await wait_until(
        lambda: bool(list(folder.pods.glob("*/volumes/workspace/begun"))), "the job has begun"
    )
    [found] = folder.pods.glob("*/volumes/workspace/begun")
    return found.parent


def supervisor_of(workspace: Path) -> int:
    document = json.loads((workspace.parent.parent / "supervisor.json").read_text())
    return int(document["pid"])


async def the_pod(world: EmbeddedWorld) -> JsonObject:
    [pod] = [each async for each in world.list(POD)]
    return pod


def terminated(pod: JsonObject) -> JsonObject:
    return part(parts(pod, "status", "containerStatuses")[0], "state", "terminated")


async def test_a_job_outlives_who_started_it_and_is_found_again(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    await world.create(make_job(PATIENT))
    with other_process(JOBS, folder, tmp_path / "log"):
        workspace = await begun(folder)
    async with running_jobs(world, folder):
        (workspace / "go").touch()
        await wait_for_object(world, RUN, is_finished, "the Job is finished")
    pod = await the_pod(world)

    assert text(terminated(pod), "message") == "done"
    assert (workspace / "begun").read_text() == "x"


async def test_a_job_that_ended_while_nobody_looked_is_recorded(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    await world.create(make_job(PATIENT))
    with other_process(JOBS, folder, tmp_path / "log"):
        workspace = await begun(folder)
    (workspace / "go").touch()
    await wait_until(lambda: not marked(folder.pods), "the job has ended")
    async with running_jobs(world, folder):
        await wait_for_object(world, RUN, is_finished, "the Job is finished")

    assert text(await the_pod(world), "status", "phase") == "Succeeded"


async def test_a_supervisor_that_died_while_nobody_looked_is_an_infrastructure_failure(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    await world.create(make_job(PATIENT))
    with other_process(JOBS, folder, tmp_path / "log"):
        workspace = await begun(folder)
    os.kill(supervisor_of(workspace), signal.SIGKILL)
    async with running_jobs(world, folder):
        await wait_for_object(world, RUN, is_finished, "the Job is finished")

    assert text(await the_pod(world), "status", "reason") == "NodeLost"
    assert not marked(folder.pods)
    assert (workspace / "begun").read_text() == "x"


async def test_a_pod_deleted_while_nobody_looked_is_ended(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    await world.create(make_job(PATIENT))
    with other_process(JOBS, folder, tmp_path / "log"):
        await begun(folder)
    await world.delete(RUN)
    async with running_jobs(world, folder):
        await wait_until(lambda: not list(folder.pods.iterdir()), "its folder is gone")

    assert not marked(folder.pods)
    assert [each async for each in world.list(POD)] == []


def finished(execution: JsonObject) -> bool:
    return bool(text(execution, "status", "completionTime"))


async def test_the_next_host_goes_on_where_a_killed_one_stopped(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    people = world.as_manager("heliostat-cli")
    await people.create(make_agent("default", model={"name": "scripted/slow-steps"}))
    await people.create(make_execution("default"))
    with other_process(HOST, folder, tmp_path / "log"):
        await wait_until(
            lambda: bool(list(folder.pods.glob("*/volumes/workspace/steps.txt"))), "it works"
        )
        port = folder.gateway_port.read_text()
    async with hosting(folder, gateway=SCRIPTED) as host:
        assert host.is_hosting
        execution = await wait_for_object(world, EXECUTION_RUN, finished, "the run is over")

    assert folder.gateway_port.read_text() == port
    assert text(execution, "status", "phase") == "Succeeded"
    # Claude Code waits some seconds for the gateway; on a slow machine the attempt may be lost.
    attempts = parts(execution, "status", "attempts")
    assert [text(each, "cause") for each in attempts[:-1]] in ([], ["infrastructure"])


async def test_another_process_cancels_and_the_host_ends_all_of_it(
    world: EmbeddedWorld, folder: StateFolder, tmp_path: Path
) -> None:
    people = world.as_manager("heliostat-cli")
    await people.create(make_agent("default", runtime={"command": ["python3", "-c", PATIENT]}))
    await people.create(make_execution("default"))
    with other_process(HOST, folder, tmp_path / "log"):
        await begun(folder)
        async with hosting(folder, gateway=SCRIPTED) as follower:
            assert not follower.is_hosting
            await people.apply(
                {
                    "apiVersion": EXECUTION.api_version,
                    "kind": EXECUTION.name,
                    "metadata": {"name": "run", "namespace": "default"},
                    "spec": {"cancel": True},
                }
            )
            execution = await wait_for_object(world, EXECUTION_RUN, finished, "the run is over")
        await wait_until(lambda: not marked(folder.pods), "nobody is left")

    assert text(execution, "status", "phase") == "Cancelled"
    assert text(execution, "status", "cancellation", "by") == "heliostat-cli"
