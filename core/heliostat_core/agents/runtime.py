"""What runs in the workspace of an Agent, and how its success is checked."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.resources import (
    Part,
    rules,
)

Argument = Annotated[str, StringConstraints(min_length=1, max_length=4096)]

Command = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]

RelativePath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^[^/\n][^\n]*$"),
    Field(
        json_schema_extra=rules(
            ("!('/' + self + '/').contains('/../')", "must stay in the workspace: no '..'")
        )
    ),
]


class ClaudeCode(Part):
    """Claude Code without a terminal, driven by the runner."""


class Runtime(Part):
    """What runs in the workspace: Claude Code when nothing is said, or a command of your own."""

    # Claude Code is the default by absence, not a default value: a value that the API server put
    # there would stay when somebody adds `command` later, and break the rule.
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!(has(self.claudeCode) && has(self.command))",
                "must set at most one of claudeCode and command; with neither, Claude Code runs",
            )
        )
    )

    claude_code: Annotated[
        ClaudeCode | None,
        Field(
            description="Says in so many words that Claude Code runs with the Agent's prompt, "
            "which is what happens without `command` too."
        ),
    ] = None
    command: Annotated[
        Command | None,
        Field(
            description="Program and arguments to run instead of Claude Code. It finds the "
            "gateway's address and the execution's key in ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, "
            "OPENAI_BASE_URL and OPENAI_API_KEY, the prompt in HELIOSTAT_PROMPT. Exit code 0 is "
            "success."
        ),
    ] = None
    stall_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=86400,
            description="When no event comes for so many seconds, the run counts as hung: it is "
            "ended, resumed once, and given up as Stalled when it hangs again.",
        ),
    ] = 600

    @property
    def is_claude_code(self) -> bool:
        return self.command is None


class Verify(Part):
    """How success is checked: by a command or by files that must be there."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.command) != has(self.files)",
                "must set exactly one of command and files",
            )
        )
    )

    command: Annotated[
        Command | None,
        Field(
            description="Program and arguments, run in the workspace when the agent says that it "
            "is done; exit code 0 means verified."
        ),
    ] = None
    files: Annotated[
        tuple[RelativePath, ...] | None,
        Field(
            min_length=1,
            max_length=64,
            description="Files that must be there and not be empty, relative to the workspace.",
        ),
    ] = None
