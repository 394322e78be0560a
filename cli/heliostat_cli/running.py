"""`heliostat run`: an Agent's file or name in, a followed run and its summary out."""

import asyncio
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from heliostat_cli.errors import FAILED, INTERRUPTED, UsageError
from heliostat_cli.following import Follower, find_workspace, ref_of_execution
from heliostat_cli.manifests import read_manifest, run_parts
from heliostat_cli.reading import read_object
from heliostat_cli.requests import build_execution, is_file_target, new_suffix
from heliostat_cli.screen import Screen, Terminal, TimedScreen
from heliostat_cli.sessions import utc_now
from heliostat_cli.steps import Narrator
from heliostat_cli.summary import render_summary
from heliostat_cli.worlds import OpenWorld
from heliostat_cli.writing import ask_to_cancel, change_word, in_namespace
from heliostat_core.agents import Agent
from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Execution
from heliostat_core.reading import text
from heliostat_core.worlds import AGENT, JsonObject, Ref, Selection

_LEAVE_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """What is to run: the Agent's document when it comes from a file, else its name."""

    agent_name: str
    namespace: str  # empty when neither the command nor the file names one
    agent: JsonObject | None = None
    template: JsonObject | None = None
    input_text: str | None = None
    parameters: Mapping[str, str] | None = None

    def placed(self, default: str) -> "Request":
        """In the namespace that is named, else in this one."""
        if self.namespace:
            return self
        agent = in_namespace(self.agent, None, default) if self.agent is not None else None
        return replace(self, namespace=default, agent=agent)


@dataclass(frozen=True)
class Ran:
    """How a followed run ended."""

    execution: Execution
    narrator: Narrator
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return INTERRUPTED
        succeeded = is_true(self.execution.status.conditions, ExecutionCondition.SUCCEEDED)
        return 0 if succeeded else FAILED


def read_request(
    target: str,
    namespace: str | None,
    input_text: str | None,
    parameters: Mapping[str, str],
) -> Request:
    """Raises UsageError that names what is wrong in the file."""
    if not is_file_target(target):
        return Request(target, namespace or "", input_text=input_text, parameters=parameters)
    agent, template = run_parts(read_manifest(Path(target)))
    placed = in_namespace(agent, namespace, "")
    return Request(
        text(placed, "metadata", "name"),
        text(placed, "metadata", "namespace"),
        placed,
        template,
        input_text,
        parameters,
    )


async def start(opened: OpenWorld, screen: Screen, request: Request) -> Execution:
    """Apply the Agent, when it comes from a file, and create the Execution."""
    execution = build_execution(
        request.agent_name,
        request.namespace,
        new_suffix(),
        template=request.template,
        input_text=request.input_text,
        parameters=request.parameters,
    )
    ref = Ref(AGENT, request.namespace, request.agent_name)
    if request.agent is None:
        agent, word = await read_object(opened, ref), "as it is"
    else:
        before = await opened.world.get(ref)
        agent = await opened.world.apply(request.agent)
        word = change_word(before, agent)
    screen.line(f"agent {request.agent_name} {word}, {_runtime(Agent.model_validate(agent))}")
    created = Execution.model_validate(await opened.world.create(execution))
    screen.line(f"execution {created.metadata.name} created")
    return created


def _runtime(agent: Agent) -> str:
    """Who does the work."""
    command = agent.spec.runtime.command
    return f"runs {command[0]}" if command else f"Claude Code with {agent.spec.model.name}"


async def run(
    opened: OpenWorld, terminal: Terminal, request: Request, *, follow: bool, cancels: bool
) -> int:
    """The exit code. `cancels`: Ctrl-C stops the run; otherwise it only stops following."""
    if not follow and not opened.goes_on:
        raise UsageError(
            f"--no-follow: nobody would run it in {opened.name} once this command has ended",
            "Follow it, choose a cluster with --context, or keep another `heliostat run` going.",
        )
    terminal.line(f"world: {opened.name}, namespace {request.namespace}")
    execution = await start(opened, terminal, request)
    if not follow:
        terminal.line(f"heliostat logs -f {execution.metadata.name} follows it")
        return 0
    ran = await follow_run(opened, terminal, execution, cancels=cancels)
    await leave(opened, ran.execution)
    if ran.execution.is_finished:
        workspace = await find_workspace(opened, ran.execution)
        terminal.line("")
        terminal.line(render_summary(ran.execution, ran.narrator, workspace))
    return ran.exit_code


async def follow_run(
    opened: OpenWorld, terminal: Terminal, execution: Execution, *, cancels: bool
) -> Ran:
    """Follow to the end, or to the first Ctrl-C (the second one when that cancels)."""
    follower = Follower(opened, TimedScreen(terminal, time.monotonic), utc_now)
    with terminal.live():
        following = asyncio.create_task(follower.follow(ref_of_execution(execution)))
        interrupted = await _until_interrupted(following)
        if interrupted and cancels:
            terminal.line("cancelling: the run's key dies first, then its processes")
            await ask_to_cancel(opened, execution)
            if await _until_interrupted(following):
                terminal.line("left at once: whoever reconciles this world next stops the run")
        elif interrupted:
            name = execution.metadata.name
            terminal.line(f"the run goes on: heliostat logs -f {name}; heliostat cancel {name}")
    if not following.done():
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        return Ran(execution, follower.narrator, interrupted=True)
    return Ran(following.result(), follower.narrator, interrupted)


async def leave(opened: OpenWorld, execution: Execution) -> None:
    """Before we leave a world that nobody else keeps going: let its Agent's status catch up."""
    ref = Ref(AGENT, execution.metadata.namespace, execution.spec.agent_ref.name)
    selection = Selection(namespace=ref.namespace, fields={"metadata.name": ref.name})
    if opened.goes_on or not execution.is_finished:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            async for change in opened.world.watch(AGENT, selection):
                if change.type == "DELETED" or _knows(
                    Agent.model_validate(change.object), execution
                ):
                    break


def _knows(agent: Agent, execution: Execution) -> bool:
    """Whether the Agent's status tells of the Execution's end."""
    last = agent.status.last_execution
    if last is None or last.name != execution.metadata.name:
        return False
    return last.phase == execution.status.phase and agent.status.active == 0


async def _until_interrupted(following: asyncio.Task[Execution]) -> bool:
    """False when the task ended first."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, asked.set)
    waiting = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({following, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return asked.is_set() and not following.done()
    finally:
        waiting.cancel()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
