"""Reads what a decision needs about the asks of a run."""

from datetime import datetime, timedelta

from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution
from heliostat_core.worlds import APPROVAL, Ref, UnavailableError, World
from heliostat_operator.gateway.actions import ActionClient, ActionsUnavailableError
from heliostat_operator.runs.attempts import AttemptObserver
from heliostat_operator.runs.facts import NOTHING_LEFT, Facts, Leftover
from heliostat_operator.runs.results import AskedAction, parse_result

_API_PATIENCE = timedelta(minutes=5)


class AskObserver:
    """Reads the Approval of a run's first unresolved ask, and what its last attempt left."""

    def __init__(
        self, world: World, attempts: AttemptObserver, actions: ActionClient | None = None
    ) -> None:
        """Without an api there are no `actions` that did not fit their result document."""
        self._world = world
        self._attempts = attempts
        self._actions = actions

    async def look(self, execution: Execution) -> tuple[Approval | None, Leftover]:
        """Nothing is read of a run that never asked, or that has ended."""
        if not execution.status.asks or execution.is_finished:
            return None, NOTHING_LEFT
        return await self._approval(execution), await self._left(execution)

    async def _approval(self, execution: Execution) -> Approval | None:
        """None where it is gone, and where one of that name is of another run or action."""
        ask = execution.unresolved_ask
        if ask is None:
            return None
        found = await self._world.get(Ref(APPROVAL, execution.metadata.namespace, ask.name))
        approval = Approval.model_validate(found) if found else None
        if approval is None or not approval.metadata.is_owned_by(execution.metadata.uid):
            return None
        return approval if approval.spec.action.digest == ask.digest else None

    async def _left(self, execution: Execution) -> Leftover:
        last = execution.current_attempt
        waits = execution.unresolved_ask is not None or (last and last.cause == "approval")
        if last is None or not last.is_over or not waits:
            return NOTHING_LEFT
        return await self._attempts.leftover(execution)

    async def action(self, execution: Execution, facts: Facts, now: datetime) -> bytes | None:
        """The canonical action that an attempt asks for, where it lies with the api."""
        attempt, ended = execution.current_attempt, facts.terminated
        result = parse_result(ended.message) if ended else None
        ask = result.ask if result else None
        if self._actions is None or attempt is None or not isinstance(ask, AskedAction):
            return None
        if ask.action is not None or not ask.complete:
            return None
        try:
            return await self._actions.read(execution, attempt.number, ask.digest)
        except ActionsUnavailableError as error:
            since = (ended.finished_at if ended else None) or now
            if now - since < _API_PATIENCE:
                raise UnavailableError(str(error)) from error
            return None  # people see that it can't be shown, and can deny it
