"""Single decisions that the random histories pass by too seldom."""

from base64 import b64decode

import pytest
from pydantic import SecretStr

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.names import FINISHED_LABEL, RUN_FINALIZER
from heliostat_google.problems import SecretProblem, SecretReason
from heliostat_operator.builders.run_secrets import build_run_document, build_secret
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.model.effects import ReleaseExecution, RevokeKey, StartAttempt
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

SEATS = make_slots()


def look(
    execution: Execution,
    *,
    after: float = 0,
    facts: Facts | None = None,
    ledger: LedgerSum | None,
    spec: AgentSpec | None = None,
) -> Decision:
    seen = Observation(None, spec or make_spec(), SEATS, facts or Facts(None, None), ledger)
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
    assert (waiting.effects, waiting.again_after) == ((), 1.0)
    done = look(make_finished(), ledger=LedgerSum(requests=1))
    assert (done.effects, done.again_after) == ((), 0)  # written first: a crash may follow
    written = make_finished().model_copy(update={"status": done.status})
    let_go = look(written, ledger=None)
    release = ReleaseExecution(written.status.attempts)  # their Jobs and pods are marked, too
    assert (let_go.effects, let_go.again_after) == ((release,), None)


def test_a_deleted_run_does_not_wait_for_its_money() -> None:
    assert look(make_finished(deleted=True), ledger=None).effects == (ReleaseExecution(),)


def test_a_gateway_that_stays_away_is_asked_less_and_less() -> None:
    waits = [look(make_finished(), after=after, ledger=None).again_after for after in (0, 40, 7200)]
    assert waits == [1.0, 10.0, 30.0]


def test_an_expired_key_holds_nothing_up_when_the_gateway_is_gone_for_good() -> None:
    execution = make_finished(revoked=False, deleted=True)
    held = look(execution, ledger=None)
    assert [type(each) for each in held.effects] == [RevokeKey]
    assert look(execution, after=90_000, ledger=None).effects == (ReleaseExecution(),)


def test_what_is_let_go_is_left_alone() -> None:
    execution = make_finished()
    settled = look(execution, ledger=LedgerSum(requests=1)).status
    meta = execution.metadata.model_copy(
        update={"finalizers": (), "labels": {FINISHED_LABEL: "true"}}
    )
    released = execution.model_copy(update={"metadata": meta, "status": settled})
    decision = look(released, after=60, ledger=None)
    assert (decision.status, decision.effects, decision.again_after) == (settled, (), None)


@pytest.mark.parametrize(
    ("storage", "same"), [({"type": "Volume", "size": "1Gi"}, True), ({"type": "Ephemeral"}, False)]
)
def test_the_record_of_a_further_attempt_names_the_session_that_it_runs(
    storage: dict[str, str], same: bool
) -> None:
    spec = make_spec(workspace={"storage": storage})
    lost = make_attempt(
        start=NOW,
        end=NOW,
        reason="Evicted",
        cause="infrastructure",
        session_id="first",
        key_revoked=True,
    )
    waiting = make_execution(status=make_condition_status(lost), finalizers=(RUN_FINALIZER,))
    planned = look(waiting, after=60, ledger=None, spec=spec)
    second = planned.status.attempts[1]
    assert (second.session_id == "first") == same
    begun = waiting.model_copy(update={"status": planned.status})
    [start] = look(begun, after=60, ledger=None, spec=spec).effects
    assert isinstance(start, StartAttempt)
    assert start.resume_session == ("first" if same else None)


def admit(execution: Execution, agent: Agent, vaulted: ResolvedSecrets = NOTHING) -> Decision:
    seen = Observation(agent, None, SEATS, Facts(None, None), None, vaulted=vaulted)
    return decide(execution, seen, NOW, make_settings())


VALUE = "\u00e9" * 4096  # of 8192 bytes, as long as one may be


def test_a_prompt_that_no_secret_can_carry_is_refused_at_admission() -> None:
    agent = make_agent(prompt="${parameters.a} " * 200)
    execution = make_execution(parameters=[{"name": "a", "value": VALUE}])
    decision = admit(execution, agent)
    ended = execution.model_copy(update={"status": decision.status})
    assert (ended.finished_reason, decision.effects) == ("PromptTooLong", ())
    [message] = [each.message for each in decision.status.conditions if each.type == "Succeeded"]
    assert "spec.parameters 8192, spec.input 0" in message
    assert len(message) <= 1024


@pytest.mark.parametrize(("count", "is_admitted"), [(15, True), (16, False)])
def test_values_of_secret_manager_count_as_well(count: int, is_admitted: bool) -> None:
    values = {f"TOKEN_{number}": SecretStr(VALUE * 8) for number in range(count)}
    decision = admit(make_execution(), make_agent(), ResolvedSecrets(values))
    assert bool(decision.status.attempts) == is_admitted
    if not is_admitted:
        [told] = [each.message for each in decision.status.conditions if each.type == "Succeeded"]
        assert f"values of Secret Manager {16 * 65536}; a Secret carries" in told


def test_the_longest_prompt_that_is_admitted_fits_a_secret() -> None:
    most = 0
    for times in range(60, 140):
        agent = make_agent(prompt="${parameters.a}" * times)
        execution = make_execution(input="x" * 65_536, parameters=[{"name": "a", "value": VALUE}])
        decision = admit(execution, agent)
        if not decision.status.attempts:
            break
        [attempt] = decision.status.attempts
        start = StartAttempt(attempt, agent.spec, 3600, None)
        document = build_run_document(execution, start, make_settings())
        secret = build_secret(execution, attempt, document, "k" * 2000)
        data = secret["data"]
        assert isinstance(data, dict)
        most = max(most, sum(len(b64decode(str(each))) for each in data.values()))
    assert 1_000_000 < most <= 1_048_576


def test_an_attempt_whose_secret_was_taken_away_waits_and_is_not_lost() -> None:
    """Between two attempts a label or a role may go: the run holds on until it is back."""
    status = make_condition_status(make_attempt(), succeeded="Unknown", reason="Active")
    execution = make_execution(status=status)
    problem = SecretProblem(SecretReason.REFUSED, "Secret crm is not given to namespace 'default'.")
    held = start_with(execution, ResolvedSecrets(problem=problem))
    assert held.effects == ()
    (block,) = held.status.blocked_by
    assert (block.reason, block.message) == (SecretReason.REFUSED, problem.message)
    assert held.again_after == 30.0
    (start,) = start_with(execution, ResolvedSecrets({"TOKEN": SecretStr("value")})).effects
    assert isinstance(start, StartAttempt)
    assert start.secrets["TOKEN"].get_secret_value() == "value"
    assert "value" not in repr(start)


def start_with(execution: Execution, vaulted: ResolvedSecrets) -> Decision:
    seen = Observation(None, make_spec(), SEATS, Facts(None, None), None, vaulted=vaulted)
    return decide(execution, seen, NOW, make_settings())
