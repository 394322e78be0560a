"""Tables of docs/policy.md, from the code that judges."""

from collections.abc import Iterable

from heliostat_policy import tools
from heliostat_policy.classes import ActionClass
from heliostat_policy.rules import Policy, default_of
from heliostat_policy.shell.code import CODE
from heliostat_policy.shell.effects import SINGLE, WRAPPERS
from heliostat_policy.shell.git import CHANGING, READING
from heliostat_policy.shell.network import SENDERS
from heliostat_policy.shell.readers import ANY_WORDS, READERS
from heliostat_policy.shell.writers import WRITERS
from tools.sections import table

_MEANINGS = {
    ActionClass.READ: "reads, prints or lists",
    ActionClass.WRITE_INSIDE: "changes or removes files of the workspace that nothing obeys",
    ActionClass.EXECUTE: "runs code, of which the command does not say what it does",
    ActionClass.NETWORK: "fetches",
    ActionClass.SEND: "sends data to another machine or person",
    ActionClass.PUBLISH: "pushes, publishes, uploads for others",
    ActionClass.PAY: "buys or starts what costs money",
    ActionClass.DELETE_OUTSIDE: "changes or removes what is outside of the workspace, or guarded",
    ActionClass.CREDENTIAL: "shows a key or a password, or a file that holds some",
    ActionClass.UNKNOWN: "everything else: no program, option or shape that is known",
}


def build_classes() -> str:
    """A row for each class: what it means, and what becomes of it without a rule."""
    rows = [
        (
            f"`{each}`",
            _MEANINGS[each],
            str(default_of(Policy(), each)),
            str(default_of(Policy(egress=True, secret_refs=True), each)),
        )
        for each in ActionClass
    ]
    return table(("class", "the action", "without egress", "with egress"), rows)


def build_programs() -> str:
    """A row for each kind of program of the table."""
    rows = [
        ("reads, whatever its words are", _names(ANY_WORDS)),
        ("reads, with known options", _names(READERS)),
        ("its own words are read", _names(SINGLE)),
        ("writes to the paths that it names", _names(WRITERS)),
        ("runs what follows it, which is judged", _names({*WRAPPERS, "find"})),
        ("`git`, reading", _names(READING)),
        ("`git`, writing inside", _names(CHANGING)),
        ("runs code", _names(CODE)),
        ("sends", _names(SENDERS)),
    ]
    return table(("what it does", "programs"), rows)


def build_tools() -> str:
    """A row for each class of tools of Claude Code."""
    rows = [
        ("`Read`; a path that holds a credential: `Credential`", _names(tools.READING)),
        ("`Read`", _names(tools.QUIET)),
        ("`WriteInside` or `DeleteOutside`, by the path", _names(tools.WRITING)),
        ("`Execute`", _names(tools.RUNNING)),
        ("`Network`", _names({"WebFetch", "WebSearch"})),
        ("by the command", "`Bash`"),
        ("`Unknown`", "`mcp__*`, and every tool that is not named here"),
    ]
    return table(("class", "tools"), rows)


def _names(names: Iterable[str]) -> str:
    return " ".join(f"`{each}`" for each in sorted(names))


SECTIONS = {"classes": build_classes, "tools": build_tools, "programs": build_programs}
