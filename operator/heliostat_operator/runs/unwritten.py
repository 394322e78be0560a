"""Jobs that this operator made and has not written down yet; see `status.names_due`."""

from dataclasses import dataclass

from heliostat_core.executions import Attempt, Execution, ExecutionStatus
from heliostat_operator.runs.seats import Key


@dataclass(frozen=True)
class _Made:
    """An attempt whose Job's uid is known, of the Execution with that uid."""

    uid: str
    attempt: Attempt

    def is_news_for(self, execution: Execution) -> bool:
        last = execution.current_attempt
        return (
            execution.metadata.uid == self.uid
            and last is not None
            and last.number == self.attempt.number
            and last.job_uid is None
        )


class Unwritten:
    """Without it, a Job that somebody deletes before its uid is written would be made again."""

    def __init__(self) -> None:
        self._made: dict[Key, _Made] = {}

    def keep(self, execution: Execution, status: ExecutionStatus) -> None:
        """The status is not written now; its last attempt has a Job."""
        self._made[_key(execution)] = _Made(execution.metadata.uid, status.attempts[-1])

    def forget(self, key: Key) -> None:
        self._made.pop(key, None)

    def recall(self, execution: Execution) -> Execution:
        """The Execution with what its status does not say yet."""
        made = self._made.get(_key(execution))
        if made is None:
            return execution
        if not made.is_news_for(execution):
            self.forget(_key(execution))
            return execution
        status = execution.status
        last = status.attempts[-1].model_copy(update={"job_uid": made.attempt.job_uid})
        status = status.model_copy(update={"attempts": (*status.attempts[:-1], last)})
        return execution.model_copy(update={"status": status})


def _key(execution: Execution) -> Key:
    return (execution.metadata.namespace, execution.metadata.name)
