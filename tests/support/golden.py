"""Golden files: what was reviewed once stays so. `UPDATE_GOLDEN=1` writes what comes out now."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_json.objects import JsonObject, object_at, parse_object

GOLDEN = Path(__file__).parents[1] / "unit" / "gateway" / "dialects" / "golden"
CALLERS = (Dialect.MESSAGES, Dialect.CHAT)
PROVIDERS = (Dialect.MESSAGES, Dialect.CHAT, Dialect.GEMINI)
DIRECTIONS = [
    (source, target) for source in CALLERS for target in PROVIDERS if target is not source
]
_OUTPUTS = tuple(f".{name}" for name in (*Dialect, "fault"))


def find_cases(kind: str, source: Dialect, suffix: str = ".json") -> list[Path]:
    """The inputs of one kind and source, by name."""
    inputs = (GOLDEN / kind / source).glob(f"*{suffix}")
    return sorted(path for path in inputs if not path.stem.endswith(_OUTPUTS))


def name_case(value: Path | Dialect) -> str:
    """A case as pytest names it."""
    return value.stem if isinstance(value, Path) else value.value


def read_object(path: Path) -> JsonObject:
    """The JSON object in a file."""
    found = parse_object(path.read_bytes())
    assert found is not None, f"{path} must hold a JSON object"
    return found


def output_of(case: Path, name: str) -> Path:
    """The file of what comes out of a case."""
    return case.with_name(f"{case.stem}.{name}{case.suffix}")


def find_outputs(kind: str, target: Dialect, suffix: str = ".json") -> list[Path]:
    """What came out for one target, of every source."""
    sources = [source for source in PROVIDERS if source is not target]
    return [path for each in sources for path in _outputs_of(GOLDEN / kind / each, target, suffix)]


def name_output(path: Path) -> str:
    """An output as pytest names it, its source first."""
    return f"{path.parent.name}-{path.stem}"


def compare_object(case: Path, name: str, value: Mapping[str, JsonValue]) -> None:
    """Compares with the file beside the case."""
    compare_text(case, name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def compare_text(case: Path, name: str, text: str) -> None:
    """Compares with the file beside the case."""
    expected = output_of(case, name)
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(text)
    if not expected.exists():
        pytest.fail(f"{expected.name} is missing: run with UPDATE_GOLDEN=1, then read it")
    assert text == expected.read_text()


def asked_by(caller: Dialect, more: JsonObject | None = None) -> JsonObject:
    """The request that an answer is for."""
    message: JsonObject = {"role": "user", "content": "Hello"}
    asked: JsonObject = {"model": "my-alias", "messages": [message]}
    if caller is Dialect.CHAT:
        asked["stream_options"] = {"include_usage": True}
    return {**asked, **object_at(more or {}, caller.value)}


def _outputs_of(folder: Path, target: Dialect, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*.{target}{suffix}"))
