"""What may change in the schemas of a REST API: what is asked may only widen, what is answered may
only narrow.

A client ignores fields of an answer that it does not know, and takes a value of an enum that it
does not know for another one: both may be added. Whatever was named stays.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = Mapping[str, Json]
Way = Literal["request", "response"]
_T = TypeVar("_T")

_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SHAPES: Final = ("pattern", "format", "multipleOf", "uniqueItems")
_WORDS: Final = frozenset({"title", "description", "default", "example", "examples"})
"""They bind nothing."""
_INNER: Final = ("items", "additionalProperties", "propertyNames")


@dataclass(frozen=True)
class Documents:
    """The released document and the present one."""

    old: Object
    new: Object


class Schemas:
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
        _, wide = self._narrow_and_wide(before, after)
        if not wide.keys() - _WORDS:
            return
        if _branches(before) or _branches(after):
            yield from self._unions(where, before, after)
        elif misfits := list(self._types(where, before, after)):
            yield from misfits
        else:
            yield from self._plain(where, before, after)

    def _plain(self, where: str, before: Object, after: Object) -> Iterator[str]:
        yield from self._values(where, before, after)
        yield from self._bounds(where, before, after)
        yield from self._fields(where, before, after)
        yield from self._inside(where, before, after)

    def _unions(self, where: str, old: Object, new: Object) -> Iterator[str]:
        """Each branch of the narrower one is within one of the wider one."""
        narrow, wide = self._narrow_and_wide(_branches(old) or [old], _branches(new) or [new])
        for each in narrow:
            found = [list(self._fresh().within(where, each, other)) for other in wide]
            if all(found):
                yield from min(found, key=len)

    def within(self, where: str, narrow: Object, wide: Object) -> Iterator[str]:
        """What keeps a schema from being all within another one."""
        yield from self.compare(where, *self._narrow_and_wide(narrow, wide))

    def _types(self, where: str, old: Object, new: Object) -> Iterator[str]:
        narrow, wide = self._narrow_and_wide(old.get("type"), new.get("type"))
        is_within = wide in (None, narrow) or (narrow, wide) == ("integer", "number")
        if not is_within:
            was, now = (each.get("type", "anything") for each in (old, new))
            yield f"{where}: was {was}, is {now}"

    def _values(self, where: str, old: Object, new: Object) -> Iterator[str]:
        before, after = _named(old), _named(new)
        if before and after:
            for value in before:
                if value not in after:
                    yield f"{where}: {value} was removed"
        elif after and self._way == "request":
            yield f"{where}: must be one of {', '.join(after)} now"
        elif before and self._way == "response":
            yield f"{where}: may be another than {', '.join(before)} now"

    def _bounds(self, where: str, old: Object, new: Object) -> Iterator[str]:
        """Named values need no other bound."""
        narrow, wide = self._narrow_and_wide(old, new)
        if _named(narrow):
            return
        for word in (*_UPPER, *_LOWER, *_SHAPES):
            if not _is_within(word, narrow.get(word), wide.get(word)):
                was, now = (each.get(word, "unset") for each in (old, new))
                yield f"{where}: {word} was {was}, is {now}"

    def _fields(self, where: str, old: Object, new: Object) -> Iterator[str]:
        before, after = objects_of(old.get("properties")), objects_of(new.get("properties"))
        for name, given in before.items():
            if name not in after:
                yield f"{where}.{name}: was removed"
            else:
                yield from self.compare(f"{where}.{name}", given, after[name])
        needed, needs = _texts(old.get("required")), _texts(new.get("required"))
        if self._way == "request":
            yield from (f"{where}.{name}: is required now" for name in sorted(needs - needed))
        else:
            missing = (needed - needs) & after.keys()
            yield from (f"{where}.{name}: may be missing now" for name in sorted(missing))

    def _inside(self, where: str, old: Object, new: Object) -> Iterator[str]:
        for word in _INNER:
            before, after = old.get(word), new.get(word)
            if before is False:
                continue
            if after is False and self._way == "request":
                yield f"{where}: takes no other fields now"
            elif isinstance(before, Mapping) or isinstance(after, Mapping):
                yield from self.compare(f"{where}[*]", object_of(before), object_of(after))

    def _narrow_and_wide(self, old: _T, new: _T) -> tuple[_T, _T]:
        """Which one must be within which. Its own inverse."""
        return (old, new) if self._way == "request" else (new, old)

    def _fresh(self) -> "Schemas":
        return Schemas(self._documents, self._way, self._seen)


def _is_within(word: str, narrow: Json, wide: Json) -> bool:
    if wide is None:
        return True
    if not isinstance(narrow, int | float) or not isinstance(wide, int | float):
        return narrow == wide
    if word in _UPPER:
        return narrow <= wide
    return narrow >= wide if word in _LOWER else narrow == wide


def _resolve(document: Object, schema: Object) -> Object:
    found = schema
    while isinstance(reference := found.get("$ref"), str):
        node: Json = document
        for step in reference.removeprefix("#/").split("/"):
            node = object_of(node)[step]
        found = object_of(node)
    return found


def _branches(schema: Object) -> list[Object]:
    return items_of(schema.get("anyOf")) or items_of(schema.get("oneOf"))


def _named(schema: Object) -> list[str]:
    """All values that it may have, where they are named."""
    named = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [json.dumps(each) for each in named] if isinstance(named, Sequence) else []


def object_of(value: Json) -> Object:
    """Empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Json) -> dict[str, Object]:
    """Its values as objects."""
    return {name: object_of(each) for name, each in object_of(value).items()}


def items_of(value: Json) -> list[Object]:
    """Its items as objects."""
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return [object_of(each) for each in given]


def _texts(value: Json) -> set[str]:
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return {each for each in given if isinstance(each, str)}
