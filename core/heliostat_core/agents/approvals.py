"""Which actions of an Agent's runs wait for a person, and who may decide."""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.approvals import MOST_QUORUM, ActionClass
from heliostat_core.resources import Part, rules

MOST_RULES: Final = 64
_MATCHERS: Final = ("tool", "mcpTool", "argv", "class", "host")

Word = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Example = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class ApprovalRule(Part):
    """What happens to the actions that a rule matches."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                " + ".join(f"(has(self.{each}) ? 1 : 0)" for each in _MATCHERS) + " == 1",
                f"must set exactly one of {', '.join(_MATCHERS[:-1])} and {_MATCHERS[-1]}",
            ),
            (
                "!has(self.quorum) || self.decision == 'Ask'",
                "must leave out quorum unless decision is Ask",
            ),
        )
    )

    decision: Annotated[
        Literal["Allow", "Ask", "Refuse"],
        Field(
            description="Allow, Ask a person, or Refuse; of several rules that match an action "
            "the strictest wins."
        ),
    ]
    tool: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"),
        Field(description="Matches a tool of Claude Code by its name, for example WebFetch."),
    ] = None
    mcp_tool: Annotated[
        str | None,
        StringConstraints(
            min_length=6, max_length=256, pattern=r"^mcp__[A-Za-z0-9_-]+(__[A-Za-z0-9_-]+)?\*?$"
        ),
        Field(
            description="Matches tools of an MCP server, mcp__SERVER__TOOL; a * at the end stands "
            "for anything."
        ),
    ] = None
    argv: Annotated[
        tuple[Word, ...] | None,
        Field(
            min_length=1,
            max_length=16,
            description="Matches commands of Bash that begin with these words: program and "
            "arguments.",
        ),
    ] = None
    class_: Annotated[
        ActionClass | None,
        Field(alias="class", description="Matches all actions of a class."),
    ] = None
    host: Annotated[
        str | None,
        StringConstraints(
            min_length=1,
            max_length=253,
            pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        ),
        Field(
            description="Matches actions that reach a host; *. before a domain stands for all "
            "hosts below it."
        ),
    ] = None
    quorum: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_QUORUM,
            description="With Ask: how many persons must say yes; approvals.quorum when not given.",
        ),
    ] = None
    match: Annotated[
        tuple[Example, ...],
        Field(
            max_length=16,
            description="Examples that the rule must match: a wrong one makes the Agent not Ready.",
        ),
    ] = ()
    not_match: Annotated[
        tuple[Example, ...],
        Field(max_length=16, description="Examples that the rule must not match."),
    ] = ()


class Approvals(Part):
    """Which actions wait for a person. Where it is left out, the installation's mode decides."""

    rules: Annotated[
        tuple[ApprovalRule, ...],
        Field(
            max_length=MOST_RULES,
            description="What is allowed, asked and refused beside the defaults.",
        ),
    ] = ()
    expire_seconds: Annotated[
        int | None,
        Field(
            ge=60,
            le=604800,
            description="How long an ask waits; then the answer is no. When not given a day, of a "
            "scheduled run until its next time.",
        ),
    ] = None
    quorum: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_QUORUM,
            description="How many persons must say yes, where a rule does not say it.",
        ),
    ] = 1
    requester_may_approve: Annotated[
        bool,
        Field(
            description="Whether the person who started the run may decide. Where not, a run "
            "without spec.requestedBy gets no yes."
        ),
    ] = True
    unattended: Annotated[
        Literal["Refuse", "Ask"] | None,
        Field(
            description="What an ask becomes in a run that no person started: Refuse ends it at "
            "once, Ask waits. An Agent with a schedule must say it."
        ),
    ] = None

    @property
    def most_quorum(self) -> int:
        """Says how many persons an ask may need at most."""
        return max([self.quorum, *(each.quorum or 0 for each in self.rules)])
