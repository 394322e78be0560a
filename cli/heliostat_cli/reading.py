"""get, describe, why, logs: what is there, in either world."""

from collections.abc import Callable, Sequence
from datetime import datetime

from heliostat_cli.blocks import render_agent_why, render_why
from heliostat_cli.describe import describe_agent, describe_execution
from heliostat_cli.documents import Output, as_list, render_document, render_names, shown
from heliostat_cli.errors import CliError, UsageError
from heliostat_cli.kinds import Target
from heliostat_cli.screen import Terminal
from heliostat_cli.steps import Narrator
from heliostat_cli.tables import render_objects
from heliostat_cli.worlds import OpenWorld
from heliostat_core.agents import Agent
from heliostat_core.executions import Attempt, Execution
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
)

Clock = Callable[[], datetime]


async def get(
    opened: OpenWorld,
    terminal: Terminal,
    targets: Sequence[Target],
    selection: Selection,
    output: Output | None,
    clock: Clock,
) -> None:
    """Objects as a table or as documents on stdout; the world's name on stderr."""
    resource = targets[0].resource
    objects = await _gather(opened, targets, selection)
    where = f"namespace {selection.namespace}" if selection.namespace else "all namespaces"
    terminal.note(f"world: {opened.name}, {where}")
    if output in (Output.JSON, Output.YAML):
        document = shown(objects[0]) if targets[0].name and len(objects) == 1 else as_list(objects)
        terminal.raw(render_document(document, output))
    elif not objects:
        terminal.note(f"No {resource.kind.plural} found.")
    elif output is Output.NAME:
        terminal.raw(render_names(resource, objects))
    else:
        wide = output is Output.WIDE
        every = selection.namespace is None
        terminal.line(render_objects(resource, objects, clock(), wide=wide, with_namespace=every))


async def describe(
    opened: OpenWorld, terminal: Terminal, targets: Sequence[Target], namespace: str, clock: Clock
) -> None:
    for obj in await _gather(opened, targets, Selection(namespace=namespace)):
        if obj.get("kind") == AGENT.name:
            terminal.line(describe_agent(Agent.model_validate(obj), opened.name, clock()))
        else:
            terminal.line(describe_execution(Execution.model_validate(obj), opened.name, clock()))


async def why(
    opened: OpenWorld, terminal: Terminal, name: str, namespace: str, clock: Clock
) -> None:
    """An Execution of that name, else an Agent."""
    terminal.note(f"world: {opened.name}, namespace {namespace}")
    found = await opened.world.get(Ref(EXECUTION, namespace, name))
    if found is not None:
        terminal.line(render_why(Execution.model_validate(found), clock()))
        return
    agent = await opened.world.get(Ref(AGENT, namespace, name))
    if agent is None:
        raise CliError(
            f"there is neither an Execution nor an Agent {name!r} in {opened.name}, namespace "
            f"{namespace}",
            "`heliostat get executions` lists what there is.",
        )
    terminal.line(render_agent_why(Agent.model_validate(agent), clock()))


async def logs(
    opened: OpenWorld,
    terminal: Terminal,
    ref: Ref,
    *,
    attempt: int | None,
    follow: bool,
    raw: bool,
    tail: int | None,
) -> None:
    """What an attempt printed: a line for each step, or every event as it stands."""
    execution = await read_execution(opened, ref)
    chosen = choose_attempt(execution, attempt)
    terminal.note(f"world: {opened.name}, attempt {chosen.number} of {ref.name}")
    if chosen.pod_name is None:
        raise CliError(
            f"attempt {chosen.number} has no pod yet", f"`heliostat why {ref.name}` says why."
        )
    narrator = Narrator()
    lines = opened.logs.read_log(ref.namespace, chosen.pod_name, follow=follow, tail=tail)
    try:
        async for line in lines:
            for told in [line] if raw else narrator.tell(line):
                terminal.raw(told) if raw else terminal.line(told)
    except (NotFoundError, InvalidError) as error:
        raise CliError(
            f"attempt {chosen.number} has no log: {error}",
            f"`heliostat why {ref.name}` says how far it is; the log goes with its pod.",
        ) from error


def choose_attempt(execution: Execution, number: int | None) -> Attempt:
    """The attempt of that number, else the last one."""
    name, attempts = execution.metadata.name, execution.status.attempts
    if not attempts:
        raise CliError(f"{name} has no attempt yet", f"`heliostat why {name}` says why.")
    if number is None:
        return attempts[-1]
    found = next((each for each in attempts if each.number == number), None)
    if found is None:
        raise UsageError(f"{name} has no attempt {number}", f"It has 1 to {len(attempts)}.")
    return found


async def read_execution(opened: OpenWorld, ref: Ref) -> Execution:
    """Raises CliError when there is none."""
    return Execution.model_validate(await read_object(opened, ref))


async def read_object(opened: OpenWorld, ref: Ref) -> JsonObject:
    """Raises CliError when there is none."""
    found = await opened.world.get(ref)
    if found is None:
        raise missing(opened, ref.kind, ref.namespace, ref.name)
    return found


def missing(opened: OpenWorld, kind: Kind, namespace: str, name: str) -> CliError:
    return CliError(
        f"there is no {kind.name} {name!r} in {opened.name}, namespace {namespace}",
        f"`heliostat get {kind.plural}` lists what there is; --world and --context choose another "
        "world.",
    )


async def _gather(
    opened: OpenWorld, targets: Sequence[Target], selection: Selection
) -> list[JsonObject]:
    """The named objects, or all of the kind, by namespace and name."""
    found = []
    for target in targets:
        kind = target.resource.kind
        if target.name is not None:
            ref = Ref(kind, selection.namespace or opened.namespace, target.name)
            found.append(await read_object(opened, ref))
        else:
            found += [each async for each in opened.world.list(kind, selection)]
    return found
