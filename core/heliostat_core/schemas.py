"""Structural OpenAPI schemas, as Kubernetes wants them, from pydantic models.

Kubernetes takes a strict part of JSON schema: no references, no unions, a type everywhere. What a
model says beyond that is refused here, with its path, and so is a value without a bound.
"""

import re
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from heliostat_core.worlds import JsonObject, JsonValue

_KEPT = frozenset(
    {
        *("type", "format", "description", "default", "enum", "pattern"),
        *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "maxProperties"),
        *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations"),
    }
)
_DROPPED = frozenset({"title", "required", "properties", "items", "additionalProperties"})
_BEYOND_RE2 = re.compile(r"\(\?(?:[=!>]|<[=!]|P=|\()|\\[1-9AZ]|[*+?}]\+")
_INT32_MAX = 2**31 - 1
_EXACT_MAX = 2**53  # the API server reads bounds as 64-bit floats

_BOUNDS = {
    "string": ("maxLength",),
    "array": ("maxItems",),
    "integer": ("minimum", "maximum"),
    "boolean": (),
    "object": (),
}


class SchemaError(ValueError):
    """A model says what a structural schema can't; the text begins with the field's path."""


class _WholeDefaults(GenerateJsonSchema):
    """Defaults of nested models without nulls, yet whole: CEL rules judge them as they stand."""

    def encode_default(self, dft: object) -> object:
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", by_alias=True, exclude_none=True)
        return super().encode_default(dft)


def structural_schema(model: type[BaseModel], path: str) -> JsonObject:
    """The model's structural schema. Raises SchemaError naming the field below `path`."""
    schema = model.model_json_schema(schema_generator=_WholeDefaults)
    return _convert(schema, _objects(schema.get("$defs", {})), path)


def _convert(given: JsonObject, definitions: Mapping[str, JsonObject], path: str) -> JsonObject:
    schema = _resolve(_without_null(given, path), definitions)
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _BOUNDS:
        raise SchemaError(f"{path}: must have one type of {', '.join(_BOUNDS)}, not {kind!r}")
    unknown = schema.keys() - _KEPT - _DROPPED - {"const", "$defs"}
    if unknown:
        raise SchemaError(f"{path}: no place in a structural schema for {sorted(unknown)}")
    result: dict[str, JsonValue] = {key: schema[key] for key in schema if key in _KEPT}
    if result.get("default", 0) is None:
        del result["default"]
    if kind == "object":
        result |= _object_parts(schema, definitions, path)
    elif kind == "array":
        result["items"] = _convert(_object(schema.get("items", {})), definitions, f"{path}[*]")
    elif kind == "integer":
        result["format"] = _integer_format(result)
    _check(result, path)
    return result


def _without_null(given: JsonObject, path: str) -> JsonObject:
    """`X | None` is X, left out or not; any other union has no structural form."""
    if given.keys() & {"oneOf", "allOf", "not"}:
        raise SchemaError(f"{path}: no place in a structural schema for oneOf, allOf, not")
    if "anyOf" not in given:
        return given
    members = given["anyOf"]
    assert isinstance(members, list)
    branches = [branch for branch in map(_object, members) if branch.get("type") != "null"]
    if len(branches) != 1:
        raise SchemaError(f"{path}: must not be a union other than `X | None`; use CEL instead")
    return {**branches[0], **{key: value for key, value in given.items() if key != "anyOf"}}


def _resolve(given: JsonObject, definitions: Mapping[str, JsonObject]) -> JsonObject:
    """The schema itself instead of a reference; what stands beside the reference wins."""
    reference = given.get("$ref")
    if not isinstance(reference, str):
        return given
    beside = {key: value for key, value in given.items() if key != "$ref"}
    return {**definitions[reference.removeprefix("#/$defs/")], **beside}


def _object_parts(
    schema: JsonObject, definitions: Mapping[str, JsonObject], path: str
) -> dict[str, JsonValue]:
    """Properties, or the schema of a map's values; never both."""
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        return {"additionalProperties": _convert(values, definitions, f"{path}.*")}
    properties = _objects(schema.get("properties", {}))
    parts: dict[str, JsonValue] = {}
    if properties:
        parts["properties"] = {
            name: _convert(each, definitions, f"{path}.{name}") for name, each in properties.items()
        }
    if schema.get("required"):
        parts["required"] = schema["required"]
    return parts


def _integer_format(schema: Mapping[str, JsonValue]) -> str:
    largest = schema.get("maximum")
    return "int32" if isinstance(largest, int) and largest <= _INT32_MAX else "int64"


def _check(schema: JsonObject, path: str) -> None:
    if not schema.get("description") and not path.endswith(("[*]", ".*")):
        raise SchemaError(f"{path}: must have a description")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and _BEYOND_RE2.search(pattern):
        raise SchemaError(f"{path}: must have an RE2 pattern, not {pattern!r}")
    if "enum" in schema or schema.get("format") == "date-time":
        return
    bounds = _BOUNDS[str(schema["type"])]
    if "additionalProperties" in schema:
        bounds = ("maxProperties",)
    missing = [name for name in bounds if name not in schema]
    if missing:
        raise SchemaError(f"{path}: must have {' and '.join(missing)}")
    for name in ("minimum", "maximum"):
        if abs(int(str(schema.get(name, 0)))) > _EXACT_MAX:
            raise SchemaError(f"{path}: must have a {name} of at most 2^53")


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, Mapping)
    return value


def _objects(value: JsonValue) -> Mapping[str, JsonObject]:
    return {name: _object(each) for name, each in _object(value).items()}
