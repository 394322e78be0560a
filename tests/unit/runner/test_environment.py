from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliostat_runner.claude import Hooks, build_command_line, has_session
from heliostat_runner.document import RunDocument, parse_document
from heliostat_runner.environment import build_claude, build_command, build_verify
from heliostat_runner.settings import SettingError, Settings, read_settings
from support.builders.guards import make_guard

SESSION = "11111111-1111-4111-8111-111111111111"


def make_document(model: str = "scripted/demo", **changes: object) -> RunDocument:
    document: dict[str, object] = {
        "version": 1,
        "execution": {"namespace": "d", "name": "n", "uid": "u"},
        "agent": {"name": "a"},
        "attempt": 1,
        "correlationId": "c",
        "trigger": {"kind": "Manual", "id": ""},
        "runtime": {"type": "ClaudeCode", "stallSeconds": 600},
        "prompt": "p",
        "input": "i",
        "parameters": [{"name": "due-date", "value": "now"}],
        "model": model,
        "tools": {"allow": ["Bash(git log, -n 3)", "Read"], "deny": ["WebFetch"]},
        "limits": {"timeoutSeconds": 1, "maxTurns": 5, "maxTokens": None, "maxCostMicros": None},
        "verify": None,
        "gateway": {"url": "http://gateway:8081"},
        "storage": "Ephemeral",
        "session": {"id": SESSION, "resume": False},
        "graceSeconds": 20,
    }
    return parse_document(json.dumps(document | changes))


def make_settings(**environ: str) -> Settings:
    return read_settings(environ)


FOREIGN = {
    "PATH": "/bin",
    "AGENT_SETTING": "blue",
    "HELIOSTAT_RUN_DIR": "/run/heliostat",
    "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    "ANTHROPIC_API_KEY": "of a person",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "CLAUDECODE": "1",
    "DISABLE_PROMPT_CACHING": "1",
    "OPENAI_API_KEY": "of a person",
    "HOME": "/root",
}


def test_claude_code_gets_the_agents_variables_and_none_of_the_platforms() -> None:
    environ = build_claude(FOREIGN, make_settings(), make_document(), "key")

    assert environ["AGENT_SETTING"] == "blue"
    assert environ["HOME"] == "/workspace/.heliostat/home"
    assert environ["ANTHROPIC_API_KEY"] == "key"
    assert environ["ANTHROPIC_BASE_URL"] == "http://gateway:8081"
    assert not {
        name for name in environ if name.startswith(("HELIOSTAT_", "KUBERNETES_", "OPENAI"))
    }
    assert not environ.keys() & {"CLAUDE_CODE_USE_BEDROCK", "CLAUDECODE", "DISABLE_PROMPT_CACHING"}


def test_side_models_are_pinned_unless_the_model_is_anthropics_own() -> None:
    pinned = build_claude({}, make_settings(), make_document("scripted/demo"), "key")
    own = build_claude({}, make_settings(), make_document("claude-opus-5-5"), "key")

    assert pinned["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "scripted/demo"
    assert "ANTHROPIC_DEFAULT_HAIKU_MODEL" not in own


def test_a_command_gets_both_dialects_and_verify_gets_no_key() -> None:
    command = build_command(FOREIGN, make_settings(), make_document(), "key")
    verify = build_verify(FOREIGN, make_settings(), make_document())

    assert command["OPENAI_BASE_URL"] == "http://gateway:8081/v1"
    assert command["OPENAI_API_KEY"] == command["ANTHROPIC_API_KEY"] == "key"
    assert verify["HELIOSTAT_PARAMETER_due_date"] == "now"
    assert not {name for name in verify if name.startswith(("ANTHROPIC_", "OPENAI_"))}


def test_an_agent_that_names_domains_finds_the_proxy_and_what_needs_none() -> None:
    proxy = {"url": "http://egress:3128", "direct": ["10.0.0.0/8"]}
    document = make_document(proxy=proxy, api={"url": "http://api:8080", "deliverySeconds": 1})
    command = build_command(FOREIGN, make_settings(), document, "a.b.c")
    claude = build_claude(FOREIGN, make_settings(), document, "a.b.c")

    for each in (command, claude):
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
            assert each[name] == "http://heliostat:a.b.c@egress:3128"
        assert (
            each["NO_PROXY"] == each["no_proxy"] == "localhost,127.0.0.1,::1,gateway,api,10.0.0.0/8"
        )
    assert "HTTPS_PROXY" not in build_verify(FOREIGN, make_settings(), document)
    assert "HTTPS_PROXY" not in build_command(FOREIGN, make_settings(), make_document(), "a.b.c")


def test_the_command_line_never_bypasses_permissions() -> None:
    line = build_command_line(
        Path("/claude"), make_document(), make_settings(), SESSION, resume=False, turns=0
    )

    assert "--permission-mode=dontAsk" in line
    assert "--setting-sources=" in line
    assert not [part for part in line if "bypass" in part or "dangerously" in part]
    allowed = line[line.index("--allowed-tools") + 1 : line.index("--disallowed-tools")]
    assert allowed == ["Bash(git log, -n 3)", "Read"]
    assert {"WebFetch", "AskUserQuestion", "Read(//run/heliostat/**)"} <= set(line)
    assert f"--session-id={SESSION}" in line
    assert "--max-turns=5" in line


def test_the_guards_hook_alone_allows_where_it_is_enforced() -> None:
    def build(hooks: Hooks | None) -> list[str]:
        return build_command_line(
            Path("/claude"), make_document(), make_settings(), SESSION, False, 0, hooks
        )

    plain, path = build(None), Path("/tmp/x/settings.json")
    option = f"--settings={path}"
    enforced, observed = build(Hooks(path, True)), build(Hooks(path, False))

    assert "--settings" not in " ".join(plain)
    assert [part for part in observed if part != option] == plain
    begin, end = plain.index("--allowed-tools"), plain.index("--disallowed-tools")
    assert [part for part in enforced if part != option] == plain[:begin] + plain[end:]
    assert observed.count(option) == enforced.count(option) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"NO_PROXY": "localhost,127.0.0.1,::1"}),
        ({"NO_PROXY": "corp"}, {"NO_PROXY": "corp,localhost,127.0.0.1,::1"}),
        ({"no_proxy": "corp"}, {"no_proxy": "corp,localhost,127.0.0.1,::1"}),
        ({"NO_PROXY": "*", "no_proxy": "*"}, {"NO_PROXY": "*", "no_proxy": "*"}),
    ],
)
def test_the_hook_is_asked_without_the_agents_own_proxy(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    proxied = {"HTTP_PROXY": "http://corp:3128", **given}
    guarded = build_claude(proxied, make_settings(), make_document(guard=make_guard()), "key")
    plain = build_claude(proxied, make_settings(), make_document(), "key")

    names = {"NO_PROXY", "no_proxy"}
    assert {name: guarded[name] for name in names & guarded.keys()} == expected
    assert {name: plain[name] for name in names & plain.keys()} == given
    assert {name: value for name, value in guarded.items() if name not in names} == {
        name: value for name, value in plain.items() if name not in names
    }


def test_a_resumed_session_has_the_turns_that_are_left() -> None:
    line = build_command_line(
        Path("/claude"), make_document(), make_settings(), SESSION, resume=True, turns=3
    )

    assert f"--resume={SESSION}" in line
    assert "--max-turns=2" in line


@pytest.mark.parametrize("turns", [4, 5, 6])
def test_no_session_has_zero_turns_left_for_that_is_no_limit(turns: int) -> None:
    line = build_command_line(Path("/c"), make_document(), make_settings(), SESSION, True, turns)

    assert "--max-turns=1" in line


def test_a_session_exists_only_with_its_file(tmp_path: Path) -> None:
    settings = make_settings(HELIOSTAT_WORKSPACE=str(tmp_path))
    folder = settings.home / ".claude" / "projects" / "-workspace"
    folder.mkdir(parents=True)
    assert not has_session(settings, SESSION)

    file = folder / f"{SESSION}.jsonl"
    file.touch()
    assert not has_session(settings, SESSION)

    file.write_text('{"type":"summary"}\n{}\n[]\n{"type":"user","mess')
    assert not has_session(settings, SESSION)

    file.write_text('{"type":"summary"}\n{"type":"user","message":{}}\n')
    assert has_session(settings, SESSION)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELIOSTAT_WORKSPACE", "here"),
        ("HELIOSTAT_STATE_DIR", "state"),
        ("HELIOSTAT_LINGER_SECONDS", "soon"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read_settings({name: value})
