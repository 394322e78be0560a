"""Breaking changes of a REST API: what a client of the last release would trip over.

What may change in a schema is in `api_schemas`. `python -m tools.api_changes` lists those since
`api/openapi.released.json`; with `--release` the present document becomes the released one.
"""

import json
import sys
from collections.abc import Iterator, Mapping

from tools.api_schemas import Documents, Object, Schemas, Way, items_of, object_of, objects_of
from tools.machine import ROOT

RELEASED = ROOT / "api" / "openapi.released.json"
PRESENT = ROOT / "api" / "openapi.json"

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def find_breaks(old: Object, new: Object) -> list[str]:
    """Each as a line: what was removed, what a request must say now or may say no longer, and what
    an answer may say now and never did."""
    documents = Documents(old, new)
    return [
        line
        for path, before in objects_of(old.get("paths")).items()
        for line in _in_path(documents, path, before, objects_of(new.get("paths")).get(path))
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
    before, after = objects_of(old.get("responses")), objects_of(new.get("responses"))
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
        pair = object_of(given.get("schema")), object_of(after[name].get("schema"))
        yield from Schemas(documents, "request").compare(here, *pair)
    for name, given in after.items():
        was_required = name in before and before[name].get("required") is True
        if given.get("required") is True and not was_required:
            yield f"{where} {name}: is required now"


def _in_body(documents: Documents, where: str, old: Object, new: Object) -> Iterator[str]:
    before, after = object_of(old.get("requestBody")), object_of(new.get("requestBody"))
    if after.get("required") is True and before.get("required") is not True:
        yield f"{where} body: is required now"
    if before:
        yield from _in_content(documents, f"{where} body", before, after, "request")


def _in_content(
    documents: Documents, where: str, old: Object, new: Object, way: Way
) -> Iterator[str]:
    before, after = objects_of(old.get("content")), objects_of(new.get("content"))
    for media, given in before.items():
        if media not in after:
            yield f"{where} {media}: was removed"
            continue
        pair = object_of(given.get("schema")), object_of(after[media].get("schema"))
        yield from Schemas(documents, way).compare(where, *pair)


def _parameters(operation: Object) -> dict[str, Object]:
    return {f"{each['in']} {each['name']}": each for each in items_of(operation.get("parameters"))}


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
