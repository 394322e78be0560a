"""Fields of a request: what becomes of each on the way to another dialect, as a rule."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.conditions import is_given
from heliostat_json.objects import JsonObject

Place: TypeAlias = tuple[str | int, ...]


class UntranslatableError(Exception):
    """A request that the target dialect cannot say: 400, with the field and the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = f"{field}: {message}"


class Treatment(StrEnum):
    """What becomes of a field."""

    CARRIED = "carried"
    DROPPED = "dropped"  # harmless; its name goes into a warning header
    REFUSED = "refused"  # 400


@dataclass(frozen=True)
class Rule:
    """One row: `field` is a path in the words of the caller's dialect, `[]` is each of a list."""

    source: Dialect
    field: str
    treatment: Treatment
    note: str  # what a refused caller reads, and the page
    when: Callable[[JsonValue], bool] = is_given
    said: str = ""  # `when` in words, for the page
    label: str = ""  # name in the warning header, where the path alone says too little

    @property
    def name(self) -> str:
        """The field's name for people."""
        return self.label or self.field


class FoundValues:
    """The values of a document by path; what several paths share is walked once."""

    def __init__(self, document: JsonObject) -> None:
        self._found: dict[str, list[tuple[Place, JsonValue]]] = {"": [((), document)]}

    def at(self, path: str) -> list[tuple[Place, JsonValue]]:
        """Each value at `path`, with the place where it is."""
        if path in self._found:
            return self._found[path]
        parent, _, leaf = path.rpartition(".")
        name = leaf.removesuffix("[]")
        found: list[tuple[Place, JsonValue]] = [
            ((*place, name), holder[name])
            for place, holder in self.at(parent)
            if isinstance(holder, dict) and name in holder
        ]
        if name != leaf:
            found = [
                ((*place, index), item)
                for place, items in found
                if isinstance(items, list)
                for index, item in enumerate(items)
            ]
        self._found[path] = found
        return found


def said_place(place: Place) -> str:
    """A place as the caller reads it: `messages[2].content[0].type`."""
    said = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return said.removeprefix(".")


def apply_rules(
    document: JsonObject, rules: Sequence[Rule], members: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """Names of what will be dropped, unknown fields included. Raises UntranslatableError.

    `members`: what is known inside the document, by path.
    """
    values = FoundValues(document)
    dropped: list[str] = []
    for rule in rules:
        if rule.treatment is Treatment.CARRIED:
            continue
        hit = next((place for place, value in values.at(rule.field) if rule.when(value)), None)
        if hit is None:
            continue
        if rule.treatment is Treatment.REFUSED:
            raise UntranslatableError(said_place(hit), rule.note)
        dropped.append(rule.name)
    known = {rule.field.partition(".")[0].removesuffix("[]") for rule in rules}
    dropped += [name for name in document if name not in known]
    for path, names in members.items():
        for _, value in values.at(path):
            if isinstance(value, dict):
                dropped += [f"{path}.{name}" for name in value if name not in names]
    return tuple(dict.fromkeys(dropped))
