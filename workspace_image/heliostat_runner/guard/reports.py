"""What the guard tells in the result document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..jsonvalue import JsonObject

INLINE_BYTES = 2500
"""A canonical action of so many bytes is in the result document; a longer one goes to the api."""
_SHOWN_CALLS = 5


class Outcome(StrEnum):
    COMMITTED = "Committed"
    """The hook said allow, and nothing came back."""
    DONE = "Done"
    FAILED = "Failed"


@dataclass(frozen=True)
class Receipt:
    approval: str
    digest: str
    outcome: Outcome
    text: str = ""


@dataclass(frozen=True)
class Ask:
    """The action that waits for a person."""

    tool_use_id: str
    tool: str
    digest: str
    canonical: bytes
    preview: str
    is_taken: bool = False
    """The api has the whole canonical action."""

    @property
    def fits(self) -> bool:
        return len(self.canonical) <= INLINE_BYTES


@dataclass(frozen=True)
class UnaskedCall:
    """A call that would have waited for a person in mode Enforce."""

    tool: str
    action_class: str
    target: str

    def to_json(self) -> JsonObject:
        return {"tool": self.tool, "class": self.action_class, "target": self.target}


@dataclass(frozen=True)
class GuardReport:
    ask: Ask | None = None
    receipts: tuple[Receipt, ...] = ()
    denied: int = 0
    unused: str = ""
    """Why an approved action did not begin, in one word."""
    would_ask: tuple[UnaskedCall, ...] = ()
    would_ask_count: int = 0


def shown_calls(calls: Sequence[UnaskedCall]) -> tuple[UnaskedCall, ...]:
    """The first of each kind, a few."""
    return tuple(dict.fromkeys(calls))[:_SHOWN_CALLS]
