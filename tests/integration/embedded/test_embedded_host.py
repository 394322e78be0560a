"""The whole chain in the embedded world: engine, gateway, jobs, runner and real Claude Code."""

import contextlib
from pathlib import Path

import psutil

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.host import hosting
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.processes import marked
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.reading import number, parts, text
from heliostat_core.worlds import EXECUTION, JsonObject, Ref
from heliostat_gateway.settings import Settings
from support.embedded import wait_for_object, wait_until
from support.objects import make_agent, make_execution

SCRIPTED = Settings(default_provider="scripted")


def condition(execution: JsonObject, type_: str) -> JsonObject:
    found = [
        each for each in parts(execution, "status", "conditions") if text(each, "type") == type_
    ]
    return found[0] if found else {}


def is_settled(execution: JsonObject) -> bool:
    return text(condition(execution, "Settled"), "status") == "True"


async def finished(world: EmbeddedWorld, name: str = "run") -> JsonObject:
    ref = Ref(EXECUTION, "default", name)
    return await wait_for_object(world, ref, is_settled, "the Execution is over and settled")


async def test_an_agent_runs_real_claude_code_to_success(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with hosting(folder, gateway=SCRIPTED):
        await world.create(
            make_agent(
                "default",
                prompt="run: echo from-the-shell > out.txt && cat out.txt",
                model={"name": "scripted/tools"},
                verify={"files": ["out.txt"]},
            )
        )
        await world.create(make_execution("default"))
        execution = await finished(world)

    assert text(condition(execution, "Succeeded"), "reason") == "Verified"
    assert "from-the-shell" in text(execution, "status", "result", "text")
    assert (number(execution, "status", "costMicros") or 0) > 0
    [attempt] = parts(execution, "status", "attempts")
    logs = EmbeddedLogs(world, folder)
    pod = text(attempt, "podName")
    lines = [line async for line in logs.read_log("default", pod, follow=True)]
    assert any("from-the-shell" in line for line in lines)


async def test_claude_code_killed_during_a_command_leaves_nobody(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with hosting(folder, gateway=SCRIPTED):
        await world.create(
            make_agent(
                "default",
                prompt="run: touch begun; sleep 600 & sleep 600",
                model={"name": "scripted/tools"},
            )
        )
        await world.create(make_execution("default"))
        await wait_until(
            lambda: bool(list(folder.pods.glob("*/volumes/workspace/begun"))), "it works"
        )
        await wait_until(lambda: bool(named(folder.pods, "sleep")), "its children are there")
        [claude] = named(folder.pods, "claude")
        claude.kill()
        execution = await finished(world)

    assert marked(folder.pods) == []
    assert text(execution, "status", "phase") == "Failed"
    [attempt] = parts(execution, "status", "attempts")
    assert text(attempt, "cause") == "agent"


def named(folder: Path, name: str) -> list[psutil.Process]:
    """Processes of the pods there that are called so."""
    found = []
    for pid in marked(folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.name() == name:
                found.append(process)
    return found
