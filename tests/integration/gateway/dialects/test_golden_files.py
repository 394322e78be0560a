"""The golden files of the unit tests are read by the official SDKs, not only by us."""

from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_json.objects import object_at
from support.golden import CALLERS, PROVIDERS, find_outputs, name_output, read_object
from support.sdk_types import check_answer, check_event, check_request
from support.streams import objects_of


def outputs(kind: str, targets: tuple[Dialect, ...], suffix: str = ".json") -> list[object]:
    """Each output of one kind, with the dialect that it is in."""
    return [
        pytest.param(path, target, id=name_output(path))
        for target in targets
        for path in find_outputs(kind, target, suffix)
    ]


@pytest.mark.parametrize(("path", "target"), outputs("requests", PROVIDERS))
def test_the_providers_sdk_would_send_it(path: Path, target: Dialect) -> None:
    told = read_object(path)
    if "refused" not in told:
        check_request(target, object_at(told, "document"))


@pytest.mark.parametrize(("path", "target"), outputs("answers", CALLERS))
def test_the_callers_sdk_reads_the_answer(path: Path, target: Dialect) -> None:
    told = read_object(path)
    if "malformed" not in told:
        check_answer(target, told)


@pytest.mark.parametrize(("path", "target"), outputs("streams", CALLERS, ".sse"))
def test_the_callers_sdk_reads_each_event(path: Path, target: Dialect) -> None:
    for document in objects_of(path.read_text()):
        check_event(target, document)
