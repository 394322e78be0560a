"""Breaking changes of the REST API are found, and harmless ones are not."""

import copy
import json

import pytest

from tools.api_changes import PRESENT, RELEASED, Json, find_breaks

THING: Json = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
    },
}
SCHEMA: Json = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
DOCUMENT: dict[str, Json] = {
    "paths": {
        "/things": {
            "get": {
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
                "responses": {"200": {"content": SCHEMA}},
            },
            "post": {"requestBody": {"content": SCHEMA}, "responses": {"201": {}}},
        }
    },
    "components": {"schemas": {"Thing": THING}},
}
GET, POST, FIELDS = "paths./things.get", "paths./things.post", "components.schemas.Thing"


def changed(path: str, value: Json) -> dict[str, Json]:
    """The document with another value at a path; None takes it out."""
    document = copy.deepcopy(DOCUMENT)
    *way, last = path.split(".")
    node: Json = document
    for step in way:
        assert isinstance(node, dict)
        node = node[step]
    assert isinstance(node, dict)
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


def test_the_same_document_breaks_nothing() -> None:
    assert find_breaks(DOCUMENT, DOCUMENT) == []


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("paths./things", None, ["/things: was removed"]),
        (POST, None, ["POST /things: was removed"]),
        (f"{GET}.parameters", [], ["GET /things query limit: was removed"]),
        (f"{GET}.responses", {}, ["GET /things 200: was removed"]),
        (f"{POST}.requestBody.required", True, ["POST /things body: is required now"]),
        (
            f"{GET}.parameters",
            [{"in": "query", "name": "limit", "schema": {"type": "string"}}],
            ["GET /things query limit: was integer, is string"],
        ),
        (
            f"{GET}.parameters",
            [
                {"in": "query", "name": "limit", "schema": {"type": "integer"}},
                {"in": "header", "name": "x", "required": True, "schema": {}},
            ],
            ["GET /things header x: is required now"],
        ),
        (
            f"{FIELDS}.properties.id",
            None,
            ["GET /things 200.id: was removed", "POST /things body.id: was removed"],
        ),
        (
            f"{FIELDS}.properties.kind.enum",
            ["a"],
            ['GET /things 200.kind: "b" was removed', 'POST /things body.kind: "b" was removed'],
        ),
        (f"{FIELDS}.required", ["id", "kind"], ["POST /things body.kind: is required now"]),
        (
            f"{FIELDS}.properties.note",
            {"type": "integer"},
            [
                "GET /things 200.note: was string, is integer",
                "GET /things 200.note: was null, is integer",
            ],
        ),
    ],
)
def test_what_a_client_would_trip_over_is_found(path: str, value: Json, found: list[str]) -> None:
    breaks = find_breaks(DOCUMENT, changed(path, value))
    assert [each for each in breaks if each in found] == found
    assert breaks


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paths./more", {"get": {"responses": {}}}),
        (f"{FIELDS}.properties.new", {"type": "string"}),
        (f"{FIELDS}.properties.kind.enum", ["a", "b", "c"]),
        (f"{FIELDS}.properties.id", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (f"{FIELDS}.required", []),
        (f"{GET}.responses.202", {}),
        (
            f"{GET}.parameters",
            [
                {"in": "query", "name": "limit", "schema": {"type": "integer"}},
                {"in": "query", "name": "new", "schema": {}},
            ],
        ),
    ],
)
def test_what_is_new_breaks_nothing(path: str, value: Json) -> None:
    assert find_breaks(DOCUMENT, changed(path, value)) == []


UNRELEASED: set[str] = set()
"""Operations whose breaks nobody looks for yet: new ones, until `tools.api_changes --release`."""


def test_no_operation_waits_for_its_release_unseen() -> None:
    released, present = json.loads(RELEASED.read_text()), json.loads(PRESENT.read_text())
    unreleased = {
        f"{method} {path}"
        for path, methods in present["paths"].items()
        for method in methods.keys() - released["paths"].get(path, {}).keys()
    }
    assert unreleased == UNRELEASED, "release it, or name it here until then"


def test_the_api_still_serves_clients_of_the_last_release() -> None:
    released, present = json.loads(RELEASED.read_text()), json.loads(PRESENT.read_text())
    assert released["paths"]
    assert find_breaks(released, present) == []
