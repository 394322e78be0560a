"""docs/gateway.md names every path for callers and every header that the gateway adds."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "gateway.md").read_text()


def test_every_path_for_callers_is_named() -> None:
    document: dict[str, dict[str, dict[str, object]]] = json.loads(
        (ROOT / "docs" / "gateway.openapi.json").read_text()
    )
    asked = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert len(asked) >= 6
    assert [each for each in sorted(asked) if f"`{each}`" not in PAGE] == []


def test_every_header_is_named() -> None:
    found: set[str] = set()
    for source in (ROOT / "gateway" / "heliostat_gateway").rglob("*.py"):
        found |= set(re.findall(r"\"(x-heliostat-[a-z-]*[a-z])\"", source.read_text()))
    named = set(re.findall(r"^\| `(x-heliostat-[a-z-]+)` \|", PAGE, re.MULTILINE))
    assert named == found
