"""The canonical action: what a person is shown, and what its digest binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliostat_policy.actions import (
    CanonicalAction,
    NotCanonical,
    Operand,
    canonical_bytes,
    digest_of,
)

from ..jsonvalue import dump, text_at
from .document import GuardTerms
from .protocol import Question


class ProblemError(Exception):
    """The action cannot be put before a person; the text tells the agent why."""


@dataclass(frozen=True)
class Action:
    tool_use_id: str
    tool: str
    canonical: bytes
    digest: str
    cwd: str
    operands: tuple[Operand, ...]
    preview: str


def build_action(
    terms: GuardTerms, execution: str, question: Question, operands: Sequence[Operand]
) -> Action:
    """Raises ProblemError for an input that has no canonical form."""
    action = CanonicalAction(
        tool=question.tool,
        args=question.input,
        cwd=question.cwd,
        egress=terms.egress,
        operands=tuple(operands),
        workspace=terms.workspace,
        policy=terms.policy_version,
        execution=execution,
    )
    try:
        canonical = canonical_bytes(action)
    except NotCanonical as error:
        raise ProblemError(f"{error}. Write the call with plain text and numbers.") from error
    return Action(
        question.tool_use_id,
        question.tool,
        canonical,
        digest_of(canonical),
        question.cwd,
        tuple(operands),
        preview(question),
    )


def preview(question: Question) -> str:
    """The call in one line, for lists."""
    told = text_at(question.input, "command") or dump(question.input)
    return f"{question.tool}: {' '.join(told.split())}"
