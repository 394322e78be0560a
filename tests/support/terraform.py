"""The Terraform module as data: parsed, for it can't be planned without Google."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import hcl2
from pydantic import JsonValue, TypeAdapter

MODULE = Path(__file__).resolve().parents[2] / "deploy" / "terraform"
EXAMPLE = MODULE / "example"

Block = Mapping[str, JsonValue]
_FILE: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


def read_files(folder: Path) -> dict[str, Block]:
    """Every file by its name; quotes are taken off."""
    return {
        path.name: _FILE.validate_python(_plain(hcl2.loads(path.read_text())))
        for path in sorted(folder.glob("*.tf"))
    }


def blocks(files: Mapping[str, Block], kind: str) -> Iterator[Block]:
    """All blocks of a kind, as they stand: by their labels."""
    for file in files.values():
        found = file.get(kind, [])
        assert isinstance(found, Sequence)
        for each in found:
            assert isinstance(each, Mapping)
            yield each


def named(files: Mapping[str, Block], kind: str) -> dict[str, Block]:
    """Blocks with one label, by it."""
    return {name: inner(block) for each in blocks(files, kind) for name, block in each.items()}


def resources(files: Mapping[str, Block]) -> dict[tuple[str, str], Block]:
    """By type and name."""
    return {
        (kind, name): inner(block)
        for kind, labelled in (pair for each in blocks(files, "resource") for pair in each.items())
        for name, block in inner(labelled).items()
    }


def local_values(files: Mapping[str, Block]) -> Block:
    """All locals together."""
    return {name: value for each in blocks(files, "locals") for name, value in each.items()}


def inner(value: JsonValue) -> Block:
    assert isinstance(value, Mapping)
    return value


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        own = {_plain(key): _plain(each) for key, each in value.items()}
        return {key: each for key, each in own.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value
