"""One thing that a call does, as far as it can be told before it happens."""

from dataclasses import dataclass
from enum import StrEnum

from heliostat_policy.classes import ActionClass


class Reason(StrEnum):
    """Why an effect has its class, as one word."""

    READS = "Reads"
    WRITES_INSIDE = "WritesInside"
    RUNS_CODE = "RunsCode"
    REACHES_NETWORK = "ReachesNetwork"
    SENDS = "Sends"
    PUBLISHES = "Publishes"
    PAYS = "Pays"
    CHANGES_OUTSIDE = "ChangesOutside"
    GUARDED_PATH = "GuardedPath"
    CREDENTIAL = "TouchesCredential"
    UNKNOWN_TOOL = "UnknownTool"
    UNKNOWN_PROGRAM = "UnknownProgram"
    UNKNOWN_OPTION = "UnknownOption"
    NOT_STATIC = "NotStatic"
    UNREADABLE = "Unreadable"


@dataclass(frozen=True)
class Effect:
    """One simple command, one redirection or one call of another tool.

    `argv` is what a rule for a program is compared with; it ends before the first word that only
    bash knows. `operands` are files that are executed or sent, `writes` paths that are changed.
    """

    class_: ActionClass
    reason: Reason
    target: str = ""
    argv: tuple[str, ...] = ()
    host: str = ""
    operands: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def unknown(reason: Reason, target: str = "", argv: tuple[str, ...] = ()) -> Effect:
    """An effect of which nobody can say what it is."""
    return Effect(ActionClass.UNKNOWN, reason, target, argv)
