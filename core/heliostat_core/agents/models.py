"""Which model answers an Agent, and what its tools may do."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heliostat_core.resources import (
    Part,
)

DEFAULT_MODEL = "claude-sonnet-5-5"

DEFAULT_TOOLS = ("Bash", "Edit", "Glob", "Grep", "Read", "Write")

ToolRule = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\([^\n]+\))?$"
    ),
]


class Model(Part):
    """Which model answers."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"),
        Field(
            description="Name of the model as the gateway knows it, for example "
            "claude-sonnet-5-5; scripted/NAME answers from a scenario, for trials without a "
            "provider."
        ),
    ] = DEFAULT_MODEL


class Tools(Part):
    """What the agent may do, in Claude Code's own permission rules."""

    allow: Annotated[
        tuple[ToolRule, ...],
        Field(
            max_length=64,
            description="Tools that the agent may use, in Claude Code's own permission rules, for "
            "example Read or Bash(python3:*). What no rule allows is refused; nobody is asked.",
        ),
    ] = DEFAULT_TOOLS
    deny: Annotated[
        tuple[ToolRule, ...],
        Field(
            max_length=64,
            description="Tools that the agent must not use, in the same form; wins over allow.",
        ),
    ] = ()
