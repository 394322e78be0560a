"""When a running program has to be ended. Pure: clocks in, an ending or the next look out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Stop(Enum):
    """Why a program is no longer running."""

    EXITED = auto()
    STALLED = auto()
    LINGERED = auto()
    """It gave its final result and did not leave."""
    TIMED_OUT = auto()
    TERMINATED = auto()
    TOKENS = auto()
    BYPASSED = auto()
    """An action passed by the guard."""


@dataclass(frozen=True)
class Signs:
    """What is seen of a running program. Times in seconds of one monotonic clock."""

    moved: float
    """Last time that something showed that work moves on."""
    finished: float | None
    """When the final result came."""
    tool_open: bool
    tokens: int
    bypassed: bool = False


@dataclass(frozen=True)
class Rules:
    deadline: float
    stall_seconds: float
    tool_seconds: float
    """How much longer than `stall_seconds` an open tool call may be silent.

    Claude Code ends a Bash call itself after at most this long and then says so. Silence beyond it
    is a hang; silence within it is a long build. Events of the call itself (tool_progress) do not
    count, since a hung tool sends them, too.
    """
    linger_seconds: float
    max_tokens: int | None


def decide_stop(rules: Rules, signs: Signs, now: float) -> Stop | None:
    """Why the program has to be ended now; None = it may go on."""
    if signs.bypassed:
        return Stop.BYPASSED
    if signs.finished is not None:  # finished work is never taken for anything else
        return Stop.LINGERED if now >= _leave_by(rules, signs.finished) else None
    if now >= rules.deadline:
        return Stop.TIMED_OUT
    if rules.max_tokens is not None and signs.tokens > rules.max_tokens:
        return Stop.TOKENS
    if now >= signs.moved + silence_allowed(rules, signs):
        return Stop.STALLED
    return None


def next_look(rules: Rules, signs: Signs) -> float:
    """The first time at which `decide_stop` may answer otherwise with the same signs."""
    if signs.finished is not None:
        return _leave_by(rules, signs.finished)
    return min(rules.deadline, signs.moved + silence_allowed(rules, signs))


def silence_allowed(rules: Rules, signs: Signs) -> float:
    return rules.stall_seconds + (rules.tool_seconds if signs.tool_open else 0)


def _leave_by(rules: Rules, finished: float) -> float:
    return min(finished + rules.linger_seconds, max(rules.deadline, finished))
