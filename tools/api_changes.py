"""Breaking changes of a REST API: what a client of the last release would trip over.

`python -m tools.api_changes` lists those since `api/openapi.released.json`; with `--release` the
present document becomes the released one.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tools.machine import ROOT

RELEASED = ROOT / "api" / "openapi.released.json"
PRESENT = ROOT / "api" / "openapi.json"

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = Mapping[str, Json]
Way = Literal["request", "response"]
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True)
class Documents:
    """The released document and the present one."""

    old: Object
    new: Object


def find_breaks(old: Object, new: Object) -> list[str]:
    """Each as a line: removed paths, operations, parameters, fields, enum values and answers,
    changed types, and what a request must say now and did not have to."""
    documents = Documents(old, new)
    return [
        line
        for path, before in _objects(old.get("paths")).items()
        for line in _in_path(documents, path, before, _objects(new.get("paths")).get(path))
    ]


def _in_path(documents: Documents, path: str, old: Object, new: Object | None) -> Iterator[str]:
    if new is None:
        yield f"{path}: was removed"
        return
    for method in _METHODS:
        before, after = old.get(method), new.get(method)
        where = f"{method.upper()} {path}"
        if isinstance(before, Mapping):
            if isinstance(after, Mapping):
                yield from _in_operation(documents, where, before, after)
            else:
                yield f"{where}: was removed"


def _in_operation(documents: Documents, where: str, old: Object, new: Object) -> Iterator[str]:
    yield from _in_parameters(documents, where, old, new)
    yield from _in_body(documents, where, old, new)
    before, after = _objects(old.get("responses")), _objects(new.get("responses"))
    for status in before:
        here = f"{where} {status}"
        if status not in after:
            yield f"{here}: was removed"
        else:
            yield from _in_content(documents, here, before[status], after[status], "response")


def _in_parameters(documents: Documents, where: str, old: Object, new: Object) -> Iterator[str]:
    before, after = _parameters(old), _parameters(new)
    for name, given in before.items():
        here = f"{where} {name}"
        if name not in after:
            yield f"{here}: was removed"
            continue
        pair = _object(given.get("schema")), _object(after[name].get("schema"))
        yield from _Schemas(documents, "request").compare(here, *pair)
    for name, given in after.items():
        was_required = name in before and before[name].get("required") is True
        if given.get("required") is True and not was_required:
            yield f"{where} {name}: is required now"


def _in_body(documents: Documents, where: str, old: Object, new: Object) -> Iterator[str]:
    before, after = _object(old.get("requestBody")), _object(new.get("requestBody"))
    if after.get("required") is True and before.get("required") is not True:
        yield f"{where} body: is required now"
    if before:
        yield from _in_content(documents, f"{where} body", before, after, "request")


def _in_content(
    documents: Documents, where: str, old: Object, new: Object, way: Way
) -> Iterator[str]:
    before, after = _objects(old.get("content")), _objects(new.get("content"))
    for media, given in before.items():
        if media not in after:
            yield f"{where} {media}: was removed"
            continue
        pair = _object(given.get("schema")), _object(after[media].get("schema"))
        yield from _Schemas(documents, way).compare(where, *pair)


class _Schemas:
    """Compares schemas that a request or a response has; each pair of named ones once."""

    def __init__(
        self, documents: Documents, way: Way, seen: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._documents = documents
        self._way = way
        self._seen = set(seen)

    def compare(self, where: str, old: Object, new: Object) -> Iterator[str]:
        """Every break at `where` and below."""
        pair = str(old.get("$ref", "")), str(new.get("$ref", ""))
        if all(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        before, after = _resolve(self._documents.old, old), _resolve(self._documents.new, new)
        yield from self._scalars(where, before, after)
        yield from self._fields(where, before, after)
        for word in ("items", "additionalProperties"):
            each, other = before.get(word), after.get(word)
            if isinstance(each, Mapping) and isinstance(other, Mapping):
                yield from self.compare(f"{where}[*]", each, other)
        yield from self._branches(where, before, after)

    def _scalars(self, where: str, old: Object, new: Object) -> Iterator[str]:
        if "type" in old and old["type"] != new.get("type") and "anyOf" not in new:
            yield f"{where}: was {old['type']}, is {new.get('type')}"
        kept = _values(new)
        for value in _values(old):
            if kept and value not in kept:
                yield f"{where}: {value} was removed"

    def _fields(self, where: str, old: Object, new: Object) -> Iterator[str]:
        before, after = _objects(old.get("properties")), _objects(new.get("properties"))
        for name, given in before.items():
            if name not in after:
                yield f"{where}.{name}: was removed"
            else:
                yield from self.compare(f"{where}.{name}", given, after[name])
        if self._way == "request":
            for name in sorted(_texts(new.get("required")) - _texts(old.get("required"))):
                yield f"{where}.{name}: is required now"

    def _branches(self, where: str, old: Object, new: Object) -> Iterator[str]:
        """Branches of a union by their place; one that became plain is compared as the only one."""
        before = _list(old.get("anyOf"))
        after = _list(new.get("anyOf")) or ([new] if before else [])
        if not before and after and "type" in old:
            before = [old]
        for each in before:
            if not any(not list(self._fresh().compare(where, each, other)) for other in after):
                closest = after[min(before.index(each), len(after) - 1)]
                yield from self.compare(where, each, closest)

    def _fresh(self) -> "_Schemas":
        return _Schemas(self._documents, self._way, self._seen)


def _resolve(document: Object, schema: Object) -> Object:
    found = schema
    while isinstance(reference := found.get("$ref"), str):
        node: Json = document
        for step in reference.removeprefix("#/").split("/"):
            node = _object(node)[step]
        found = _object(node)
    return found


def _values(schema: Object) -> list[str]:
    named = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [json.dumps(each) for each in named] if isinstance(named, Sequence) else []


def _parameters(operation: Object) -> dict[str, Object]:
    return {f"{each['in']} {each['name']}": each for each in _list(operation.get("parameters"))}


def _object(value: Json) -> Object:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> dict[str, Object]:
    return {name: _object(each) for name, each in _object(value).items()}


def _list(value: Json) -> list[Object]:
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return [_object(each) for each in given]


def _texts(value: Json) -> set[str]:
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return {each for each in given if isinstance(each, str)}


def main(arguments: list[str]) -> int:
    if "--release" in arguments:
        RELEASED.write_text(PRESENT.read_text())
        return 0
    found = find_breaks(json.loads(RELEASED.read_text()), json.loads(PRESENT.read_text()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
