"""Scenarios: the format, which turn answers, what is filled in."""

from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import JsonValue

from heliostat_json.objects import JsonObject
from heliostat_scripted.conversation import Conversation, read_conversation
from heliostat_scripted.examples import example
from heliostat_scripted.scenario import (
    Scenario,
    ScenarioError,
    read_scenario,
    read_scenarios,
)
from heliostat_scripted.script import (
    Counters,
    Script,
    Text,
    ToolUse,
    build_script,
    find_turn,
)
from heliostat_scripted.sidecalls import side_answer

PACKAGED = Path(str(files("heliostat_scripted") / "scenarios"))
PRICES = 'prices: {input: "1", output: "1", cacheRead: "1", cacheWrite5m: "1", cacheWrite1h: "1"}'


def scenario(tmp_path: Path, turns: str, extra: str = "") -> Scenario:
    path = tmp_path / "s.yaml"
    path.write_text(f"description: d\n{PRICES}\n{extra}\nturns:\n{turns}")
    return read_scenario(path)


def user(*content: JsonValue) -> JsonObject:
    return {"role": "user", "content": list(content)}


def words(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def called(name: str) -> JsonObject:
    return {"role": "assistant", "content": [{"type": "tool_use", "name": name, "input": {}}]}


def result(text: str, *, error: bool = False) -> JsonObject:
    return user({"type": "tool_result", "content": [words(text)], "is_error": error})


def seen(*messages: JsonObject, **fields: JsonValue) -> Conversation:
    return read_conversation({"model": "m", "messages": [*messages], **fields}, 400)


def played(found: Scenario, conversation: Conversation) -> Script:
    index = find_turn(found, conversation)
    assert index is not None
    turn = found.turns[index]
    return build_script(found, turn, conversation, turn.steps)


def test_every_scenario_that_ships_is_valid_and_documented() -> None:
    shipped = read_scenarios(PACKAGED)
    page = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
    assert {"default", "hello", "stall", "overloaded", "cut", "tools", "long"} <= set(shipped)
    assert [name for name in shipped if f"`{name}`" not in page] == []


def test_a_conversation_is_read_from_the_messages_alone() -> None:
    conversation = seen(
        user(words("<system-reminder>\nnot said\n</system-reminder>\n"), words("make a report")),
        {"role": "system", "content": [words(" - Primary working directory: /srv/here\n")]},
        called("Write"),
        result("written"),
        called("Bash"),
        called("Bash"),  # one answer in two messages
        result("boom", error=True),
        system=[words("You are an agent")],
        tools=[{"name": "Bash"}, {"name": "Write"}],
        stream=True,
    )
    assert conversation.prompt == conversation.said == "make a report"
    assert (conversation.turn, conversation.last_tool) == (2, "Bash")
    assert (conversation.result, conversation.result_error) == ("boom", True)
    assert conversation.cwd == "/srv/here"
    assert conversation.system.startswith("You are an agent")
    assert conversation.offers == {"Bash", "Write"}


def test_a_plain_text_content_is_read_too() -> None:
    conversation = seen({"role": "user", "content": "hello"}, system="s")
    assert (conversation.prompt, conversation.turn, conversation.cwd) == ("hello", 0, ".")


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("{turn: 1}", True),
        ("{turn: 0}", False),
        ("{turn: {from: 1}}", True),
        ("{turn: {to: 0}}", False),
        ("{prompt: 'sales of \\w+'}", True),
        ("{prompt: purchases}", False),
        ("{said: sales}", True),
        ("{system: cell}", False),
        ("{result: 'rows=\\d+'}", True),
        ("{resultError: true}", False),
        ("{resultError: false, lastTool: Bash}", True),
        ("{lastTool: Write}", False),
        ("{offers: [Bash]}", True),
        ("{offers: [Bash, Write]}", False),
        ("{model: ^m$}", True),
    ],
)
def test_when(tmp_path: Path, when: str, holds: bool) -> None:
    found = scenario(tmp_path, f"  - when: {when}\n    steps: [{{text: x}}]\n")
    conversation = seen(
        user(words("the sales of May")), called("Bash"), result("rows=7"), tools=[{"name": "Bash"}]
    )
    assert (find_turn(found, conversation) == 0) is holds


def test_templates_reach_every_text_of_the_arguments(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        "  - steps:\n"
        "      - tool:\n"
        "          name: Write\n"
        "          input: {path: <<cwd>>/a.py, list: [<<month>>, 3],\n"
        "                  deep: {text: 'f\"{x}<<none>>\"'}}\n",
        "variables:\n"
        "  month: {from: prompt, pattern: 'sales of (\\w+)'}\n"
        "  none: {from: result, pattern: nothing, default: '-'}\n",
    )
    (action,) = played(found, seen(user(words("the sales of May")))).actions
    assert isinstance(action, ToolUse)
    assert action.input == {"path": "./a.py", "list": ["May", 3], "deep": {"text": 'f"{x}-"'}}


def test_the_same_request_gives_the_same_ids_and_another_turn_others(tmp_path: Path) -> None:
    found = scenario(tmp_path, "  - steps: [{tool: {name: Bash}}]\n")
    first = seen(user(words("go")))
    second = seen(user(words("go")), called("Bash"), result("ok"))
    assert played(found, first) == played(found, first)
    assert played(found, first).id != played(found, second).id


def test_usage_that_is_not_stated_is_counted(tmp_path: Path) -> None:
    script = played(scenario(tmp_path, "  - steps: [{text: abcde}]\n"), seen(user(words("go"))))
    assert (script.usage.input, script.usage.output, script.stop_reason) == (100, 2, "end_turn")


def test_a_fault_with_times_ends(tmp_path: Path) -> None:
    assert tmp_path
    counters = Counters(limit=2)
    key = ("uid", "s", 0, 0)
    assert [counters.is_due(key, 2) for _ in range(4)] == [True, True, False, False]
    assert all(counters.is_due(key, None) for _ in range(3))
    for n in range(5):
        counters.is_due((f"other-{n}", "s", 0, 0), 1)
    assert len(counters.played) == 2


@pytest.mark.parametrize(
    ("turns", "mistake"),
    [
        ("  - steps: [{text: a, tool: {name: b}}]\n", "exactly one of"),
        ("  - steps: [{text: a, times: 1}]\n", "times belongs to"),
        ("  - steps: []\n", "needs steps"),
        ("  - steps: [{text: <<nobody>>}]\n", "placeholder without a variable .*nobody"),
        ("  - when: {said: '('}\n    steps: [{text: a}]\n", "no regular expression"),
        ("  - sepst: [{text: a}]\n", "turns.0.sepst"),
        ("  - fault: {status: 200}\n", "turns.0.fault.status"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, turns: str, mistake: str) -> None:
    with pytest.raises(ScenarioError, match=rf"scenario file s.yaml: .*{mistake}"):
        scenario(tmp_path, turns)


def test_a_price_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text('description: d\nprices: {input: "1"}\nturns: [{steps: []}]')
    with pytest.raises(ScenarioError, match="cacheRead"):
        read_scenario(tmp_path / "s.yaml")


def test_a_later_folder_wins(tmp_path: Path) -> None:
    scenario(tmp_path, "  - steps: [{text: mine}]\n")
    (tmp_path / "s.yaml").rename(tmp_path / "hello.yaml")
    found = read_scenarios(PACKAGED, tmp_path)["hello"]
    assert played(found, seen(user(words("x")))).actions == (Text("mine"),)


CLAUDE_CODE = "x-anthropic-billing-header: cc_version=2.1"


@pytest.mark.parametrize(
    ("conversation", "answer"),
    [
        (seen(user(words("quota"))), "Scripted session"),
        (
            seen(
                user(words("fix the bug")),
                system=f"{CLAUDE_CODE}\nGenerate a concise, sentence-case title",
                output_config={
                    "format": {
                        "type": "json_schema",
                        "schema": {"type": "object", "properties": {"title": {"type": "string"}}},
                    }
                },
            ),
            '{"title": "Scripted session"}',
        ),
        (
            seen(user(words("a short kebab-case name please")), system=CLAUDE_CODE),
            "scripted-session",
        ),
        (
            seen(
                user(words("do it")),
                called("Bash"),
                user(words("create a detailed summary of the conversation so far")),
                tools=[{"name": "Bash"}],
            ),
            "<summary>\nThe task: do it\n</summary>",
        ),
    ],
)
def test_side_calls_are_answered(conversation: Conversation, answer: str) -> None:
    script = side_answer(conversation)
    assert script is not None
    assert script.actions == (Text(answer),)


def test_what_a_person_asks_is_no_side_call() -> None:
    assert side_answer(seen(user(words("summarize this session title")))) is None
    assert side_answer(seen(user(words("hi")), system=CLAUDE_CODE)) is None
    assert side_answer(seen(user(words("session title")), tools=[{"name": "Bash"}])) is None


def test_an_example_of_a_schema() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "list": {"type": "array"},
            "yes": {"type": "boolean"},
            "n": {"type": "integer"},
        },
    }
    assert example(schema) == {"kind": "a", "list": [], "yes": False, "n": 0}
