"""Runs runtime.command: any program, judged by its exit code."""

from __future__ import annotations

from .attempt import Attempt, Lost, Work, remarks_on
from .environment import build_command
from .memory import out_of_memory_kills
from .processes import StartError
from .reasons import Reason, Verdict
from .watchdog import Rules, Stop
from .watchers import CommandWatcher


async def run_command(attempt: Attempt) -> Work | Lost:
    """A command that stalls is not started again: nobody knows what it has done already."""
    document = attempt.document
    watcher = CommandWatcher(attempt.transcript, attempt.now)
    rules = Rules(
        deadline=attempt.deadline,
        stall_seconds=document.runtime.stall_seconds,
        tool_seconds=0,
        linger_seconds=0,
        max_tokens=None,
    )
    kills = out_of_memory_kills()
    environ = build_command(attempt.environ, attempt.settings, document, attempt.key)
    try:
        ended = await attempt.run(document.runtime.command, environ, document.input, watcher, rules)
    except StartError as error:
        return Work(
            Verdict(
                Reason.RUNTIME_MISSING,
                f"runtime.command: {error}. Use an image that holds the program.",
            )
        )
    if ended.stop is not Stop.EXITED:
        return Work(attempt.verdict_of(ended.stop), watcher.words.text)
    if ended.exit_code in (-9, 137) and out_of_memory_kills() > kills:
        return Lost.OUT_OF_MEMORY  # the container's own reason must stay visible
    if ended.exit_code != 0:
        last = watcher.everything.text[-500:]
        return Work(
            Verdict(
                Reason.COMMAND_FAILED, f"The command exited with code {ended.exit_code}: {last}"
            ),
            watcher.words.text,
            remarks=remarks_on(ended),
        )
    return Work(None, watcher.words.text, remarks=remarks_on(ended))
