"""Whatever is sent to a path of the OpenAPI: no failure of ours, and answers as it says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.adapter import OperationParameter, ResponsesContainer
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .gateway_process import GatewayProcess

DOCUMENT = Path(__file__).parents[3] / "docs" / "gateway.openapi.json"
SCHEMA = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
OPERATIONS = {
    each.ok().label: each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)
}
ADMIN_KEY = "the-admin-key-of-this-test-and-of-no-other"
AnyCase = Case[APIOperation[OperationParameter, ResponsesContainer[object], object, BaseSchema]]
EXAMPLES = 10  # for each operation: as many that fit its schema, and as many that do not


@dataclass(frozen=True)
class Fuzzed:
    """A gateway where every model name is answered, and a key for its models."""

    url: str
    key: str
    session: requests.Session


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "admin-key").write_text(ADMIN_KEY)
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    gateway.start(
        HELIOSTAT_GATEWAY_DEFAULT_PROVIDER="scripted",
        HELIOSTAT_GATEWAY_ADMIN_KEY_FILE=str(folder / "admin-key"),
    )
    with requests.Session() as session:
        yield Fuzzed(gateway.url, gateway.key("fuzzed", seconds=3600), session)
    log = gateway.log.read_text()
    gateway.kill()
    assert "Traceback" not in log


# What takes nothing can't be given anything wrong.
ASKED = [
    pytest.param(label, mode, id=f"{label}-{mode}")
    for label, operation in OPERATIONS.items()
    for mode in GenerationMode
    if mode.is_positive or operation.body or [*operation.iter_parameters()]
]


@pytest.mark.parametrize(("label", "mode"), ASKED)
def test_no_failure_of_ours(fuzzed: Fuzzed, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    key = ADMIN_KEY if operation.path.startswith("/admin") else fuzzed.key

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # one that is not the smallest is found in a tenth of the time
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: AnyCase) -> None:
        response = case.call(
            fuzzed.url,
            session=fuzzed.session,
            headers={"authorization": f"Bearer {key}"},
            timeout=20,
        )
        assert response.status_code < 500, response.text
        case.validate_response(
            response,
            checks=[status_code_conformance, content_type_conformance, response_schema_conformance],
        )

    ask()
