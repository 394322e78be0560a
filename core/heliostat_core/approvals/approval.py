"""The Approval resource: an action that a run asks for, what people decide, what comes of it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.resources import (
    Instant,
    ObjectMeta,
    ObjectName,
    Part,
    ShortText,
    keyed_by,
    rules,
)
from heliostat_policy.classes import ActionClass

MOST_QUORUM = 9
MOST_DECISIONS = 32
MOST_FACTS = 64
MOST_VALUE = 65_536

Digest = Annotated[
    str, StringConstraints(min_length=71, max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")
]
"""Of the canonical form of an action (RFC 8785)."""

By = Annotated[str, StringConstraints(min_length=1, max_length=512)]
"""Who decided: the name that the API server knows, or `heliostat:` with a person of the api."""


class ApprovalState(StrEnum):
    """How far an ask is. Those of `OPEN` may still change."""

    PENDING = "Pending"
    GRANTED = "Granted"
    CLAIMED = "Claimed"
    DONE = "Done"
    DENIED = "Denied"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"
    OUTCOME_UNKNOWN = "OutcomeUnknown"


OPEN = (ApprovalState.PENDING, ApprovalState.GRANTED, ApprovalState.CLAIMED)
"""States in which somebody else may not delete the ask: the action could be asked for, and run,
once more."""


class ExecutionRef(Part):
    """The run that asks."""

    name: Annotated[ObjectName, Field(description="Name of an Execution in the same namespace.")]
    uid: Annotated[
        str, StringConstraints(min_length=1, max_length=64), Field(description="Its uid.")
    ]


class Fact(Part):
    """One thing that is true of the action, as data: a page has the words for it."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z][A-Za-z0-9]*$"),
        Field(description="What is told, for example host, path, size or sha256."),
    ]
    value: Annotated[
        str, StringConstraints(max_length=MOST_VALUE), Field(description="Its value, whole.")
    ]


class Action(Part):
    """What would happen, exactly."""

    tool: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256),
        Field(description="The tool that would do it, for example Bash or mcp__crm__send."),
    ]
    class_: Annotated[ActionClass, Field(alias="class", description="What kind of thing it does.")]
    target: Annotated[
        str,
        StringConstraints(max_length=1024),
        Field(description="Where to: a host, a path or an address; empty when nothing says it."),
    ] = ""
    digest: Annotated[
        Digest, Field(description="Of the whole action: whoever decides names it, too.")
    ]
    facts: Annotated[
        tuple[Fact, ...],
        Field(
            max_length=MOST_FACTS,
            description="What is known of it, as data.",
            json_schema_extra=keyed_by("name"),
        ),
    ] = ()
    complete: Annotated[
        bool,
        Field(
            description="Whether the whole action can be shown. What can't be shown can only be "
            "denied."
        ),
    ] = False


class Decision(Part):
    """One person's word."""

    by: Annotated[By, Field(description="Who decides; it must be the caller's own name.")]
    decision: Annotated[Literal["Approve", "Deny"], Field(description="Yes or no.")]
    digest: Annotated[Digest, Field(description="The digest that was shown.")]
    reason: Annotated[
        str, StringConstraints(max_length=1024), Field(description="Why; the agent is told.")
    ] = ""


class Resolution(Part):
    """What a person found out about an action of which nobody knew whether it happened."""

    by: Annotated[By, Field(description="Who says so; it must be the caller's own name.")]
    outcome: Annotated[
        Literal["Happened", "DidNotHappen"], Field(description="Whether the action took place.")
    ]
    reason: Annotated[
        str, StringConstraints(max_length=1024), Field(description="How that is known.")
    ] = ""


_ASKED = ("executionRef", "action", "quorum", "expiresTime", "requesterMayApprove")


class ApprovalSpec(Part):
    """What is asked, and what people said. Only `decisions` and `resolution` may be added."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                (f"self.{name} == oldSelf.{name}", f"{name} must stay as it was asked")
                for name in _ASKED
            ),
            (
                "!has(oldSelf.resolution) || "
                "(has(self.resolution) && self.resolution == oldSelf.resolution)",
                "resolution must stay as it was said",
            ),
        )
    )

    execution_ref: Annotated[ExecutionRef, Field(description="The run that asks.")]
    action: Annotated[Action, Field(description="What would happen.")]
    quorum: Annotated[
        int, Field(ge=1, le=MOST_QUORUM, description="How many persons must say yes.")
    ] = 1
    expires_time: Annotated[
        Instant, Field(description="Without enough yes by then, the answer is no.")
    ]
    requester_may_approve: Annotated[
        bool, Field(description="Whether the person who started the run may decide.")
    ] = True
    decisions: Annotated[
        tuple[Decision, ...],
        Field(
            max_length=MOST_DECISIONS,
            description="One a person; a decision stays as it was made.",
            json_schema_extra=keyed_by("by"),
        ),
    ] = ()
    resolution: Annotated[
        Resolution | None,
        Field(description="Of an ask whose state is OutcomeUnknown: what a person found out."),
    ] = None


class Claim(Part):
    """Which attempt may do it: no other does."""

    attempt: Annotated[int, Field(ge=1, le=1000, description="Number of the attempt.")]
    time: Annotated[Instant, Field(description="When it was claimed.")]


class Receipt(Part):
    """What came of it."""

    time: Annotated[Instant, Field(description="When it was told.")]
    source: Annotated[
        Literal["Pod", "Broker", "Person"],
        Field(description="Whose word it is: the pod's own, the broker's, or a person's."),
    ]
    text: Annotated[ShortText, Field(description="What came of it.")] = ""


class ApprovalStatus(Part):
    """How far it is; only the operator writes it."""

    state: Annotated[ApprovalState | None, Field(description="How far the ask is.")] = None
    reason: Annotated[
        str, StringConstraints(max_length=64), Field(description="Why, as one word.")
    ] = ""
    message: Annotated[ShortText, Field(description="The same, for people, with the remedy.")] = ""
    api_only: Annotated[
        bool,
        Field(
            description="True if the admission policy heliostat-approvals was found not to be in "
            "force while it waited: then only the api's decisions count."
        ),
    ] = False
    decided_time: Annotated[
        Instant | None, Field(description="When it was granted, denied or ended otherwise.")
    ] = None
    counted: Annotated[
        tuple[By, ...],
        Field(max_length=MOST_DECISIONS, description="Whose yes counts."),
    ] = ()
    claim: Annotated[Claim | None, Field(description="Which attempt may do it.")] = None
    receipt: Annotated[Receipt | None, Field(description="What came of it.")] = None


class Approval(Part):
    """One action that waits for a person."""

    api_version: str = "heliostat.dev/v1alpha1"
    kind: Literal["Approval"] = "Approval"
    metadata: ObjectMeta
    spec: ApprovalSpec
    status: ApprovalStatus = ApprovalStatus()

    @property
    def state(self) -> ApprovalState:
        """One that nobody has looked at yet is pending."""
        return self.status.state or ApprovalState.PENDING
