"""A decision says what is to be done about a run, and what its status is then."""

from dataclasses import dataclass

from heliostat_core.executions import ExecutionStatus
from heliostat_operator.model.effects import Effect


@dataclass(frozen=True)
class Decision:
    """Actions to apply in order, then the status to write if it differs.

    `again_after` is in seconds; 0 asks for a further look at once, None for none: only when all is
    done, for what we write ourselves wakes nobody.
    """

    status: ExecutionStatus
    effects: tuple[Effect, ...] = ()
    again_after: float | None = None
