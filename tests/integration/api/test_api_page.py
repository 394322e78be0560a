"""docs/api.md: its examples answer as it says, and it names every path."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import JsonValue

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLE = re.compile(r"```http\n(.*?)\n```\n```json (\d+)\n(.*?)\n?```", re.DOTALL)
IDS = ("agent", "execution")


@dataclass(frozen=True)
class Example:
    """A request of the page, and what it says of the answer."""

    request: str
    status: int
    answer: str

    async def ask(self, client: httpx2.AsyncClient) -> httpx2.Response:
        first, *rest = self.request.splitlines()
        method, path = first.split()
        headers = dict(line.split(": ", 1) for line in rest if not line.startswith("{"))
        body = "\n".join(line for line in rest if line.startswith("{")) or "{}"
        content = None if method == "GET" else body
        headers["Content-Type"] = "application/json"
        return await client.request(method, path, headers=headers, content=content)


def examples() -> Iterator[Example]:
    for request, status, answer in EXAMPLE.findall(PAGE):
        yield Example(request, int(status), answer)


def named(text: str, ids: Mapping[str, str]) -> str:
    """With the ids that were given out."""
    for name, each in ids.items():
        text = text.replace(f"{{{name}}}", each)
    return text


def difference(said: JsonValue, found: JsonValue, path: str = "") -> str:
    """Where the answer is not as the page says; what the page leaves out may be anything."""
    if isinstance(said, dict) and isinstance(found, dict):
        parts = (difference(each, found.get(key), f"{path}.{key}") for key, each in said.items())
        return "".join(parts)
    if isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        pairs = enumerate(zip(said, found, strict=True))
        return "".join(difference(a, b, f"{path}[{place}]") for place, (a, b) in pairs)
    is_id = path.removeprefix(".") in IDS
    return "" if said == found or (is_id and found) else f"{path}: {found!r} "


async def test_every_example_answers_as_the_page_says(client: httpx2.AsyncClient) -> None:
    ids: dict[str, str] = {}
    played = 0
    for example in examples():
        shown = Example(named(example.request, ids), example.status, named(example.answer, ids))
        answer = await shown.ask(client)
        assert answer.status_code == shown.status, (shown.request, answer.text)
        said, found = json.loads(shown.answer or "{}"), json.loads(answer.text or "{}")
        assert difference(said, found) == "", shown.request
        given = {name: found[name] for name in IDS if found.get(name)}
        ids = given | ids
        played += 1
    assert played > 10


def test_every_path_of_agents_executions_and_secrets_is_named() -> None:
    document = json.loads((ROOT / "api" / "openapi.json").read_text())
    asked = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith(
            ("/api/agents", "/api/executions", "/api/secrets", "/api/triggers", "/api/webhooks")
        )
    }
    assert len(asked) > 15
    assert [each for each in sorted(asked) if f"`{each}`" not in PAGE] == []
