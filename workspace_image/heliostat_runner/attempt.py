"""What every part of one attempt shares: document, places, clock, and running programs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from .document import RunDocument
from .guard.reports import GuardReport
from .processes import Processes
from .reasons import Reason, Verdict
from .result import Usage
from .settings import Settings
from .supervision import Ended, Shutdown, Watcher, supervise
from .transcript import Transcript
from .watchdog import Rules, Stop

_MOST_NAMES = 5


def remarks_on(ended: Ended) -> tuple[str, ...]:
    """Says of unfinished work in the background that it is lost: its result is in no file."""
    names = ended.left_behind
    if not names:
        return ()
    more = ", and others" if len(names) > _MOST_NAMES else ""
    return (
        f"Work in the background was not finished and was ended with the run "
        f"({len(names)}: {', '.join(names[:_MOST_NAMES])}{more}). Have the agent wait for it.",
    )


class Lost(Enum):
    """Endings that must not have a result document, because the pod tells them better."""

    OUT_OF_MEMORY = 137


@dataclass(frozen=True)
class Work:
    """What the agent did. `verdict` None = done, now to be verified."""

    verdict: Verdict | None
    text: str = ""
    session_id: str | None = None
    resumed: bool = False
    turns: int = 0
    second_attempts: int = 0
    usage: Usage = field(default_factory=Usage)
    guard: GuardReport | None = None
    remarks: tuple[str, ...] = ()
    """Short sentences for the message."""


@dataclass(frozen=True)
class Attempt:
    settings: Settings
    document: RunDocument
    key: str
    environ: Mapping[str, str]
    transcript: Transcript
    processes: Processes
    shutdown: Shutdown
    deadline: float
    """When limits.timeoutSeconds is used up, on the event loop's clock."""

    async def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        stdin: str,
        watcher: Watcher,
        rules: Rules,
    ) -> Ended:
        """Runs one program in the workspace to its end. Raises StartError."""
        child = await self.processes.start(command, environ, self.settings.workspace, stdin)
        ended = await supervise(self.processes, child, watcher, rules, self.shutdown)
        self.transcript.note(
            "exit", program=command[0], exitCode=ended.exit_code, stop=ended.stop.name
        )
        if ended.survivors:
            self.transcript.note("survivors", pids=list(ended.survivors))
        if ended.left_behind:
            self.transcript.note("left_behind", programs=list(ended.left_behind))
        return ended

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def verdict_of(self, stop: Stop) -> Verdict:
        """The verdict when the runner ended the program; not for EXITED and LINGERED."""
        limits = self.document.limits
        if stop is Stop.TIMED_OUT:
            return Verdict(
                Reason.TIMED_OUT,
                f"Not done after {limits.timeout_seconds} s, all that was left of "
                "limits.timeoutSeconds. Raise it or give the agent less to do.",
            )
        if stop is Stop.TOKENS:
            return Verdict(
                Reason.TOKEN_LIMIT_REACHED,
                f"More than {limits.max_tokens} tokens used. Raise limits.maxTokens.",
            )
        if stop is Stop.STALLED:
            return Verdict(
                Reason.STALLED,
                f"No sign of work for {self.document.runtime.stall_seconds} s. "
                "See the transcript's end; raise runtime.stallSeconds if such silence is normal.",
            )
        return Verdict(
            Reason.TERMINATED,
            "The pod was told to end before the agent was done. Its session is saved; "
            "a further attempt goes on from it where the workspace is kept.",
        )
