"""YAML that a person sends, read at a bounded price: pure.

A text of a megabyte is cheap to read, one of half a million parts is not, and what is nested too
deep ends the process in libyaml's own stack. So the parts are counted before anything is built.
"""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import yaml
from pydantic import JsonValue, TypeAdapter

if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml import SafeLoader
else:
    from yaml import CSafeLoader as SafeLoader

SPEC: Final = TypeAdapter(dict[str, JsonValue])
MOST_PARTS: Final = 20_000
DEEPEST: Final = 100
_TAG_DIRECTIVE: Final = re.compile(r"^%TAG\b", re.MULTILINE)


class ImportRefusedError(ValueError):
    """What was given is not one Agent; the text says what must be."""


class _Loader(SafeLoader):
    """Times stay texts, as kubectl and the API have them: `2026-01-01`, and `18:30`, too."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(rf"(?![^:]*:){pattern.pattern}", pattern.flags))
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
    ]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}


def load_objects(text: str) -> Iterator[dict[str, JsonValue]]:
    """What each document of a text holds. Raises ImportRefusedError."""
    try:
        refuse_costly(text)
        # Through JSON: keys become texts, and what JSON can't hold is refused.
        held = [json.loads(json.dumps(each, allow_nan=False)) for each in _load_all(text)]
        yield from (SPEC.validate_python(each) for each in held if each is not None)
    except ImportRefusedError:
        raise
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise ImportRefusedError(f"it is not the YAML of a resource: {error}") from error


def refuse_costly(text: str) -> None:
    """Raises ImportRefusedError for what would take long, or make much of little."""
    if _TAG_DIRECTIVE.search(text):
        raise ImportRefusedError("it has a directive (%TAG): leave it out")
    depth = 0
    for count, event in enumerate(yaml.parse(text, _Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise ImportRefusedError("it has an alias (*name): write it out")
        if getattr(event, "tag", None) is not None:
            raise ImportRefusedError("it has a tag (!name): leave it out")
        depth += _step(event)
        if depth > DEEPEST:
            raise ImportRefusedError(f"it is nested deeper than {DEEPEST} levels")
        if count >= MOST_PARTS:
            raise ImportRefusedError(f"it has more than {MOST_PARTS} parts")


def _step(event: yaml.Event) -> int:
    if isinstance(event, yaml.CollectionStartEvent):
        return 1
    return -1 if isinstance(event, yaml.CollectionEndEvent) else 0


def _load_all(text: str) -> Iterator[object]:
    yield from yaml.load_all(text, _Loader)  # _Loader is a SafeLoader
