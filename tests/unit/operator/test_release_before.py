"""In an upgrade the new operator writes while the CRDs are those of the release before."""

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from heliostat_core.agents import AgentStatus
from heliostat_core.executions import ExecutionStatus
from heliostat_core.worlds import JsonObject, JsonValue
from support.builders.resources import make_attempt

PREVIOUS = max((Path(__file__).parents[2] / "e2e" / "previous").glob("heliostat-*.tgz"))


def schema_before(plural: str) -> JsonObject:
    """The schema of a kind's status as the release before declares it."""
    with tarfile.open(PREVIOUS) as chart:
        file = chart.extractfile(f"heliostat/files/crds/{plural}.heliostat.dev.yaml")
        assert file is not None
        crd = yaml.safe_load(file)
    status: JsonObject = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
        "status"
    ]
    return status


def unknown(value: JsonValue, schema: JsonValue, path: str = "status") -> Iterator[str]:
    """The fields of a value that a schema does not declare."""
    assert isinstance(schema, Mapping)
    if isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from unknown(each, schema["items"], f"{path}[]")
    properties = schema.get("properties")
    if not isinstance(value, Mapping) or not isinstance(properties, Mapping):
        return
    for name, each in value.items():
        if name in properties:
            yield from unknown(each, properties[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}"


@pytest.mark.parametrize(
    ("plural", "status"),
    [
        ("executions", ExecutionStatus(attempts=(make_attempt(),))),
        ("agents", AgentStatus()),
    ],
)
def test_an_ordinary_status_is_one_that_the_release_before_knows(
    plural: str, status: ExecutionStatus | AgentStatus
) -> None:
    """A field whose default was written stopped every run until the CRDs were new, too."""
    assert not list(unknown(status.to_json(), schema_before(plural)))
