"""Fields of a request: what becomes of each on the way to another dialect, as a rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.conditions import is_given
from heliostat_gateway.wire import JsonObject


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


def find_values(value: JsonValue, path: str, at: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Each value at `path`, with the place where it is: `messages[2].content[0].type`."""
    name, _, rest = path.partition(".")
    plain = name.removesuffix("[]")
    if not isinstance(value, dict) or plain not in value:
        return
    found = value[plain]
    where = f"{at}.{plain}" if at else plain
    places: list[tuple[str, JsonValue]] = [(where, found)]
    if plain != name:
        items = found if isinstance(found, list) else []
        places = [(f"{where}[{index}]", item) for index, item in enumerate(items)]
    for place, item in places:
        if rest:
            yield from find_values(item, rest, place)
        else:
            yield place, item


def apply_rules(document: JsonObject, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Names of what will be dropped, unknown fields included. Raises UntranslatableError."""
    dropped: list[str] = []
    for rule in rules:
        if rule.treatment is Treatment.CARRIED:
            continue
        for place, value in find_values(document, rule.field):
            if not rule.when(value):
                continue
            if rule.treatment is Treatment.REFUSED:
                raise UntranslatableError(place, rule.note)
            dropped.append(rule.name)
    known = {rule.field.partition(".")[0].removesuffix("[]") for rule in rules}
    dropped += [name for name in document if name not in known]
    return tuple(dict.fromkeys(dropped))
