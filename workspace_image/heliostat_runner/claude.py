"""Claude Code's command line, its sessions on disk, and where its binary is."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from .document import RunDocument
from .jsonvalue import load, text_at
from .settings import Settings

_UNATTENDED = (
    # tools that wait for a person, live on after the run, or reach other sessions
    "AskUserQuestion",
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterPlanMode",
    "EnterWorktree",
    "ExitPlanMode",
    "ExitWorktree",
    "ListAgents",
    "Monitor",
    "PushNotification",
    "RemoteTrigger",
    "ReportFindings",
    "ScheduleWakeup",
    "SendMessage",
    "SendUserMessage",
    "TaskStop",
    "Workflow",
)


@dataclass(frozen=True)
class Hooks:
    """The guard's hook, for one process."""

    settings: Path
    """The file that names it."""
    replace_rules: bool
    """The hook alone allows: a tool that a rule allowed would run where the hook fails."""


LOST_CALL_PROMPT = (
    "This run goes on now, in the same session and the same workspace. Your last action waited for "
    "a person's decision, and can no longer be resumed: it was not done. Make the call again if it "
    "is still needed, and a person is asked again. Then finish the task."
)
CONTINUE_PROMPT = (
    "This run was interrupted and goes on now, in the same session and the same workspace. "
    "Look at what is there already before you repeat an unfinished step, then finish the task."
)


def build_correction_prompt(failure: str) -> str:
    return (
        "Your work of the run before was checked and did not pass:\n\n"
        f"{failure}\n\n"
        "You are in the same session and the same workspace. Correct what is wrong, "
        "then finish the task."
    )


def find_binary(settings: Settings) -> Path | None:
    """The binary inside the claude-agent-sdk wheel; None when there is none."""
    if settings.claude_binary is not None:
        return settings.claude_binary if settings.claude_binary.is_file() else None
    package = importlib.util.find_spec("claude_agent_sdk")  # looked up, not imported: 1 s less
    for folder in (package.submodule_search_locations or []) if package else []:
        binary = Path(folder) / "_bundled" / "claude"
        if binary.is_file():
            return binary
    return None


def build_command_line(
    binary: Path,
    document: RunDocument,
    settings: Settings,
    session: str,
    resume: bool,
    turns: int,
    hooks: Hooks | None = None,
) -> list[str]:
    """The prompt comes on stdin: a command line is bounded and seen by everybody.

    `turns`: turns of the session that are used up already. With 0 as --max-turns there would be no
    limit.
    """
    deny = (*document.deny, *_UNATTENDED, f"Read(/{settings.run_dir}/**)")
    command = [
        str(binary),
        "--print",
        "--output-format=stream-json",
        "--verbose",
        "--include-partial-messages",  # signs of life, and usage, while an answer comes
        f"--model={document.model}",
        "--permission-mode=dontAsk",
        "--permission-prompts=none",
        "--setting-sources=",  # neither the user's nor the workspace's settings: they hold hooks
        "--strict-mcp-config",
        "--disable-slash-commands",  # the prompt is a text, even when it starts with "/"
        f"--resume={session}" if resume else f"--session-id={session}",
    ]
    if document.limits.max_turns is not None:
        command.append(f"--max-turns={max(1, document.limits.max_turns - turns)}")
    if hooks is not None:
        command.append(f"--settings={hooks.settings}")
    if document.allow and not (hooks and hooks.replace_rules):
        command += ["--allowed-tools", *document.allow]
    return [*command, "--disallowed-tools", *deny]


def session_file(settings: Settings, session: str) -> Path | None:
    """The file of the conversation, None where there is none."""
    return next((path for path in _session_files(settings, session) if _holds_message(path)), None)


def has_session(settings: Settings, session: str) -> bool:
    """Whether the workspace still holds the conversation.

    Claude Code writes other lines before the first message, and refuses to resume a file without
    any: what a crash, a full disk or a lost volume left of a session is none.
    """
    return session_file(settings, session) is not None


def _holds_message(path: Path) -> bool:
    with path.open("rb") as lines:
        return any(_is_message(line) for line in lines)


def _is_message(line: bytes) -> bool:
    try:
        event = load(line)
    except ValueError:
        return False
    return isinstance(event, dict) and text_at(event, "type") in ("user", "assistant")


def set_session_aside(settings: Settings, session: str) -> None:
    """Frees the id for a new conversation: Claude Code refuses one that is in use."""
    for path in _session_files(settings, session):
        path.replace(path.with_suffix(".replaced"))


def _session_files(settings: Settings, session: str) -> list[Path]:
    return list((settings.home / ".claude" / "projects").glob(f"*/{session}.jsonl"))
