"""Failures of a schedule's runs, the pause that they bring, and what ends it: pure."""

from collections.abc import Mapping
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.names import RESUMED_ANNOTATION
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.status import (
    LONGEST_WORD,
    Receipt,
    RunResult,
    SchedulePause,
    ScheduleStatus,
)

FAILURES = "Failures"


def with_results(state: ScheduleStatus, results: Mapping[str, RunResult]) -> ScheduleStatus:
    """How runs ended, whether their receipts are still kept or not, each counted once."""
    told = {each.execution_name for each in state.recent if each.result is not None}
    news = {name: result for name, result in results.items() if name not in told}
    if not news:
        return state
    failures = state.failures
    for name in sorted(news):  # names of one Agent sort by time
        match news[name]:
            case "Failed":
                failures += 1
            case "Succeeded":
                failures = 0
    recent = tuple(_with_result(each, news) for each in state.recent)
    return state.model_copy(update={"recent": recent, "failures": failures})


def _with_result(receipt: Receipt, news: Mapping[str, RunResult]) -> Receipt:
    result = news.get(receipt.execution_name or "")
    return receipt.model_copy(update={"result": result}) if result else receipt


def with_pause(
    agent: Agent,
    schedule: Schedule,
    state: ScheduleStatus,
    good_by_hand: datetime | None,
    now: datetime,
) -> ScheduleStatus:
    """Paused after so many failures in a row; resumed by an edit, a command or a good run."""
    if state.paused is not None:
        ended = _is_over(agent, state.paused, good_by_hand)
        return state.model_copy(update={"paused": None, "failures": 0}) if ended else state
    most = schedule.pause_after_failures
    if most is None or state.failures < most:
        return state
    return state.model_copy(update={"paused": _pause(agent, state.failures, now)})


def _is_over(agent: Agent, pause: SchedulePause, good_by_hand: datetime | None) -> bool:
    mark = _resumed_mark(agent)
    return (
        agent.metadata.generation != pause.generation
        or (mark != "" and mark != pause.resumed_mark)
        or (good_by_hand is not None and good_by_hand > pause.time)
    )


def _resumed_mark(agent: Agent) -> str:
    """What the command last wrote. It is the time on somebody's machine, whose clock is not ours:
    never compared with a time."""
    return agent.metadata.annotations.get(RESUMED_ANNOTATION, "")[:LONGEST_WORD]


def _pause(agent: Agent, failures: int, now: datetime) -> SchedulePause:
    runs = "The last run" if failures == 1 else f"The last {failures} runs"
    return SchedulePause(
        time=now,
        reason=FAILURES,
        message=f"{runs} of the schedule failed. Mend it, then edit the Agent, run it well by "
        f"hand, or say `heliostat resume {agent.metadata.name}`.",
        generation=agent.metadata.generation,
        resumed_mark=_resumed_mark(agent),
    )
