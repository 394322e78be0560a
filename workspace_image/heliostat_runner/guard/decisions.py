"""Decides what the hook answers about one call. Pure: facts in, an answer with its reason out.

The order of the checks is the contract: what is refused is refused, whatever a person said; a call
that was decided is held to what was shown; only then does a call become an ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from heliostat_policy.classes import Decision
from heliostat_policy.rules import Verdict

from . import words
from .document import Choice, Decided, GuardTerms, Unattended
from .protocol import Question

LONGEST_INPUT = 512 * 1024
"""Bytes of an input as JSON: a call of a mebibyte is deferred and never found again."""


class Kind(Enum):
    PASS = auto()
    """No word of ours: Claude Code's own rules decide, and under dontAsk they deny."""
    ALLOW = auto()
    GRANT = auto()
    """Allowed by a person, once."""
    DENY = auto()
    TELL = auto()
    """Denied as it stands: the agent is told how to call again, or what was done already."""
    DEFER = auto()


@dataclass(frozen=True)
class Answer:
    kind: Kind
    words: str = ""
    code: str = ""
    """One word for the transcript."""


@dataclass(frozen=True)
class Case:
    """One call with what was found out about it."""

    question: Question
    verdict: Verdict
    root: str
    """The folder in which each process of the run begins."""
    is_listed: bool = True
    """tools.allow names it, or Claude Code needs no rule for it."""
    is_excluded: bool = False
    """tools.deny names it: Claude Code denies it by itself."""
    input_bytes: int = 0
    digest: str = ""
    """Of the canonical action; empty where it was not needed or could not be made."""
    linked: str = ""
    """The path to which a link leads, where the call would be held to stricter rules there."""
    problem: str = ""
    """Why the canonical action could not be made, for the agent."""


@dataclass(frozen=True)
class Progress:
    """What happened before in this attempt."""

    deferred: str = ""
    """The id of the call that this process has deferred."""
    used: frozenset[str] = frozenset()
    """Uids of Approvals whose grant is spent."""
    done: Mapping[str, str] = field(default_factory=dict)
    """Digests of actions that were carried out in this attempt, with what they gave."""


def needs_digest(terms: GuardTerms, case: Case) -> bool:
    """Whether the call is held to what was decided, or may become an ask."""
    if case.is_excluded or case.verdict.decision is Decision.REFUSE:
        return False
    decided = decided_call(terms, case.question) is not None
    return decided or case.verdict.decision is Decision.ASK


def decided_call(terms: GuardTerms, question: Question) -> Decided | None:
    """What was decided about the very call that was deferred."""
    own = (each for each in terms.decided if each.tool_use_id == question.tool_use_id)
    return next(own, None)


def decide(terms: GuardTerms, case: Case, progress: Progress, now: datetime) -> Answer:
    """What the hook answers in mode Enforce."""
    if case.is_excluded:
        return Answer(Kind.PASS)
    if progress.deferred:
        again = progress.deferred == case.question.tool_use_id
        return Answer(Kind.DEFER) if again else Answer(Kind.TELL, words.SIBLING, "sibling")
    if case.verdict.decision is Decision.REFUSE:
        return Answer(Kind.DENY, words.refused(case.verdict.words), case.verdict.reason)
    if case.linked:
        return Answer(Kind.TELL, words.linked(case.linked), "link")
    decided = decided_call(terms, case.question)
    if decided is not None:
        return _hold(decided, case, progress, now)
    if case.verdict.decision is Decision.ALLOW:
        return Answer(Kind.ALLOW if case.is_listed else Kind.PASS)
    return _done_before(terms, case, progress) or _ask(terms, case)


def _hold(decided: Decided, case: Case, progress: Progress, now: datetime) -> Answer:
    """The call that was deferred comes back with what was decided about it."""
    if decided.choice is Choice.DENY:
        return Answer(Kind.DENY, words.denied(decided.reason), "denied")
    if decided.choice is Choice.DONE:
        return Answer(Kind.TELL, words.done(decided.receipt), "done")
    if decided.approval in progress.used:
        return Answer(Kind.DENY, words.SPENT, "spent")
    if case.problem:
        return Answer(Kind.DENY, words.changed(case.problem), "changed")
    if case.digest != decided.digest:
        return Answer(Kind.DENY, words.changed(), "changed")
    if decided.expires is None or now >= decided.expires:
        return Answer(Kind.DENY, words.EXPIRED, "expired")
    return Answer(Kind.GRANT)


def _done_before(terms: GuardTerms, case: Case, progress: Progress) -> Answer | None:
    """The same action once more: it is answered by what it gave."""
    if case.digest in progress.done:
        return Answer(Kind.TELL, words.done(progress.done[case.digest]), "done")
    for each in terms.decided:
        if each.choice is Choice.DONE and each.digest == case.digest:
            return Answer(Kind.TELL, words.done(each.receipt), "done")
    return None


def _ask(terms: GuardTerms, case: Case) -> Answer:
    for is_hindered, kind, said, code in _HINDRANCES:
        if is_hindered(terms, case):
            return Answer(kind, said, code)
    if case.problem:
        return Answer(Kind.TELL, words.cannot_be_asked(case.problem), "problem")
    return Answer(Kind.DEFER)


_HINDRANCES: Sequence[tuple[Callable[[GuardTerms, Case], bool], Kind, str, str]] = (
    (lambda _, case: not case.is_listed, Kind.DENY, words.NOT_LISTED, "unlisted"),
    (
        lambda terms, _: terms.unattended is Unattended.REFUSE,
        Kind.DENY,
        words.UNATTENDED,
        "unattended",
    ),
    (lambda terms, _: not terms.can_ask, Kind.DENY, words.NO_STORAGE, "storage"),
    (lambda terms, _: terms.asks_left < 1, Kind.DENY, words.TOO_MANY, "asks"),
    (lambda _, case: case.question.in_sub_agent, Kind.TELL, words.SUB_AGENT, "subagent"),
    (lambda _, case: case.question.in_background, Kind.TELL, words.BACKGROUND, "background"),
    (lambda _, case: case.input_bytes > LONGEST_INPUT, Kind.TELL, words.TOO_LARGE, "large"),
    (lambda _, case: case.question.cwd != case.root, Kind.TELL, words.ELSEWHERE, "cwd"),
)
