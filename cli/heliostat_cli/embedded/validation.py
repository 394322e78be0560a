"""Validation of resources, with the API server's own words."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from jsonschema import Draft4Validator, FormatChecker, ValidationError

from heliostat_cli.embedded.schemas import Schema, as_re2
from heliostat_core.reading import part, text, texts
from heliostat_core.rules import broken_rules, repeated_items
from heliostat_core.worlds import InvalidError, JsonObject, Kind, Ref

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9.-]+/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LONGEST_NAME = 253
_LONGEST_LABEL = 63

_formats = FormatChecker(formats=())


@_formats.checks("date-time")
def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


@_formats.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_formats.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def check_valid(kind: Kind, schema: Schema, obj: JsonObject, old: JsonObject | None) -> None:
    """Raises InvalidError with every fault of the object; `old` is what it was before."""
    faults = [*_metadata_faults(obj), *_late_finalizers(obj, old), *_schema_faults(schema, obj)]
    if not faults and schema.root is not None:  # as the API server: rules only see sound objects
        faults = [
            f'{each.path}: Invalid value: "{each.type}": {each}'
            for each in broken_rules(obj, old, schema.root)
        ]
    if faults:
        raise InvalidError(invalid_text(kind, text(obj, "metadata", "name"), faults))


def check_known(ref: Ref, schema: Schema, obj: JsonObject) -> None:
    """Raises InvalidError for fields that the schema does not know: an apply takes none."""
    if unknown := schema.unknown_fields(obj):
        listed = ", ".join(f".{path}: field not declared in schema" for path in unknown)
        raise InvalidError(
            f"failed to create typed patch object ({ref.namespace}/{ref.name}; "
            f"{ref.kind.api_version}, Kind={ref.kind.name}): {listed}"
        )


def invalid_text(kind: Kind, name: str, faults: list[str]) -> str:
    """`Agent.heliostat.dev "x" is invalid: ...`, as the API server says it."""
    group = f".{kind.group}" if kind.group else ""
    listed = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
    return f'{kind.name}{group} "{name}" is invalid: {listed}'


def _metadata_faults(obj: JsonObject) -> Iterator[str]:
    name = text(obj, "metadata", "name")
    if not name:
        yield "metadata.name: Required value: name or generateName is required"
    elif len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        yield (
            f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist '
            "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
            "alphanumeric character, at most 253 in all"
        )
    for key, value in part(obj, "metadata", "labels").items():
        if not _LABEL_KEY.fullmatch(key):
            yield f'metadata.labels: Invalid value: "{key}": must be a qualified name'
        if (
            not isinstance(value, str)
            or len(value) > _LONGEST_LABEL
            or not _LABEL_VALUE.fullmatch(value)
        ):
            yield (
                f"metadata.labels: Invalid value: {_show(value)}: must be no more than 63 "
                "characters, alphanumeric, '-', '_' or '.', beginning and ending alphanumeric"
            )


def _late_finalizers(obj: JsonObject, old: JsonObject | None) -> Iterator[str]:
    """A deletion that began can't be held up by more."""
    if old is None or not text(old, "metadata", "deletionTimestamp"):
        return
    late = set(texts(obj, "metadata", "finalizers")) - set(texts(old, "metadata", "finalizers"))
    if late:
        yield (
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
            f"deleted, found new finalizers {sorted(late)}"
        )


def _schema_faults(schema: Schema, obj: JsonObject) -> Iterator[str]:
    if schema.root is None:
        return
    fields = {key: value for key, value in obj.items() if key in part(schema.root, "properties")}
    fields.pop("metadata", None)
    validator = Draft4Validator(schema.in_python, format_checker=_formats)
    for error in sorted(validator.iter_errors(fields), key=lambda each: str(each.json_path)):
        yield _fault(error)
    for path, keys in repeated_items(fields, schema.root):
        yield f"{path}: Duplicate value: {json.dumps(keys)}"


def _path_of(error: ValidationError) -> str:
    path = ""
    for step in error.absolute_path:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.lstrip(".")


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        return '"object"'
    if isinstance(value, list | tuple):
        return '"array"'
    return json.dumps(value, ensure_ascii=False)


def _type_name(value: object) -> str:
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (Mapping, "object"),
        ((list, tuple), "array"),
    )
    return next((name for type_, name in names if isinstance(value, type_)), "null")


Words = Callable[[str, object, object], str]

# What the API server says for each keyword: of the path, the given value and the bound.
_WORDS: Mapping[str, Words] = {
    "enum": lambda path, value, bound: (
        f"{path}: Unsupported value: {_show(value)}: supported values: "
        + ", ".join(json.dumps(each) for each in (bound if isinstance(bound, list) else []))
    ),
    "maxLength": lambda path, _value, bound: (
        f"{path}: Too long: may not be more than {bound} bytes"
    ),
    "minLength": lambda path, value, bound: (
        f"{path}: Invalid value: {_show(value)}: {path} in body should be at least {bound} "
        "chars long"
    ),
    "pattern": lambda path, value, bound: (
        f"{path}: Invalid value: {_show(value)}: {path} in body should match '{as_re2(str(bound))}'"
    ),
    "maxItems": lambda path, value, bound: (
        f"{path}: Too many: {len(value) if isinstance(value, list) else 0}: must have at most "
        f"{bound} items"
    ),
    "minItems": lambda path, value, bound: (
        f"{path}: Invalid value: {len(value) if isinstance(value, list) else 0}: {path} in body "
        f"should have at least {bound} items"
    ),
    "minimum": lambda path, value, bound: (
        f"{path}: Invalid value: {_show(value)}: {path} in body should be greater than or equal "
        f"to {bound}"
    ),
    "maximum": lambda path, value, bound: (
        f"{path}: Invalid value: {_show(value)}: {path} in body should be less than or equal "
        f"to {bound}"
    ),
    "type": lambda path, value, bound: (
        f'{path}: Invalid value: "{_type_name(value)}": {path} in body must be of type {bound}: '
        f'"{_type_name(value)}"'
    ),
    "format": lambda path, value, bound: (
        f"{path}: Invalid value: {_show(value)}: {path} in body must be of type {bound}: "
        f"{_show(value)}"
    ),
}


def _fault(error: ValidationError) -> str:
    path = _path_of(error)
    if error.validator == "required":
        missing = error.message.split("'")[1]
        return f"{path}.{missing}: Required value".lstrip(".")
    words = _WORDS.get(str(error.validator))
    if words is None:
        return f"{path}: Invalid value: {_show(error.instance)}: {error.message}"
    return words(path, error.instance, error.validator_value)
