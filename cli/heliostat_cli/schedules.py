"""Schedules from the command line: look ahead, pause, resume, make up for what was missed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import takewhile

from heliostat_cli.durations import format_instant
from heliostat_cli.errors import CliError, UsageError
from heliostat_cli.reading import missing
from heliostat_cli.screen import Terminal
from heliostat_cli.tables import render_table
from heliostat_cli.worlds import OpenWorld
from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import AgentRef, Execution, ExecutionSpec, Trigger, compute_phase
from heliostat_core.names import RESUMED_ANNOTATION, scheduled_name
from heliostat_core.schedules import Fire, Schedule, describe, faults_of, fires
from heliostat_core.schedules.fires import fires_after
from heliostat_core.schedules.status import Receipt
from heliostat_core.worlds import AGENT, EXECUTION, AlreadyExistsError, JsonObject, Ref

MOST_BACKFILLED = 100


async def preview(
    opened: OpenWorld, terminal: Terminal, ref: Ref, count: int, now: datetime
) -> None:
    """The schedule of an Agent in words, and its next times."""
    agent, schedule = await _scheduled(opened, ref)
    show(terminal, agent.metadata.name, schedule, count, now)


def show(terminal: Terminal, name: str, schedule: Schedule, count: int, now: datetime) -> None:
    """Raises CliError for a schedule that can't run."""
    faults = faults_of(schedule)
    if faults:
        first = faults[0]
        field = f"spec.schedule.{first.field}".rstrip(".")
        raise CliError(f"Agent {name!r}: {field}: {first.message}", "Fix it and look again.")
    terminal.line(f"agent {name}: {describe(schedule, 'en')}")
    rows = [_row(each) for each in fires(schedule, now, count)]
    terminal.line(render_table(("LOCAL", "UTC", "NOTE"), rows))


def _row(fire: Fire) -> tuple[str, str, str]:
    reason = f": {fire.blackout.reason}" if fire.blackout and fire.blackout.reason else ""
    note = f"{fire.note}{reason}" if fire.note else ""
    return fire.local.strftime("%a %Y-%m-%d %H:%M %z"), format_instant(fire.time), note


async def pause(opened: OpenWorld, terminal: Terminal, ref: Ref) -> None:
    """Its times are skipped until `resume`."""
    await _scheduled(opened, ref)
    await opened.canceller.apply(_patch(ref, {"spec": {"schedule": {"suspend": True}}}))
    terminal.line(f"the schedule of {ref.name} is paused; `heliostat resume {ref.name}` ends that")


async def resume(opened: OpenWorld, terminal: Terminal, ref: Ref, now: datetime) -> None:
    """Ends a pause, ours or one after failures."""
    await _scheduled(opened, ref)
    marks: JsonObject = {"annotations": {RESUMED_ANNOTATION: format_instant(now)}}
    applied = await opened.canceller.apply(_patch(ref, {}, marks))
    schedule = Agent.model_validate(applied).spec.schedule
    if schedule is not None and schedule.suspend:
        raise CliError(
            f"spec.schedule.suspend of {ref.name!r} was set by somebody else, and stays",
            "Set it to false where the Agent is declared.",
        )
    terminal.line(f"the schedule of {ref.name} goes on")


def _patch(ref: Ref, fields: JsonObject, metadata: JsonObject | None = None) -> JsonObject:
    """One manager owns the pause and the mark: applying one takes the other back."""
    return {
        "apiVersion": AGENT.api_version,
        "kind": AGENT.name,
        "metadata": {"name": ref.name, "namespace": ref.namespace, **(metadata or {})},
        **fields,
    }


async def backfill(
    opened: OpenWorld, terminal: Terminal, ref: Ref, start: datetime, end: datetime, now: datetime
) -> None:
    """A run for each time from `start` to `end`, but for those that have one or had one."""
    agent, schedule = await _scheduled(opened, ref)
    if end > now:
        raise UsageError(
            "--to lies ahead: times to come would run now",
            f"Take {format_instant(now)} at most and leave the rest to the schedule, or start one "
            f"with `heliostat run {ref.name}`.",
        )
    found = _between(schedule, start, end)
    if len(found) > MOST_BACKFILLED:
        raise UsageError(
            f"more than {MOST_BACKFILLED} times lie between --from and --to",
            "Make up for less at once.",
        )
    for fire in found:
        name = scheduled_name(agent.metadata.name, fire.time)
        said = await _make_up(opened, agent, name, fire)
        terminal.line(f"execution.heliostat.dev/{name} {said}")
    if not found:
        terminal.line("no time of the schedule lies there")


def _between(schedule: Schedule, start: datetime, end: datetime) -> list[Fire]:
    """One more than may be, at most."""
    ahead = takewhile(lambda fire: fire.time <= end, fires_after(schedule, start))
    return [fire for fire, _ in zip(ahead, range(MOST_BACKFILLED + 1), strict=False)]


async def _make_up(opened: OpenWorld, agent: Agent, name: str, fire: Fire) -> str:
    """What became of it, in words."""
    ran = _receipt_of_run(agent, fire.time)
    if ran is not None:
        return f"ran already: {ran.result}" if ran.result else "ran already"
    if await _make(opened, agent, name, fire):
        return f"created{_beside(fire)}"
    ref = Ref(EXECUTION, agent.metadata.namespace, name)
    found = await opened.world.get(ref)
    known = Execution.model_validate(found) if found else None
    if known is None or known.finished_reason != FinishedReason.SKIPPED:
        return f"is there already: {compute_phase(known)}" if known else "was deleted just now"
    await opened.world.delete(ref, uid=known.metadata.uid)
    if await _make(opened, agent, name, fire):
        return f"created in place of the one that was skipped{_beside(fire)}"
    return "was skipped, and is being deleted: say it again in a moment"


def _receipt_of_run(agent: Agent, time: datetime) -> Receipt | None:
    """That a run was made for a time, whether its Execution is still there or not."""
    recent = agent.status.schedule.recent if agent.status.schedule else ()
    ran = (each for each in recent if each.outcome in ("Ran", "Late"))
    return next((each for each in ran if each.scheduled_time == time), None)


def _beside(fire: Fire) -> str:
    """Whoever makes up for a time means it, also where the schedule leaves it out."""
    if fire.blackout is None:
        return ""
    return f", in a blackout: {fire.blackout.reason}" if fire.blackout.reason else ", in a blackout"


async def _make(opened: OpenWorld, agent: Agent, name: str, fire: Fire) -> bool:
    """False where one of that name is there."""
    spec = ExecutionSpec(
        agent_ref=AgentRef(name=agent.metadata.name),
        trigger=Trigger(kind="Backfill", scheduled_time=fire.time),
    )
    try:
        await opened.world.create(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {"name": name, "namespace": agent.metadata.namespace},
                "spec": spec.to_json(),
            }
        )
    except AlreadyExistsError:
        return False
    return True


async def _scheduled(opened: OpenWorld, ref: Ref) -> tuple[Agent, Schedule]:
    """Raises CliError for one that is not there, or has no schedule."""
    found = await opened.world.get(ref)
    if found is None:
        raise missing(opened, AGENT, ref.namespace, ref.name)
    agent = Agent.model_validate(found)
    if agent.spec.schedule is None:
        raise CliError(
            f"Agent {ref.name!r} has no schedule",
            'Add spec.schedule, for example {frequency: daily, time: "08:00"}.',
        )
    return agent, agent.spec.schedule


def agents_in(objects: Iterable[JsonObject]) -> list[tuple[str, Schedule]]:
    """Names and schedules of the Agents of a file that have one."""
    agents = [Agent.model_validate(each) for each in objects]
    return [(each.metadata.name, each.spec.schedule) for each in agents if each.spec.schedule]


def parse_instant(option: str, text: str) -> datetime:
    """RFC 3339; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is no instant", "Write for example 2026-11-23T08:00:00+09:00."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
