"""docs/helm.md: a table of the chart's values, from its schema."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import JsonValue

from tools.sections import table

CHART = Path(__file__).resolve().parent.parent / "charts" / "heliostat"


def build_table() -> str:
    """One row for each value that has no values below it."""
    schema: JsonValue = json.loads((CHART / "values.schema.json").read_text())
    values: JsonValue = yaml.safe_load((CHART / "values.yaml").read_text())
    return table(
        ("value", "default", "meaning"),
        [
            (f"`{path}`", f"`{json.dumps(value)}`", said)
            for path, value, said in _leaves(schema, values)
        ],
    )


def _leaves(
    schema: JsonValue, values: JsonValue, path: str = "", within: str = ""
) -> Iterator[tuple[str, JsonValue, str]]:
    assert isinstance(schema, dict)
    said = str(schema.get("description", ""))
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not isinstance(values, dict):
        yield path, values, said or within
        return
    for name, value in values.items():
        below = f"{path}.{name}" if path else name
        yield from _leaves(properties[name], value, below, said)
