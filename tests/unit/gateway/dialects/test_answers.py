"""Whole answers, case by case: golden files. In integration the callers' SDKs read them."""

from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError, StreamFaultError
from heliostat_gateway.dialects.translation import translate_answer
from heliostat_json.objects import JsonObject, object_at
from support.golden import CALLERS, PROVIDERS, asked_by, compare_object, find_cases, read_object

CASES = [
    pytest.param(case, source, target, id=f"{source}-{case.stem}-{target}")
    for source in PROVIDERS
    for case in find_cases("answers", source)
    for target in CALLERS
    if target is not source
]


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_an_answer_becomes_the_golden_one(case: Path, source: Dialect, target: Dialect) -> None:
    given = read_object(case)
    asked = asked_by(target, object_at(given, "asked"))
    compare_object(case, target, translated(object_at(given, "answer"), source, target, asked))


def translated(
    answer: JsonObject, source: Dialect, target: Dialect, asked: JsonObject
) -> JsonObject:
    """What comes out, or why nothing does."""
    try:
        return translate_answer(answer, source, target, asked, created=1_790_000_000)
    except MalformedAnswerError as error:
        return {"malformed": str(error)}


def test_an_error_with_a_good_status_is_a_fault() -> None:
    answer: JsonObject = {"error": {"code": 402, "message": "Out of credits"}}
    with pytest.raises(StreamFaultError) as raised:
        translate_answer(answer, Dialect.CHAT, Dialect.MESSAGES, asked_by(Dialect.MESSAGES))
    assert raised.value.fault.kind == "billing_error"
