"""An example for a JSON schema: what a scripted model answers where structured output is asked."""

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, list_at, object_at, text_at

_TEXT = "Scripted session"


def example(schema: JsonObject) -> JsonValue:
    """The smallest value that a JSON schema of the usual kind accepts."""
    choices = list_at(schema, "enum")
    if choices:
        return choices[0]
    kind = text_at(schema, "type")
    if kind == "object":
        fields = object_at(schema, "properties")
        return {
            name: example(field) if isinstance(field, dict) else None
            for name, field in fields.items()
        }
    simple: dict[str, JsonValue] = {
        "array": [],
        "boolean": False,
        "integer": 0,
        "number": 0,
        "null": None,
    }
    return simple.get(kind, _TEXT)
