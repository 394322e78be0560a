"""Why a secret can't be had, in words that name it and never its value."""

from dataclasses import dataclass
from enum import StrEnum


class SecretReason(StrEnum):
    """One word for programs; heliostat_core.conditions documents each."""

    REFUSED = "SecretRefused"
    MISSING = "SecretMissing"
    FORBIDDEN = "SecretForbidden"
    UNREACHABLE = "SecretManagerUnreachable"


@dataclass(frozen=True)
class SecretProblem:
    """What is wrong, and what to do."""

    reason: SecretReason
    message: str

    @property
    def may_pass(self) -> bool:
        """Whether it may be over by itself: what was read before holds for a while."""
        return self.reason is SecretReason.UNREACHABLE


class SecretUnavailableError(Exception):
    """The secret can't be had now."""

    def __init__(self, problem: SecretProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem
