"""api/firestore/firestore.rules: nobody gets around the api."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from support.firestore_emulator import FirestoreEmulator, NoEmulatorError, run_firestore
from tools.machine import ROOT

RULES = ROOT / "api" / "firestore" / "firestore.rules"
DOCUMENTS = "v1/projects/test-rules/databases/(default)/documents"
BODY = {"fields": {"userId": {"stringValue": "eve"}}}
QUERY = {"structuredQuery": {"from": [{"collectionId": "executions"}]}}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirestoreEmulator]:
    """An emulator with our rules and one execution in it."""
    try:
        with run_firestore(tmp_path_factory.mktemp("guarded"), RULES) as emulator:
            assert ask(emulator, "POST", "executions?documentId=x", BODY, "owner") == 200
            yield emulator
    except NoEmulatorError as missing:
        pytest.skip(str(missing))


def ask(
    emulator: FirestoreEmulator,
    method: str,
    path: str,
    body: object = None,
    token: str | None = None,
) -> int:
    """The status of a request as a browser could make it."""
    separator = "" if path.startswith(":") else "/"
    request = urllib.request.Request(
        f"http://{emulator.address}/{DOCUMENTS}{separator}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"}
        | ({"Authorization": f"Bearer {token}"} if token else {}),
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "executions/x", None),
        ("GET", "executions", None),
        ("POST", ":runQuery", QUERY),
        ("POST", "executions?documentId=y", BODY),
        ("PATCH", "executions/x", BODY),
        ("DELETE", "executions/x", None),
        ("GET", "executions/x/chunks/0001-000000000000", None),
        ("POST", "anything?documentId=y", BODY),
    ],
)
def test_a_client_without_the_admins_token_is_refused(
    guarded: FirestoreEmulator, method: str, path: str, body: object
) -> None:
    assert ask(guarded, method, path, body) == 403


def test_the_api_is_not_bound_by_the_rules(guarded: FirestoreEmulator) -> None:
    assert ask(guarded, "GET", "executions/x", None, "owner") == 200
