"""Single decisions that the random histories pass by too seldom."""

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.names import FINISHED_LABEL, RUN_FINALIZER
from heliostat_operator.actions import ReleaseExecution, RevokeKey
from heliostat_operator.admission import Seats
from heliostat_operator.diagnosis import Facts
from heliostat_operator.ledgers import LedgerSum
from heliostat_operator.lifecycle import Decision, decide
from heliostat_operator.observations import Observation
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_spec,
    seconds,
)

SEATS = Seats(True, 0, 10, 0, 100, 0)


def look(
    execution: Execution, *, after: float = 0, facts: Facts | None = None, ledger: LedgerSum | None
) -> Decision:
    seen = Observation(None, make_spec(), SEATS, facts or Facts(None, None), ledger)
    return decide(execution, seen, NOW + seconds(after), make_settings())


def make_finished(*, revoked: bool = True, deleted: bool = False) -> Execution:
    attempt = make_attempt(start=NOW, end=NOW, reason="Verified", key_revoked=revoked)
    status = make_condition_status(
        attempt, succeeded="True", reason=FinishedReason.VERIFIED, settled="False"
    )
    return make_execution(
        status=status, finalizers=(RUN_FINALIZER,), deleted=NOW if deleted else None
    )


def test_a_finished_run_is_let_go_only_when_its_money_is_settled() -> None:
    waiting = look(make_finished(), ledger=LedgerSum(settled=False, requests=1))
    assert (waiting.actions, waiting.again_after) == ((), 1.0)
    done = look(make_finished(), ledger=LedgerSum(requests=1))
    assert (done.actions, done.again_after) == ((), 0)  # written first: a crash may follow
    written = make_finished().model_copy(update={"status": done.status})
    let_go = look(written, ledger=None)
    assert (let_go.actions, let_go.again_after) == ((ReleaseExecution(),), None)


def test_a_deleted_run_does_not_wait_for_its_money() -> None:
    assert look(make_finished(deleted=True), ledger=None).actions == (ReleaseExecution(),)


def test_a_gateway_that_stays_away_is_asked_less_and_less() -> None:
    waits = [look(make_finished(), after=after, ledger=None).again_after for after in (0, 40, 7200)]
    assert waits == [1.0, 10.0, 30.0]


def test_an_expired_key_holds_nothing_up_when_the_gateway_is_gone_for_good() -> None:
    execution = make_finished(revoked=False, deleted=True)
    held = look(execution, ledger=None)
    assert [type(each) for each in held.actions] == [RevokeKey]
    assert look(execution, after=90_000, ledger=None).actions == (ReleaseExecution(),)


def test_what_is_let_go_is_left_alone() -> None:
    execution = make_finished()
    settled = look(execution, ledger=LedgerSum(requests=1)).status
    meta = execution.metadata.model_copy(
        update={"finalizers": (), "labels": {FINISHED_LABEL: "true"}}
    )
    released = execution.model_copy(update={"metadata": meta, "status": settled})
    decision = look(released, after=60, ledger=None)
    assert (decision.status, decision.actions, decision.again_after) == (settled, (), None)
