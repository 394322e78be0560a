"""What an Agent's spec may hold, for the dashboard's form: its structural schema without prose."""

import json
from collections.abc import Mapping

from heliostat_core.agents import AgentSpec
from heliostat_core.schemas import structural_schema
from heliostat_core.worlds import JsonObject, JsonValue

_KEPT = frozenset(
    {
        *("type", "default", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum"),
        *("minItems", "maxItems", "properties", "items", "required"),
    }
)


def build_rules() -> str:
    """The rules as a file."""
    schema = _without_prose(structural_schema(AgentSpec, "spec"))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _without_prose(schema: JsonObject) -> JsonObject:
    return {key: _kept(key, value) for key, value in schema.items() if key in _KEPT}


def _kept(key: str, value: JsonValue) -> JsonValue:
    if key == "properties" and isinstance(value, Mapping):
        return {
            name: _without_prose(each) for name, each in value.items() if isinstance(each, Mapping)
        }
    if key == "items" and isinstance(value, Mapping):
        return _without_prose(value)
    return value
