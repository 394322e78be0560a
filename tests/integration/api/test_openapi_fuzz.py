"""Whatever is sent to a path of the OpenAPI: no failure of ours, and answers as it says."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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

from heliostat_api.app.main import create_app
from heliostat_api.app.server import ApiServer
from heliostat_api.base.person import LOCAL
from heliostat_api.documents.port import OWNER, Put
from heliostat_api.ingest.endpoints import ingest
from heliostat_api.web.problems import DescribedApp
from support.deliveries import Signer, make_claims
from support.local_api import ORIGIN, api_place, session_headers
from support.played_gateway import PlayedGateway

Operation = APIOperation[OperationParameter, ResponsesContainer[object], object, BaseSchema]
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


def read_ingest() -> dict[str, Operation]:
    """What runs deliver by; the api's document leaves it out."""
    app = DescribedApp()
    app.include_router(ingest)
    found = schemathesis.openapi.from_dict(app.openapi()).get_all_operations()
    return {each.ok().label: each.ok() for each in found if isinstance(each, Ok)}


INGEST = read_ingest()
AnyCase = Case[Operation]
CONVERSATIONS = tuple(f"known-{number}" for number in range(20))
"""One for each operation that names one: some take it away."""
ODD_LINES = (b"{}", b"", b"[1]", b"\xff", b'{"a":1e999}', b'{"a":"\\ud800"}', b"{" * 2000)
NAMES = re.compile(r"\{(\w+)\}")
EXAMPLES = 10  # for each operation: as many that fit its schema, and as many that do not
READY_SECONDS = 30


@dataclass(frozen=True)
class Fuzzed:
    """An api with a person's session."""

    url: str
    session: requests.Session
    signer: Signer
    conversations: Iterator[str] = field(default_factory=lambda: iter(CONVERSATIONS))

    def known(self, names: Iterable[str]) -> dict[str, str]:
        """Parameters of a path that lead to something that is there."""
        makers: Mapping[str, Callable[[], str]] = {
            "agent_id": self.make_agent,
            "uid": self.make_execution,
            "other": self.make_execution,
            "conversation_id": lambda: next(self.conversations),
            "key_id": self.make_key,
            "webhook_id": self.make_webhook,
        }
        return {name: makers[name]() for name in names if name in makers}

    def make_agent(self) -> str:
        """The id of an agent that is there, and could run."""
        return str(self._make("agents", {"name": "Sales", "spec": {"prompt": "Add up."}})["agent"])

    def make_execution(self) -> str:
        """The uid of a run."""
        return str(self._make("samples/hello", {})["execution"])

    def make_key(self) -> str:
        return str(self._make("keys", {"name": "k", "scopes": ["api"]})["key"]).rpartition("_")[0]

    def make_webhook(self) -> str:
        return str(self._make("webhooks", {"url": "https://1.1.1.1/"})["id"])

    def _make(self, path: str, body: JsonValue) -> Mapping[str, JsonValue]:
        answer = self.session.post(f"{self.url}/api/{path}", json=body, timeout=20)
        assert answer.ok, answer.text
        made: dict[str, JsonValue] = answer.json()
        return made


class Served:
    """The api in a thread of its own, as long as the block runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._server: ApiServer | None = None
        self.signer = Signer(folder / "keys")
        self.signer.publish()
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
            for each in CONVERSATIONS:
                await place.documents.commit(
                    Put(f"conversations/{each}", {OWNER: LOCAL.id, "createdAt": place.clock()})
                )
            dependencies = replace(
                place.dependencies(), gateway=PlayedGateway().place, keys_dir=self.signer.folder
            )
            self._server = ApiServer(Config(create_app(dependencies), log_level="error", ws="none"))
            self._ready.set()  # the socket listens already: who asks now waits
            await self._server.serve([self._socket])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with Served(tmp_path_factory.mktemp("fuzzed")) as served, requests.Session() as session:
        session.headers.update(session_headers())
        session.headers["Host"] = ORIGIN.removeprefix("http://")
        yield Fuzzed(served.url, session, served.signer)


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


EXAMPLED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # one that is not the smallest is found in a tenth of the time
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("label", sorted(INGEST))
def test_no_failure_of_ours_whatever_a_run_delivers(
    fuzzed: Fuzzed, label: str, mode: GenerationMode
) -> None:
    uid = fuzzed.make_execution()
    key = fuzzed.signer.sign(make_claims(uid, issued=datetime.now(UTC)))
    headers = {"Authorization": f"Bearer {key}"}
    bodies = st.lists(st.sampled_from(ODD_LINES)).map(b"\n".join)

    @EXAMPLED
    @given(case=INGEST[label].as_strategy(mode), body=bodies)
    def ask(case: AnyCase, body: bytes) -> None:
        case.path_parameters.update(uid=uid, attempt=1)
        sending = fuzzed.session
        if "requestBody" in case.operation.definition.raw:
            answer = case.call(fuzzed.url, session=sending, headers=headers, timeout=20)
        else:
            answer = case.call(fuzzed.url, session=sending, headers=headers, timeout=20, data=body)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=[status_code_conformance])

    ask()


@pytest.mark.parametrize(("label", "mode"), ASKED)
def test_no_failure_of_ours(fuzzed: Fuzzed, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    there = fuzzed.known(NAMES.findall(label))

    @EXAMPLED
    @given(case=operation.as_strategy(mode), is_known=st.booleans())
    def ask(case: AnyCase, is_known: bool) -> None:
        headers = {}
        if is_known:
            case.path_parameters.update(there)
            headers = {"If-Match": "*"}
        response = case.call(fuzzed.url, session=fuzzed.session, headers=headers, timeout=20)
        assert response.status_code < 500, response.text
        case.validate_response(
            response,
            checks=[status_code_conformance, content_type_conformance, response_schema_conformance],
        )

    ask()
