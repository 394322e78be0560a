"""From a routes file to its table, or to every mistake with its line."""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from heliostat_gateway.routes.checks import (
    Checked,
    RouteValidationContext,
    find_mistakes,
    is_inside,
)
from heliostat_gateway.routes.document import RoutesDocument
from heliostat_gateway.routes.positions import Mistake, NotYamlError, Place, Positioned, read_yaml
from heliostat_gateway.routes.table import RouteTable, compile_table
from heliostat_gateway.settings import SettingsError

_LARGEST_FILE = 1024 * 1024
_LONGEST_PROMPT = 100_000
_OF_NAMES = frozenset({"providers", "prices", "models", "aliases", "personas"})
_SAID_OTHERWISE = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be "), "must be "),
    (re.compile(r"^(String|Tuple|Value|List) should "), "must "),
    (re.compile(r"^Field required$"), "is required"),
)


@dataclass(frozen=True, order=True)
class Finding:
    """A mistake as it is told: `FILE:LINE: PLACE: what it must be`."""

    file: str
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


class RoutesError(SettingsError):
    """A routes file that can't be used, with all its mistakes."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(each) for each in self.findings))


@dataclass(frozen=True)
class ReadRoutes:
    """A table, and the files that it was made of."""

    table: RouteTable
    files: tuple[Path, ...]


def read_routes(
    path: Path, known: RouteValidationContext, at: datetime | None = None
) -> ReadRoutes:
    """The table in `path`. Raises RoutesError with all mistakes; `at` dates the prices (now)."""
    try:
        positioned = read_yaml(_read_text(path, _LARGEST_FILE))
    except NotYamlError as error:
        raise RoutesError([Finding(path.name, error.line, "", str(error))]) from error
    except (OSError, ValueError) as error:
        raise RoutesError(
            [Finding(path.name, 1, "", f"can't be read: {_words_of(error)}")]
        ) from error
    mistakes, document = _check(positioned, known, at or datetime.now(UTC))
    prompts, missing = _read_prompts(document, path.parent)
    mistakes += missing
    if mistakes:
        raise RoutesError(_render(path.name, positioned, mistakes))
    return ReadRoutes(
        compile_table(document, prompts), (path, *_prompt_files(document, path.parent).values())
    )


def parse_routes(
    text: str, known: RouteValidationContext, at: datetime, name: str = "routes.yaml"
) -> RouteTable:
    """The table of a text without system files. Raises RoutesError."""
    try:
        positioned = read_yaml(text)
    except NotYamlError as error:
        raise RoutesError([Finding(name, error.line, "", str(error))]) from error
    mistakes, document = _check(positioned, known, at)
    if mistakes:
        raise RoutesError(_render(name, positioned, mistakes))
    return compile_table(
        document, {name: spec.system or "" for name, spec in document.personas.items()}
    )


def _check(
    positioned: Positioned, known: RouteValidationContext, at: datetime
) -> tuple[list[Mistake], RoutesDocument]:
    """Mistakes of shape and of rules in one run: broken entries are set aside for the rules."""
    raw = positioned.value
    if not isinstance(raw, dict):
        return [Mistake((), "must be an object with sections such as models")], RoutesDocument()
    mistakes = list(positioned.duplicates())
    try:
        document = RoutesDocument.model_validate(raw)
    except ValidationError as error:
        items = error.errors()
        mistakes += [Mistake(_place(item), _words(item)) for item in items]
        document = _without(raw, [_place(item) for item in items])
    mistakes += find_mistakes(Checked(document, raw, known, at))
    return mistakes, document


def _without(raw: Mapping[str, JsonValue], places: Iterable[Place]) -> RoutesDocument:
    """The document without what has a mistake: the field alone, so that the rest of its entry is
    checked too; where that leaves no entry, the whole entry, or a section that has none."""
    kept = deepcopy(dict(raw))
    for place in places:
        _remove(kept, place)
    try:
        return RoutesDocument.model_validate(kept)
    except ValidationError as error:
        for item in error.errors():
            _remove(kept, _entry(_place(item)))
    return RoutesDocument.model_validate(kept)


def _remove(document: dict[str, JsonValue], place: Place) -> None:
    """Takes away what is at a place. Items of lists stay in their places: their entry goes."""
    at: JsonValue = document
    for part in place[:-1]:
        if not isinstance(at, dict) or not isinstance(at.get(str(part)), dict):
            break
        at = at[str(part)]
    else:
        if isinstance(at, dict) and place[-1] in at:
            del at[str(place[-1])]
            return
    if len(place) > 1 and place != _entry(place):
        _remove(document, _entry(place))
    else:
        document.pop(str(place[0]), None)


def _entry(place: Place) -> Place:
    """The entry that a place is in, or its section."""
    return place[:2] if len(place) > 1 and place[0] in _OF_NAMES else place[:1]


def _read_prompts(document: RoutesDocument, folder: Path) -> tuple[dict[str, str], list[Mistake]]:
    prompts = {name: spec.system or "" for name, spec in document.personas.items()}
    mistakes = []
    for name, path in _prompt_files(document, folder).items():
        place = ("personas", name, "systemFile")
        try:
            prompts[name] = _read_text(path, 4 * _LONGEST_PROMPT)
        except (OSError, ValueError) as error:
            mistakes.append(Mistake(place, f"can't be read: {_words_of(error)}"))
            continue
        if not 0 < len(prompts[name]) <= _LONGEST_PROMPT:
            mistakes.append(Mistake(place, f"must hold 1 to {_LONGEST_PROMPT} characters"))
    return prompts, mistakes


def _prompt_files(document: RoutesDocument, folder: Path) -> dict[str, Path]:
    return {
        name: folder / spec.system_file
        for name, spec in document.personas.items()
        if spec.system_file is not None and is_inside(spec.system_file)
    }


def _read_text(path: Path, largest: int) -> str:
    with path.open("rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"it is larger than {largest} bytes")
    return content.decode()


def _words_of(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _render(name: str, positioned: Positioned, mistakes: list[Mistake]) -> list[Finding]:
    return sorted(
        {
            Finding(name, positioned.line(each.place), _say_place(each.place), each.message)
            for each in mistakes
        }
    )


def _say_place(place: Place) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _place(item: ErrorDetails) -> Place:
    """Where a mistake is. Pydantic adds `[key]` to the place of a name that is wrong itself."""
    *place, last = item["loc"]
    is_name = last == "[key]" and item["type"] != "extra_forbidden"
    return tuple(place) if is_name else item["loc"]


def _words(item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return _unknown_key(_place(item))
    words = item["msg"]
    for pattern, instead in _SAID_OTHERWISE:
        words = pattern.sub(instead, words)
    return words


def _unknown_key(place: Place) -> str:
    known = _fields_at(place[:-1])
    close = get_close_matches(str(place[-1]), known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"is no field here{meant} There are: {', '.join(known)}"


def _fields_at(place: Place) -> list[str]:
    """The names of the fields of the object at a place."""
    model: type[BaseModel] = RoutesDocument
    parts = iter(place)
    for part in parts:
        field = next(each for each in model.model_fields.values() if each.alias == part)
        model = _model_in(field.annotation) or model
        if get_origin(field.annotation) in (dict, tuple):
            next(parts, None)  # the name or position of an entry
    return [str(each.alias) for each in model.model_fields.values()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)
