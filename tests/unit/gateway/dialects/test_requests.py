"""Requests, case by case: golden files. In integration the providers' SDKs read them."""

from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.translation import translate_request
from heliostat_json.objects import JsonObject
from support.golden import (
    CALLERS,
    PROVIDERS,
    compare_object,
    find_cases,
    name_case,
    read_object,
)

CASES = [
    pytest.param(case, source, target, id=f"{source}-{case.stem}-{target}")
    for source in CALLERS
    for case in find_cases("requests", source)
    for target in PROVIDERS
    if target is not source
]


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_a_request_becomes_the_golden_one(case: Path, source: Dialect, target: Dialect) -> None:
    compare_object(case, target, translated(read_object(case), source, target))


def translated(document: JsonObject, source: Dialect, target: Dialect) -> JsonObject:
    """What comes out, or what the caller is told."""
    try:
        found = translate_request(document, source, target, "target-model")
    except UntranslatableError as refusal:
        return {"refused": {"field": refusal.field, "message": refusal.message}}
    return {"document": found.document, "dropped": list(found.dropped)}


@pytest.mark.parametrize("source", CALLERS, ids=name_case)
def test_every_golden_file_belongs_to_a_case(source: Dialect) -> None:
    cases = find_cases("requests", source)
    targets = [target for target in PROVIDERS if target is not source]
    expected = {f"{case.stem}.{target}.json" for case in cases for target in targets}
    present = {path.name for path in cases[0].parent.iterdir()}
    assert present == expected | {case.name for case in cases}


@pytest.mark.parametrize(
    ("source", "target"),
    [(Dialect.GEMINI, Dialect.CHAT), (Dialect.CHAT, Dialect.CHAT)],
)
def test_what_needs_no_translation_gets_none(source: Dialect, target: Dialect) -> None:
    with pytest.raises(ValueError, match="nothing is translated"):
        translate_request({}, source, target, "m")
