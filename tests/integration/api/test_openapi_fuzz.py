"""Whatever is sent to a path of the OpenAPI: no failure of ours, and answers as it says."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from schemathesis import Case, GenerationMode
from schemathesis.core.adapter import OperationParameter, ResponsesContainer
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from uvicorn import Config

from heliostat_api.main import create_app
from heliostat_api.serving.server import ApiServer
from support.local_api import ORIGIN, api_place, session_headers
from support.played_gateway import PlayedGateway

DOCUMENT = Path(__file__).parents[3] / "api" / "openapi.json"
RAW = json.loads(DOCUMENT.read_text())
SCHEMA = schemathesis.openapi.from_dict(RAW)
LEAVING = "DELETE /api/me"
ENDLESS = "GET /agent/reports/stream"
OPERATIONS = {
    each.ok().label: each.ok()
    for each in SCHEMA.get_all_operations()
    if isinstance(each, Ok) and each.ok().label != ENDLESS
}
AnyCase = Case[APIOperation[OperationParameter, ResponsesContainer[object], object, BaseSchema]]
EXAMPLES = 10  # for each operation: as many that fit its schema, and as many that do not
READY_SECONDS = 30


@dataclass(frozen=True)
class Fuzzed:
    """An api with a person's session."""

    url: str
    session: requests.Session

    def make_agent(self) -> str:
        """The id of an agent that is there, and could run."""
        body: dict[str, JsonValue] = {"name": "Sales", "spec": {"prompt": "Add up."}}
        answer = self.session.post(f"{self.url}/api/agents", json=body, timeout=20)
        return str(answer.json()["agent"])

    def make_execution(self) -> str:
        """The uid of a run."""
        answer = self.session.post(f"{self.url}/api/samples/hello", timeout=20)
        return str(answer.json()["execution"])


class Served:
    """The api in a thread of its own, as long as the block runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._server: ApiServer | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(READY_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(READY_SECONDS)
        self._socket.close()

    async def _serve(self) -> None:
        async with api_place(self._folder) as place:
            around = replace(place.surroundings(), gateway=PlayedGateway().place)
            self._server = ApiServer(Config(create_app(around), log_level="error", ws="none"))
            self._ready.set()  # the socket listens already: who asks now waits
            await self._server.serve([self._socket])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with Served(tmp_path_factory.mktemp("fuzzed")) as served, requests.Session() as session:
        session.headers.update(session_headers())
        session.headers["Host"] = ORIGIN.removeprefix("http://")
        yield Fuzzed(served.url, session)


def test_every_operation_is_asked() -> None:
    methods = {"get", "put", "post", "delete", "patch"}
    documented = {
        f"{method.upper()} {path}"
        for path, found in RAW["paths"].items()
        for method in found
        if method in methods
    }
    assert OPERATIONS.keys() | {ENDLESS} == documented, "what could not be read is not fuzzed"


def can_be_wrong(label: str) -> bool:
    """Not what takes nothing but ids: an id may be any text."""
    method, path = label.split()
    operation = RAW["paths"][path][method.lower()]
    given = operation.get("parameters", [])
    return "requestBody" in operation or any(
        each["in"] != "path" or each["schema"].get("type") != "string" for each in given
    )


ASKED = [
    pytest.param(label, mode, id=f"{label}-{mode}")
    for label in sorted(OPERATIONS, key=lambda label: label == LEAVING)  # nobody is there after it
    for mode in sorted(GenerationMode, key=lambda mode: mode.is_positive)
    if mode.is_positive or can_be_wrong(label)
]


@pytest.mark.parametrize(("label", "mode"), ASKED)
def test_no_failure_of_ours(fuzzed: Fuzzed, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    there = {"agent_id": fuzzed.make_agent(), "uid": fuzzed.make_execution()}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # one that is not the smallest is found in a tenth of the time
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), is_known=st.booleans())
    def ask(case: AnyCase, is_known: bool) -> None:
        headers = {}
        if is_known:
            known = {name: each for name, each in there.items() if name in case.path_parameters}
            case.path_parameters.update(known)
            headers = {"If-Match": "*"}
        response = case.call(fuzzed.url, session=fuzzed.session, headers=headers, timeout=20)
        assert response.status_code < 500, response.text
        case.validate_response(
            response,
            checks=[status_code_conformance, content_type_conformance, response_schema_conformance],
        )

    ask()
