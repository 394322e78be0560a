"""Tools of Claude Code other than Bash: which class a call of each has."""

from typing import Final
from urllib.parse import urlsplit

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.json_values import JsonObject
from heliostat_policy.paths import Place, is_secret, place_of

# What they name is read; the others change nothing outside of the conversation.
READING: Final = {"Read": "file_path", "Glob": "path", "Grep": "path", "LS": "path"}
WRITING: Final = {
    "Write": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
}
# A sub-agent's own calls are judged one by one, as its caller's are.
QUIET: Final = frozenset(
    {
        "Agent",
        "AskUserQuestion",
        "BashOutput",
        "EnterPlanMode",
        "ExitPlanMode",
        "KillShell",
        "NotebookRead",
        "StructuredOutput",
        "Task",
        "TaskCreate",
        "TaskGet",
        "TaskList",
        "TaskOutput",
        "TaskStop",
        "TaskUpdate",
        "TodoRead",
        "TodoWrite",
        "ToolSearch",
    }
)
# A skill or a command may run a shell before the model sees it.
RUNNING: Final = frozenset({"Skill", "SlashCommand"})


def effect_of(tool: str, args: JsonObject, cwd: str, root: str) -> Effect:
    """What a call of a tool does; Unknown for a tool that nobody has described."""
    if tool in READING:
        return _reading(_text(args, READING[tool]), _text(args, "pattern"), cwd)
    if tool in WRITING:
        return _writing(_text(args, WRITING[tool]), cwd, root)
    if tool in QUIET:
        return Effect(ActionClass.READ, Reason.READS)
    if tool in RUNNING:
        return Effect(ActionClass.EXECUTE, Reason.RUNS_CODE)
    if tool == "WebFetch":
        host = host_of(_text(args, "url"))
        return Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, host, host=host)
    if tool == "WebSearch":
        return Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK)
    return unknown(Reason.UNKNOWN_TOOL, tool)


def _reading(path: str, pattern: str, cwd: str) -> Effect:
    for each in (path, pattern):
        if each and is_secret(each, cwd):
            return Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, each)
    return Effect(ActionClass.READ, Reason.READS, path)


def _writing(path: str, cwd: str, root: str) -> Effect:
    return write_effect(path, cwd, root) if path else unknown(Reason.UNREADABLE)


def write_effect(path: str, cwd: str, root: str, argv: tuple[str, ...] = ()) -> Effect:
    """What a change of one file or folder is."""
    place = place_of(path, cwd, root)
    if place is Place.DEVICE:
        return Effect(ActionClass.READ, Reason.READS, path, argv)
    if place is Place.INSIDE:
        return Effect(ActionClass.WRITE_INSIDE, Reason.WRITES_INSIDE, path, argv, writes=(path,))
    reason = Reason.GUARDED_PATH if place is Place.GUARDED else Reason.CHANGES_OUTSIDE
    return Effect(ActionClass.DELETE_OUTSIDE, reason, path, argv, writes=(path,))


def host_of(url: str) -> str:
    """The host that a URL names, in small letters; empty if none can be told."""
    whole = url if "://" in url else f"//{url}"
    try:
        return (urlsplit(whole).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _text(args: JsonObject, name: str) -> str:
    found = args.get(name)
    return found if isinstance(found, str) else ""
