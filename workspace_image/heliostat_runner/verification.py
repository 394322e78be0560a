"""verify: whether the work is really done, by a command or by expected files."""

from __future__ import annotations

import math
from pathlib import Path

from .attempt import Attempt
from .document import Verify
from .environment import build_verify
from .processes import StartError
from .reasons import Reason, Verdict
from .watchdog import Rules, Stop
from .watchers import CommandWatcher

_TAIL = 600
_SHOWN = 120


async def verify(attempt: Attempt) -> Verdict:
    rules = attempt.document.verify
    if rules is None or not (rules.command or rules.files):
        return Verdict(
            Reason.UNVERIFIED, "The agent says that it is done. Set verify to have that checked."
        )
    missing = _missing_files(attempt.settings.workspace, rules)
    if missing:
        return Verdict(
            Reason.VERIFICATION_FAILED,
            f"The agent says that it is done, but {', '.join(missing)}. See the transcript.",
        )
    return await _run(attempt, rules) if rules.command else _verified("the expected files")


def _verified(by: str) -> Verdict:
    return Verdict(Reason.VERIFIED, f"Verified by {by}.")


def _missing_files(workspace: Path, rules: Verify) -> list[str]:
    return [
        f"{name!r} is empty" if (workspace / name).is_file() else f"there is no file {name!r}"
        for name in rules.files
        if not (workspace / name).is_file() or (workspace / name).stat().st_size == 0
    ]


def _not_started(program: str, error: StartError) -> Verdict:
    """A path is something that the agent should have made; a bare name is the image's."""
    if "/" in program:
        return Verdict(Reason.VERIFICATION_FAILED, f"verify.command: {error}.")
    return Verdict(
        Reason.RUNTIME_MISSING, f"verify.command: {error}. Use an image that holds the program."
    )


def _first_line(command: str) -> str:
    """A program in an argument must not drown what it said."""
    line = command.strip().partition("\n")[0]
    return line if line == command and len(line) <= _SHOWN else f"{line[:_SHOWN]} …"


async def _run(attempt: Attempt, rules: Verify) -> Verdict:
    watcher = CommandWatcher(attempt.transcript, attempt.now)
    environ = build_verify(attempt.environ, attempt.settings, attempt.document)
    # no limits but the attempt's one clock, so that nobody has to reason about two
    clock = Rules(attempt.deadline, math.inf, 0, 0, None)
    shown = _first_line(" ".join(rules.command))
    try:
        ended = await attempt.run(rules.command, environ, "", watcher, clock)
    except StartError as error:
        return _not_started(rules.command[0], error)
    if ended.stop is Stop.TIMED_OUT:
        return Verdict(
            Reason.TIMED_OUT,
            f"The agent was done, but verify.command ({shown}) was not when "
            "limits.timeoutSeconds was used up. Raise it or make the check faster.",
        )
    if ended.stop is not Stop.EXITED:
        return Verdict(
            Reason.TERMINATED,
            "The pod was told to end while verify.command ran. The agent's work is done; "
            "a further attempt only verifies it where the workspace is kept.",
        )
    if ended.exit_code == 0:
        return _verified(shown)
    return Verdict(
        Reason.VERIFICATION_FAILED,
        f"verify.command ({shown}) exited with code {ended.exit_code}: "
        f"{watcher.everything.text[-_TAIL:]}",
    )
