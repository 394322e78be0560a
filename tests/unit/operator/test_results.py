"""The result document, the only word of an untrusted pod: what is taken of it fits the status."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.executions import ExecutionStatus
from heliostat_core.worlds import JsonValue
from heliostat_operator.runs.facts import Ended
from heliostat_operator.runs.results import EXIT_REASONS, parse_result
from heliostat_operator.runs.status import closed_attempt, with_attempt, with_result
from heliostat_runner.reasons import ENDINGS, Reason, Verdict
from heliostat_runner.result import Result, encode_result
from support.builders.pods import make_result
from support.builders.resources import NOW, make_attempt

TIME = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("reason", sorted(ENDINGS))
def test_every_document_that_the_runner_writes_is_understood(reason: Reason) -> None:
    ending = ENDINGS[reason]
    data = encode_result(Result(Verdict(reason, "Words."), TIME, TIME, text="x" * 9000))
    found = parse_result(data.decode())
    assert found is not None
    assert (found.reason, found.cause, found.truncated) == (reason, ending.cause, True)
    if found.cause is not None:
        assert EXIT_REASONS[ending.exit_code][1] == found.cause


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Killed",
        "[]",
        make_result("Succeeded", "Verified", "agent"),
        make_result("Failed", "AgentError", None),
        make_result("Failed", "not a reason", "agent"),
        make_result(version=2),
        make_result()[:-1],
    ],
)
def test_what_is_no_document_is_not_taken_for_one(message: str) -> None:
    assert parse_result(message) is None


numbers = st.one_of(st.integers(-5, 5), st.sampled_from([10**9, 10**9 + 1, 2**63]))
texts = st.text(max_size=10).map(lambda text: text * 200)


@given(
    second=numbers, lines=numbers, session=st.none() | texts, path=texts, marker=texts, words=texts
)
def test_what_is_taken_of_any_document_fits_the_status(
    second: int, lines: int, session: str | None, path: str, marker: str, words: str
) -> None:
    # The container can write what it likes; a status that the API server refuses is never written,
    # and the run would hang for ever.
    transcript: JsonValue = {"path": path, "lines": lines, "marker": marker}
    message = make_result(
        message=words,
        secondAttempts=second,
        sessionId=session,
        result=words,
        transcript=transcript,
    )
    document = parse_result(message)
    if document is None:
        return
    ended = Ended(document.reason, document.message, document.cause, 0, NOW, NOW, document)
    attempt = closed_attempt(make_attempt(), ended, NOW)
    status = with_result(with_attempt(ExecutionStatus(), attempt), attempt, ended)
    assert ExecutionStatus.model_validate(status.to_json()) == status
