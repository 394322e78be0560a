"""Checked members of JSON objects: each reader says which member is wrong and what it must be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .jsonvalue import JsonObject, JsonValue

_LONG_TEXT = 1 << 20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DocumentError(Exception):
    """A field of the run document is not what it must be; the text names both."""


class Fields:
    """One JSON object of the document; remembers which members were asked for."""

    def __init__(self, value: JsonObject, path: str, known: Sequence[str] = ()) -> None:
        self._value = value
        self.path = path
        self._known = set(known)
        if known:
            self.refuse_others()

    def refuse_others(self) -> None:
        for name in sorted(self._value.keys() - self._known):
            raise DocumentError(
                f"{self.path}{name} must not be set: this image's runner does not know it; "
                "use a workspace image of the operator's release"
            )

    def _get(self, name: str) -> JsonValue:
        self._known.add(name)
        return self._value.get(name)

    def _error(self, name: str, must: str) -> DocumentError:
        return DocumentError(f"{self.path}{name} must be {must}")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._get(name)
        if not isinstance(value, str) or "\0" in value or len(value) > _LONG_TEXT:
            raise self._error(name, "a text of at most 1 MiB without NUL")
        if not value and not empty:
            raise self._error(name, "a text that is not empty")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._get(name) is None else self.text(name, empty=True)

    def one_of(self, name: str, names: Iterable[str]) -> str:
        value = self.text(name)
        if value not in (known := list(names)):
            raise self._error(name, " or ".join(known))
        return value

    def uuid(self, name: str) -> str:
        value = self.text(name)
        if not _UUID.fullmatch(value):
            raise self._error(name, "a UUID in small letters")
        return value

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self._error(name, "true or false")
        return value

    def count(self, name: str, least: int) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._error(name, f"a whole number of at least {least}")
        return value

    def count_or_none(self, name: str) -> int | None:
        return None if self._get(name) is None else self.count(name, 1)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; an absent one is empty."""
        value = self._get(name)
        items = [] if value is None else value
        texts = (
            [item for item in items if isinstance(item, str) and item and "\0" not in item]
            if isinstance(items, list)
            else None
        )
        if texts is None or not isinstance(items, list) or len(texts) != len(items):
            raise self._error(name, "a list of texts that are not empty")
        return tuple(texts)

    def object(self, name: str, *known: str) -> Fields:
        value = self._get(name)
        if not isinstance(value, dict):
            raise self._error(name, "an object with " + ", ".join(known))
        return Fields(value, f"{self.path}{name}.", known)

    def json_object(self, name: str) -> JsonObject:
        """An object whose members another reader checks."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self._error(name, "an object")
        return value

    def object_or_none(self, name: str, *known: str) -> Fields | None:
        return None if self._get(name) is None else self.object(name, *known)

    def objects(self, name: str, *known: str) -> list[Fields]:
        value = self._get(name)
        items = [] if value is None else value
        if not isinstance(items, list):
            raise self._error(name, "a list of objects with " + ", ".join(known))
        found = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self._error(f"{name}[{index}]", "an object with " + ", ".join(known))
            found.append(Fields(item, f"{self.path}{name}[{index}].", known))
        return found
