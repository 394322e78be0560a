from __future__ import annotations

import json

import pytest

from heliostat_runner.document import Api, Limits, Parameter, Verify, parse_document
from heliostat_runner.fields import DocumentError

SESSION = "11111111-1111-4111-8111-111111111111"


def make_document(**changes: object) -> str:
    document: dict[str, object] = {
        "version": 1,
        "execution": {"namespace": "default", "name": "sales-1", "uid": "u"},
        "agent": {"name": "sales"},
        "attempt": 1,
        "correlationId": "c",
        "trigger": {"kind": "Manual", "id": ""},
        "runtime": {"type": "ClaudeCode", "stallSeconds": 600},
        "prompt": "the finished text",
        "input": "",
        "parameters": [{"name": "region", "value": "EU"}],
        "model": "scripted/demo",
        "tools": {"allow": ["Bash(python3:*)", "Read"], "deny": ["WebFetch"]},
        "limits": {
            "timeoutSeconds": 840,
            "maxTurns": 50,
            "maxTokens": None,
            "maxCostMicros": 500000,
        },
        "verify": {"command": ["python3", "check.py"], "files": []},
        "gateway": {"url": "http://gateway:8081/"},
        "storage": "Volume",
        "session": {"id": SESSION, "resume": True},
        "graceSeconds": 20,
    }
    return json.dumps(document | changes)


def test_the_contract_is_understood() -> None:
    document = parse_document(make_document())

    assert (document.namespace, document.execution, document.uid) == ("default", "sales-1", "u")
    assert document.allow == ("Bash(python3:*)", "Read")
    assert document.parameters == (Parameter("region", "EU"),)
    assert document.limits == Limits(840, 50, None)
    assert document.verify == Verify(("python3", "check.py"), ())
    assert document.gateway_url == "http://gateway:8081"
    assert (document.session, document.resume) == (SESSION, True)


def test_the_api_is_named_with_the_time_that_it_is_waited_for() -> None:
    api = {"url": "https://api:8443/base/", "deliverySeconds": 0}

    assert parse_document(make_document(api=api)).api == Api("https://api:8443/base", 0)


def test_the_api_says_how_large_files_may_be() -> None:
    api = {"url": "http://api", "deliverySeconds": 0, "fileBytes": 5, "filesBytes": 7}

    assert parse_document(make_document(api=api)).api == Api("http://api", 0, 5, 7)


def test_what_may_be_absent() -> None:
    document = parse_document(make_document(verify=None, parameters=[]))

    assert document.api is None
    assert document.verify is None
    assert document.parameters == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "version must be 1"),
        ({"color": "red"}, "color must not be set"),
        ({"prompt": ""}, "prompt must be a text that is not empty"),
        ({"attempt": True}, "attempt must be a whole number"),
        ({"attempt": 0}, "attempt must be a whole number of at least 1"),
        ({"execution": {"namespace": "d", "name": "n"}}, "execution.uid must be"),
        ({"runtime": {"type": "Docker", "stallSeconds": 1}}, "runtime.type must be"),
        ({"runtime": {"type": "Command", "stallSeconds": 1}}, "runtime.command must be"),
        ({"runtime": {"type": "ClaudeCode", "stallSeconds": 0}}, "runtime.stallSeconds must be"),
        ({"tools": {"allow": "Bash", "deny": []}}, "tools.allow must be a list"),
        ({"tools": {"allow": [""], "deny": []}}, "tools.allow must be a list"),
        (
            {"tools": {"allow": ["--dangerously-skip-permissions"], "deny": []}},
            "tools.allow must be rules",
        ),
        ({"tools": {"allow": [], "ask": []}}, "tools.ask must not be set"),
        ({"api": {"url": "http://api:8080"}}, "api.deliverySeconds must be"),
        ({"api": {"url": "api:8080", "deliverySeconds": 1}}, "api.url must start with"),
        ({"api": {"url": "http://:80", "deliverySeconds": 1}}, "api.url must name a host"),
        ({"api": {"url": "http://a:x", "deliverySeconds": 1}}, "api.url must name a host"),
        ({"api": {"url": "http://[a", "deliverySeconds": 1}}, "api.url must name a host"),
        ({"api": {"url": "http://a", "deliverySeconds": 1, "fileBytes": 0}}, "api.fileBytes must"),
        ({"api": {"url": "http://a", "deliverySeconds": -1}}, "api.deliverySeconds must be"),
        ({"parameters": [{"name": "a"}]}, "parameters[0].value must be"),
        ({"parameters": [7]}, "parameters[0] must be an object"),
        ({"gateway": {"url": "ftp://x"}}, "gateway.url must start with"),
        ({"storage": "Disk"}, "storage must be"),
        ({"session": {"id": "../../etc", "resume": False}}, "session.id must be a UUID"),
        ({"session": {"id": SESSION, "resume": 1}}, "session.resume must be true or false"),
        ({"verify": {"files": ["/etc/passwd"]}}, "verify.files must be paths"),
        ({"verify": {"files": ["../x"]}}, "verify.files must be paths"),
        ({"graceSeconds": None}, "graceSeconds must be"),
    ],
)
def test_a_refusal_names_the_field(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(make_document(**changes))

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match=r"run\.json must be"):
        parse_document(text)
