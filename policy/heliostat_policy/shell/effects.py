"""What a command of Bash does."""

import re

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown

# Letters that mean themselves to bash, wherever they stand.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+(?: +[A-Za-z0-9_./:@%+,-]+)*")


def effects_of(command: str, cwd: str, root: str) -> tuple[Effect, ...]:
    """Every thing that a command does, each judged by itself."""
    del cwd, root
    if not _PLAIN.fullmatch(command):
        return (unknown(Reason.UNREADABLE, command[:200]),)
    argv = tuple(command.split())
    return (Effect(ActionClass.UNKNOWN, Reason.UNKNOWN_PROGRAM, argv[0], argv),)
