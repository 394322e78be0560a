"""The routes file: each rule accepts and refuses, each mistake has its line, a change is seen."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.routes.document import RoutesDocument
from heliostat_gateway.routes.reading import RoutesError, parse_routes, read_routes
from heliostat_gateway.routes.routing import RoutesFile
from support.manifests import ROOT
from support.routes import KNOWN, NOW

BASE = """\
providers:
  local: {baseUrl: "http://localhost:1234/v1"}
prices:
  local/qwen: {input: "0", output: "0"}
models:
  fast:
    chain:
      - {provider: anthropic, model: claude-haiku-5-5}
      - {provider: local, model: qwen}
personas:
  press: {system: Report., model: fast}
"""
LINES = len(BASE.splitlines())


def mistakes_of(text: str) -> list[str]:
    try:
        parse_routes(text, KNOWN, NOW)
    except RoutesError as error:
        return [str(each) for each in error.findings]
    return []


@pytest.mark.parametrize(
    "added",
    [
        "",
        "aliases: {a: fast, b: a, c: claude-opus-5-5, d: persona/press, e: openai/gpt-6.1-sol}",
        "aliases: {claude-opus-4-0: fast}",
        "rules: [{agents: [news/*], persona: press}, {persona: press}]",
        "timeouts: {firstTokenSeconds: 0.5, idleSeconds: 10, totalSeconds: 10}",
        "defaultPrice: {input: '1', output: 2, cacheRead: '0.1'}",
        "# only a comment",
    ],
)
def test_good_files(added: str) -> None:
    assert mistakes_of(BASE + added) == []


def test_an_empty_file_is_good() -> None:
    assert mistakes_of("") == []
    assert mistakes_of("# nothing\n") == []


@pytest.mark.parametrize(
    ("added", "line", "words"),
    [
        ("modles: {}", 1, "modles: is no field here; did you mean models?"),
        (
            "rules:\n  - {persona: press, agent: [a]}",
            2,
            "rules[0].agent: is no field here; did you",
        ),
        ("timeouts:\n  idleSecond: 3", 2, "timeouts.idleSecond: is no field here"),
        ("timeouts:\n  idleSeconds: 4000", 2, "timeouts.idleSeconds: must be less than or equal"),
        ("timeouts:\n  idleSeconds: -1", 2, "must be greater than 0"),
        ("timeouts:\n  idleSeconds: soon", 2, "must be a valid number"),
        ("timeouts: {totalSeconds: 60, idleSeconds: 61}", 1, "totalSeconds (60) must not be below"),
        ("aliases:\n  a: b\n  b: a", 2, "aliases.a: leads back to itself"),
        ("aliases:\n  a: b\n  b: c\n  c: b", 2, "aliases.a: leads back to itself"),
        (
            "aliases:\n  x: nothing",
            2,
            "aliases.x: no model or alias of this file is called nothing",
        ),
        ("aliases:\n  x: persona/none", 2, "is called persona/none"),
        ("aliases:\n  x: local/other", 2, "is called local/other"),
        ("aliases:\n  fast: claude-opus-5-5", 2, "aliases.fast: is the name of a model too"),
        ("aliases:\n  persona/x: fast", 2, "must not begin with persona/ or scripted/"),
        ("aliases:\n  'a b': fast", 2, "must match pattern"),
        ("rules:\n  - agents: [a]\n    persona: nobody", 3, "no persona is called nobody"),
        ("rules:\n  - persona: press\n  - agents: [a]\n    persona: press", 3, "rule 1 fits every"),
        ("rules:\n  - {persona: press, agents: []}", 2, "rules[0].agents: must have at least 1"),
        ("defaultPrice: {input: 0.5, output: '1'}", 1, 'in quotes, so that it stays exact: "0.5"'),
        ("defaultPrice: {input: '1'}", 1, "defaultPrice.output: is required"),
        ("defaultPrice: {input: '-1', output: '1'}", 1, "must be from 0 to 1000000"),
        ("defaultPrice: {input: much, output: '1'}", 1, 'must be a decimal text such as "3.75"'),
        ("aliases: [a]", 1, "aliases: must be a valid dictionary"),
        ("aliases:\n  a: fast\n  a: fast", 3, "aliases.a: is there twice, in lines"),
        ("aliases: &x {a: fast}\nrules: *x", 1, "must not be referred to"),
        ("aliases: {a: fast", 1, "expected ',' or '}'"),
        ("\tx: 1", 1, "found character"),
    ],
)
def test_a_mistake_is_named_with_its_line(added: str, line: int, words: str) -> None:
    found = mistakes_of(BASE + added)
    assert found, "nothing was refused"
    assert found[0].startswith(f"routes.yaml:{LINES + line}: "), found
    assert words in found[0]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("local: {", "openai: {", 2, "providers.openai: is a provider of the gateway"),
        ("local: {", "Local: {", 2, "must match pattern"),
        ("http://localhost:1234/v1", "localhost:1234", 2, "must be an http or https address"),
        ("http://localhost:1234/v1", "http://u:p@localhost", 2, "address without user"),
        ('/v1"', '/v1", keyVariable: OPENAI_API_KEY', 2, "that key is for another provider"),
        ('/v1"', '/v1", keyVariable: PATH', 2, "providers.local.keyVariable: must match pattern"),
        ("local/qwen: {", "qwen: {", 4, "prices.qwen: must be PROVIDER/MODEL"),
        ("local/qwen: {", "locale/qwen: {", 4, "no provider is called locale"),
        ("local/qwen: {", "scripted/hello: {", 4, "prices of a scenario are in its own file"),
        ("model: qwen", "model: other", 9, "no price is known for local/other"),
        ("anthropic, model: claude-haiku-5-5", "scripted, model: x", 8, "no scenario is called x"),
        (
            "provider: anthropic",
            "provider: antropic",
            8,
            "chain[0].provider: no provider is called",
        ),
        ("claude-haiku-5-5}", "claude-haiku-5-5, x: 1}", 8, "chain[0].x: is no field here"),
        (
            "provider: anthropic, model: claude-haiku-5-5",
            "provider: local, model: qwen",
            9,
            "already",
        ),
        ("  fast:\n", "  fast:\n    timeout: 3\n", 7, "did you mean timeouts?"),
        ("  fast:\n", "  fast:\n    cache: {exact: false}\n", 7, "must be True"),
        ("  fast:\n", "  fast:\n    cache: {exact: true, ttlSeconds: 0}\n", 7, "greater than or"),
        (
            "  fast:\n",
            "  fast:\n    personal: true\n    cache: {exact: true}\n",
            8,
            "must not be togeth",
        ),
        (
            "  fast:\n",
            "  fast:\n    timeouts: {totalSeconds: 9, idleSeconds: 10}\n",
            7,
            "totalSeconds (9) must not",
        ),
        ("  fast:\n", "  scripted/x:\n", 6, "must not begin with persona/ or scripted/"),
        (", model: fast", "", 11, "personas.press.model: is required"),
        ("model: fast}", "model: none}", 11, "personas.press.model: no model or alias"),
        ("model: fast}", "model: persona/press}", 11, "must be a model, not a persona"),
        ("system: Report., ", "", 11, "must have either system or systemFile"),
        ("Report.,", "Report., systemFile: a,", 11, "must have either system or systemFile"),
        ("system: Report.", "systemFile: ../a", 11, "must be a path below the folder"),
        ("model: fast}", "model: fast, defaults: {stream: true}}", 11, "defaults.stream: can't be"),
    ],
)
def test_a_mistake_inside_an_entry_is_named_with_its_line(
    old: str, new: str, line: int, words: str
) -> None:
    assert old in BASE
    found = mistakes_of(BASE.replace(old, new))
    assert any(each.startswith(f"routes.yaml:{line}: ") and words in each for each in found), found


def test_all_mistakes_are_told_in_one_run_and_none_follows_from_another() -> None:
    text = BASE.replace("localhost:1234/v1", " ") + "aliases:\n  a: a\n  b: fast\nrules: [{}]\n"
    found = mistakes_of(text)
    assert [each.split(": ")[0] for each in found] == [
        "routes.yaml:2",
        f"routes.yaml:{LINES + 2}",
        f"routes.yaml:{LINES + 4}",
    ]


def test_a_deep_file_is_refused_and_does_not_break_the_reader() -> None:
    (found,) = mistakes_of("a: " + "[" * 1200)  # more levels than Python has frames
    assert found.startswith("routes.yaml:")


def test_the_example_of_the_docs_is_good_for_the_gateway_and_for_the_schema() -> None:
    page = (ROOT / "docs" / "routes.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert mistakes_of(example) == []
    schema = json.loads((ROOT / "docs" / "routes.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(example), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(example) | {"modles": {}}, schema)


class Watched:
    """A routes file that the test changes, and a clock that it moves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.writes = 0
        self.write(BASE)
        self.source = RoutesFile(path, KNOWN, lambda: self.now)

    def write(self, text: str, path: Path | None = None) -> None:
        self.writes += 1
        file = path or self.path
        file.write_text(text)
        os.utime(file, ns=(self.writes, self.writes))

    def names(self, seconds: float = 1) -> list[str]:
        self.now += seconds
        return list(self.source.current().models)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "routes.yaml")


def test_a_changed_file_is_taken_within_a_second(watched: Watched) -> None:
    watched.write(BASE.replace("  fast:", "  faster:").replace("model: fast", "model: faster"))
    assert watched.names(0.5) == ["fast"]
    assert watched.names(0.5) == ["faster"]


def test_an_unchanged_file_keeps_its_table(watched: Watched) -> None:
    before = watched.source.current()
    watched.now += 100
    assert watched.source.current() is before


@pytest.mark.parametrize("spoil", [lambda p: p.write_text("modles: {}"), lambda p: p.unlink()])
def test_a_broken_file_keeps_the_table_before_it_and_says_so(
    watched: Watched, spoil: Callable[[Path], None]
) -> None:
    spoil(watched.path)
    assert watched.names() == ["fast"]
    assert watched.source.problem is not None
    assert watched.source.problem.startswith("routes.yaml:1: ")
    watched.write(BASE)
    assert watched.names() == ["fast"]
    assert watched.source.problem is None


def test_a_system_file_is_read_and_watched(watched: Watched, tmp_path: Path) -> None:
    prompt = tmp_path / "press.txt"
    watched.write(BASE.replace("system: Report.", "systemFile: press.txt"))
    watched.names()
    assert watched.source.problem is not None
    assert "personas.press.systemFile: can't be read: No such file" in watched.source.problem
    for text in ("First.", "Second."):
        watched.write(text, prompt)
        watched.names()
        assert watched.source.problem is None
        assert watched.source.current().personas["press"].persona.system == text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read: No such file"),
        (b"\xff\xfe", "can't be read"),
        (b"x" * 2**21, "larger"),
    ],
)
def test_a_file_that_can_not_be_read_stops_the_start(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "routes.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RoutesError, match=words):
        read_routes(path, KNOWN)


def test_mistakes_of_shape_hide_no_mistakes_of_reference() -> None:
    """Also in the same entry: what is broken is set aside alone."""
    text = BASE.replace("  fast:\n", "  fast:\n    timeout: 3\n")
    text = text.replace("provider: anthropic", "provider: antropic")
    text = text.replace("model: fast}", "model: none, x: 1}")
    found = mistakes_of(text)
    for words in (
        "models.fast.timeout: is no field here",
        "chain[0].provider: no provider is called antropic",
        "personas.press.x: is no field here",
        "personas.press.model: no model or alias",
    ):
        assert any(words in each for each in found), (words, found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- a", ["routes.yaml:1: must be an object with sections such as models"]),
        (
            "rules: [{}, {}]",
            [
                "routes.yaml:1: rules[0].persona: is required",
                "routes.yaml:1: rules[1].persona: is required",
            ],
        ),
    ],
)
def test_a_file_or_a_section_that_is_wrong_as_a_whole_is_named(text: str, found: list[str]) -> None:
    assert mistakes_of(text) == found


def test_a_name_that_pydantic_uses_itself_is_a_name_like_others() -> None:
    (found,) = mistakes_of('"[key]": 1')
    assert found.startswith("routes.yaml:1: [key]: is no field here")
    found, *_ = mistakes_of(BASE + 'aliases: {"[key]": fast}')
    assert found.startswith(f"routes.yaml:{LINES + 1}: aliases.[key]: must match pattern")


NAMES = st.sampled_from(["fast", "press", "local", "local/qwen", "a", "A b", "[key]"])
FIELDS = st.sampled_from(["chain", "model", "provider", "system", "persona", "input", "baseUrl"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES | st.sampled_from(["", "http://a", "../a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES | FIELDS, inner, max_size=3),
    max_leaves=8,
)
SECTIONS = st.sampled_from([*RoutesDocument.model_json_schema()["properties"], "[key]"])


@given(st.dictionaries(SECTIONS, ANYTHING, max_size=4))
def test_whatever_a_file_says_it_is_read_or_its_mistakes_are_named(
    document: dict[str, object],
) -> None:
    mistakes_of(yaml.safe_dump(document))


def test_a_system_file_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(BASE.replace("system: Report.", "systemFile: press.txt"))
    for prompt in ("", "x" * 100_001):
        (tmp_path / "press.txt").write_text(prompt)
        with pytest.raises(RoutesError, match="must hold 1 to 100000 characters"):
            read_routes(path, KNOWN)
    (tmp_path / "press.txt").write_text("x" * 100_000)
    assert len(read_routes(path, KNOWN).table.personas["press"].persona.system) == 100_000
