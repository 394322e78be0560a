"""YAML with the lines that its values stand on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml
from pydantic import JsonValue, TypeAdapter, ValidationError

Place: TypeAlias = tuple[str | int, ...]  # keys and positions from the top of the document
_VALUE: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a place of the document, and what it must be."""

    place: Place
    message: str


class NotYamlError(Exception):
    """The text is not YAML as it is read here. `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Positioned:
    """A document and where its parts stand."""

    value: JsonValue
    root: yaml.Node | None

    def line(self, place: Place) -> int:
        """The line of a place; of the nearest thing around it when it is not there."""
        node, line = self.root, 1
        for part in place:
            found = _step(node, part)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        return line

    def duplicates(self) -> Iterator[Mistake]:
        """Keys that are there twice; YAML would take the last one in silence."""
        yield from _duplicates(self.root, ())


def read_yaml(text: str) -> Positioned:
    """The document in `text`. Raises NotYamlError for what is no plain YAML document."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        _check_tree(root, set())
        value = {} if root is None else _VALUE.validate_python(_construct(root, loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise NotYamlError(line, error.problem or "is not valid YAML") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise NotYamlError(1, f"is not valid YAML: {error}") from error
    except ValidationError as error:
        raise NotYamlError(1, "must hold only texts, numbers, true, false and null") from error
    return Positioned(value, root)


class _Loader(yaml.SafeLoader):
    """Without dates: 2026-01-01 is a text. And `<<` is a key as any other."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":timestamp", ":merge"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _check_tree(node: yaml.Node | None, seen: set[int]) -> None:
    """Raises NotYamlError for references: with them a small text stands for an endless one."""
    if node is None:
        return
    if id(node) in seen:
        raise NotYamlError(node.start_mark.line + 1, "must not be referred to (&name, *name)")
    seen.add(id(node))
    for child in _children(node):
        _check_tree(child, seen)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _construct(node: yaml.Node, loader: yaml.SafeLoader) -> object:
    """The value of a node; keys are texts as they are written (`on` and `1` too)."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _construct(value, loader) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_construct(each, loader) for each in node.value]
    return loader.construct_object(node)


def _step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """What stands for `part` (its key, or itself in a list), and its value: of twins the last."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(key, value) for key, value in node.value if str(key.value) == str(part)]
        return pairs[-1] if pairs else None
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _duplicates(node: yaml.Node | None, place: Place) -> Iterator[Mistake]:
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in first:
                yield Mistake(
                    (*place, name),
                    f"is there twice, in lines {first[name]} and {line}: leave one of them",
                )
            first.setdefault(name, line)
            yield from _duplicates(value, (*place, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _duplicates(value, (*place, index))
