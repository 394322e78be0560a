"""The runner with the real Claude Code binary against a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable

import psutil
import pytest

from support.builders.run_documents import SESSION

from .anthropic_stub import AnthropicStub, Call, Cut, Refuse, Say, Script, Stall, Turn, in_order
from .conftest import KEY, RESUME, Pod

Serve = Callable[[Script], AnthropicStub]
MakePod = Callable[[str], Pod]
NO_RETRY = {"x-should-retry": "false"}


def test_an_agent_writes_and_runs_a_program_and_is_verified(
    serve: Serve, make_pod: MakePod
) -> None:
    model = serve(
        in_order(
            [
                Call("Write", {"file_path": "hello.py", "content": "print('hello')"}),
                Call("Bash", {"command": "python3 hello.py > hello.txt; env"}),
                Say("hello.txt is there."),
            ]
        )
    )
    pod = make_pod(model.url)
    pod.write(verify={"command": ["grep", "hello", "hello.txt"], "files": ["hello.txt"]})

    left = pod.run(DISABLE_TELEMETRY="x", KUBERNETES_PORT="tcp://x", AGENT_SETTING="blue")

    assert left.ending == ("Succeeded", "Verified", 0), left.stderr
    assert left.result["result"] == "hello.txt is there."
    assert left.result["turns"] == 3
    assert left.result["usage"] == {
        "inputTokens": 30,
        "outputTokens": 15,
        "cacheReadTokens": 0,
        "cacheWriteTokens": 0,
    }
    assert model.requests[0].headers["x-api-key"] == KEY
    assert KEY not in left.stdout.decode() + str(left.transcript)
    environ = str([event for event in left.transcript if event["type"] == "user"])
    assert "AGENT_SETTING=blue" in environ
    assert "HELIOSTAT_" not in environ
    assert "KUBERNETES_" not in environ
    assert "DISABLE_TELEMETRY" not in environ
    record = left.result["transcript"]
    assert record["lines"] == len(left.transcript)
    assert record["path"] == ".heliostat/transcript-1.jsonl"
    assert left.stdout.count(b"\n") == record["lines"]


def test_a_tool_that_no_rule_allows_is_refused_and_told(serve: Serve, make_pod: MakePod) -> None:
    turns: list[Turn] = [
        Call("WebFetch", {"url": "http://example.com", "prompt": "read"}),
        Call("Bash", {"command": "touch made"}),
        Say("I could not."),
    ]
    pod = make_pod(serve(in_order(turns)).url)
    pod.write(tools={"allow": ["Bash(git log:*)", "Read"], "deny": []})

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "2 tool calls were refused" in left.result["message"]
    assert not (pod.workspace / "made").exists()


def test_a_rule_with_commas_and_spaces_stays_one_rule(serve: Serve, make_pod: MakePod) -> None:
    turns: list[Turn] = [
        Call("Bash", {"command": "touch one, two"}),
        Call("Bash", {"command": "touch other"}),
        Say("done"),
    ]
    pod = make_pod(serve(in_order(turns)).url)
    pod.write(tools={"allow": ["Bash(touch one, two)", "Read"], "deny": []})

    pod.run()

    made = {path.name for path in pod.workspace.iterdir()}
    assert made == {".heliostat", "one,", "two"}


def test_the_workspace_cannot_change_the_rules(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Call("Bash", {"command": "touch made"}), Say("done")])).url)
    pod.write(tools={"allow": ["Read"], "deny": []})
    hook = {"hooks": [{"type": "command", "command": "touch hooked"}]}
    settings = json.dumps(
        {
            "permissions": {"allow": ["Bash"]},
            "hooks": {"SessionStart": [hook], "PreToolUse": [hook]},
        }
    )
    for folder in (pod.workspace / ".claude", pod.workspace / ".heliostat/home/.claude"):
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(settings)

    pod.run()

    assert not (pod.workspace / "made").exists()
    assert not (pod.workspace / "hooked").exists()


def test_tools_that_make_no_sense_unattended_are_not_offered(
    serve: Serve, make_pod: MakePod
) -> None:
    model = serve(in_order([Say("done")]))
    pod = make_pod(model.url)
    pod.write()

    left = pod.run()

    [init] = [event for event in left.transcript if event.get("subtype") == "init"]
    assert set(init["tools"]) <= {
        "Task",
        "Bash",
        "Edit",
        "NotebookEdit",
        "Read",
        "Skill",
        "ToolSearch",
        "WebSearch",
        "Write",
    }
    assert init["permissionMode"] == "dontAsk"
    assert init["skills"] == []


def test_max_turns_is_a_limit_of_its_own(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Call("Bash", {"command": "true"})])).url)
    pod.write(limits=limits(maxTurns=2))

    left = pod.run()

    assert left.ending == ("Failed", "TurnLimitReached", 12)
    assert left.result["cause"] == "limit"
    assert left.result["turns"] == 2


GUESTS_SPENT = (
    "The budget guests has reached its cost limit: $5.000000 of $5.000000 is spent or reserved. "
    "It starts anew at 2026-11-23T00:00:00Z."
)


def limits(**changes: object) -> dict[str, object]:
    return {
        "timeoutSeconds": 60,
        "maxTurns": 20,
        "maxTokens": None,
        "maxCostMicros": None,
    } | changes


@pytest.mark.parametrize(
    ("turn", "reason", "exit_code"),
    [
        (
            Refuse(402, "billing_error", "Cost limit of $0.50 reached.", NO_RETRY),
            "CostLimitReached",
            12,
        ),
        (
            Refuse(402, "billing_error", "Limit of 9 tokens reached.", NO_RETRY),
            "TokenLimitReached",
            12,
        ),
        (Refuse(429, "rate_limit_error", GUESTS_SPENT, NO_RETRY), "CostLimitReached", 12),
        (Refuse(401, "authentication_error", "revoked", NO_RETRY), "KeyRefused", 14),
        (Refuse(403, "permission_error", "no", NO_RETRY), "KeyRefused", 14),
        (Refuse(404, "not_found_error", "no model", NO_RETRY), "ModelUnavailable", 14),
        (Refuse(429, "rate_limit_error", "slow down", NO_RETRY), "ProviderFailed", 15),
        (Refuse(529, "overloaded_error", "busy", NO_RETRY), "ProviderFailed", 15),
        (Refuse(400, "invalid_request_error", "bad"), "AgentError", 10),
        (Cut("Half an ans"), "ProviderFailed", 15),
        (Say("no", stop_reason="refusal"), "Refusal", 10),
        (Say(""), "EmptyResult", 10),
    ],
)
def test_each_failure_has_its_reason(
    serve: Serve, make_pod: MakePod, turn: Turn, reason: str, exit_code: int
) -> None:
    pod = make_pod(serve(in_order([turn])).url)
    pod.write()

    left = pod.run()

    assert left.ending == ("Failed", reason, exit_code), left.result


def test_a_gateway_that_is_away_is_the_infrastructure(make_pod: MakePod) -> None:
    pod = make_pod("http://127.0.0.1:9")
    pod.write()

    left = pod.run()

    assert left.ending == ("Failed", "ProviderFailed", 15)
    assert left.result["cause"] == "infrastructure"
    assert left.result["secondAttempts"] == 4


def test_a_second_answer_for_one_turn_is_counted_and_recorded(
    serve: Serve, make_pod: MakePod
) -> None:
    model = serve(lambda _, asked: Cut("Half") if asked == 0 else Say("whole"))
    pod = make_pod(model.url)
    pod.write()

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert model.turns == [0, 0]
    assert left.result["secondAttempts"] == 1
    assert [event.get("subtype") for event in left.transcript].count("api_retry") == 1


# 20 s: on a crowded machine Claude Code alone needs 12 s to its first request
def test_a_stalled_session_is_resumed_once(serve: Serve, make_pod: MakePod) -> None:
    def script(turn: int, _: int) -> Turn:
        if turn == 0:
            return Call("Bash", {"command": "echo one >> steps"})
        return Stall() if turn == 1 else Say("done")

    model = serve(script)
    pod = make_pod(model.url)
    # The stall and two starts, in time
    pod.write(runtime={"type": "ClaudeCode", "stallSeconds": 20}, limits=limits(timeoutSeconds=200))

    left = pod.run(timeout=220)

    assert left.ending == ("Succeeded", "Unverified", 0), left.result
    assert "resumed once after a stall" in left.result["message"]
    assert model.turns.count(0) == 1
    assert (pod.workspace / "steps").read_text() == "one\n"


def test_a_session_that_stalls_again_is_given_up(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Stall()])).url)
    pod.write(runtime={"type": "ClaudeCode", "stallSeconds": 5})

    left = pod.run()

    assert left.ending == ("Failed", "Stalled", 13)


def test_a_long_tool_call_is_no_stall(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Call("Bash", {"command": "sleep 22"}), Say("done")])).url)
    pod.write(runtime={"type": "ClaudeCode", "stallSeconds": 20})

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "stall" not in left.result["message"]


def test_time_is_up(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Call("Bash", {"command": "sleep 100"})])).url)
    pod.write(limits=limits(timeoutSeconds=3))

    left = pod.run(timeout=20)

    assert left.ending == ("Failed", "TimedOut", 12)
    assert "limits.timeoutSeconds" in left.result["message"]


def test_tokens_are_used_up(serve: Serve, make_pod: MakePod) -> None:
    model = serve(in_order([Call("Bash", {"command": "true"}, 1000, 500)]))
    pod = make_pod(model.url)
    pod.write(limits=limits(maxTokens=4000))

    left = pod.run()

    assert left.ending == ("Failed", "TokenLimitReached", 12)
    # Three calls reach the limit. The fourth may be under way by then, and counts.
    assert left.result["usage"]["inputTokens"] in (3000, 4000)
    assert len(model.requests) <= 4


def test_a_cap_that_a_sub_agent_reaches_ends_the_run_with_a_result(
    serve: Serve, make_pod: MakePod
) -> None:
    """The gateway refuses every call of a run whose cap is used up, whoever makes it."""
    spent = Refuse(402, "billing_error", "Cost limit of $0.50 reached.", NO_RETRY)
    task = {
        "description": "count",
        "prompt": "Count.",
        "subagent_type": "general-purpose",
        "run_in_background": False,
    }
    model = serve(lambda _, __: spent if len(model.requests) > 1 else Call("Agent", task))
    pod = make_pod(model.url)
    pod.write(tools={"allow": ["Agent"], "deny": []})

    left = pod.run()

    assert len(model.requests) == 3
    assert left.ending == ("Failed", "CostLimitReached", 12), left.result


def test_sigterm_saves_the_session_and_a_second_attempt_goes_on(
    serve: Serve, make_pod: MakePod
) -> None:
    def script(turn: int, _: int) -> Turn:
        if turn == 0:
            return Call("Bash", {"command": "echo one >> steps"})
        return Call("Bash", {"command": "sleep 100"}) if turn == 1 else Say("done")

    model = serve(script)
    pod = make_pod(model.url)
    pod.write(storage="Volume")
    running = pod.start()
    sleep = running.descendant("sleep 100")
    running.terminate()
    first = running.wait(timeout=10)

    assert first.ending == ("Failed", "Terminated", 143)
    assert first.result["cause"] == "infrastructure"
    assert not sleep.is_running()

    pod.write(storage="Volume", attempt=2, session=RESUME)
    second = pod.run()

    assert second.ending == ("Succeeded", "Unverified", 0)
    assert second.result["resumed"] is True
    assert second.result["sessionId"] == first.result["sessionId"]
    assert model.turns.count(0) == 1
    assert (pod.workspace / "steps").read_text() == "one\n"
    assert second.result["transcript"]["path"] == ".heliostat/transcript-2.jsonl"


def test_a_session_that_is_gone_starts_again_and_says_so(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Say("done")])).url)
    pod.write(attempt=2, session=RESUME)

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert left.result["resumed"] is False
    assert left.result["sessionId"] == SESSION


def test_a_session_without_a_conversation_is_not_resumed(serve: Serve, make_pod: MakePod) -> None:
    model = serve(in_order([Say("done")]))
    pod = make_pod(model.url)
    pod.write()
    pod.run()
    [file] = pod.workspace.glob(f".heliostat/home/.claude/projects/*/{SESSION}.jsonl")
    file.write_text('{"type":"summary","summary":"Sales"}\n{"type":"user","mess')
    pod.write(attempt=2, session=RESUME)

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0), left.result
    assert left.result["resumed"] is False
    assert model.turns == [0, 0]


@pytest.mark.parametrize("content", ["", "{}\n"])
def test_a_session_that_is_not_to_be_resumed_starts_anew_under_its_id(
    serve: Serve, make_pod: MakePod, content: str
) -> None:
    model = serve(in_order([Say("done")]))
    pod = make_pod(model.url)
    pod.write()
    pod.run()
    [file] = pod.workspace.glob(f".heliostat/home/.claude/projects/*/{SESSION}.jsonl")
    if not content:
        file.write_text("")

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0), left.result
    assert left.result["resumed"] is False
    assert model.turns == [0, 0]


def test_nothing_survives_the_killing_of_claude_code(serve: Serve, make_pod: MakePod) -> None:
    command = "setsid sleep 301 & (setsid sh -c 'sleep 302 & sleep 303' &) ; sleep 304"
    pod = make_pod(serve(in_order([Call("Bash", {"command": command})])).url)
    pod.write()
    running = pod.start()
    sleeps = [running.descendant(f"sleep {number}") for number in (301, 302, 303, 304)]

    running.descendant("_bundled/claude").kill()
    left = running.wait(timeout=15)

    assert left.ending == ("Failed", "AgentError", 10)
    assert "signal 9" in left.result["message"]
    assert psutil.wait_procs(sleeps, timeout=1)[1] == []


def test_verification_decides(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Say("The report is written.")])).url)
    pod.write(
        verify={
            "command": ["sh", "-c", "echo total of $HELIOSTAT_PARAMETER_region is wrong; exit 3"]
        }
    )

    left = pod.run()

    assert left.ending == ("Failed", "VerificationFailed", 11)
    assert "total of EU is wrong" in left.result["message"]
    assert left.result["result"] == "The report is written."


def test_a_further_attempt_knows_what_verification_said(serve: Serve, make_pod: MakePod) -> None:
    model = serve(in_order([Say("done")]))
    pod = make_pod(model.url)
    verify = {"command": ["sh", "-c", "echo the total is 7, not 8; exit 1"]}
    pod.write(verify=verify)
    pod.run()

    pod.write(verify=verify, attempt=2, session=RESUME)
    second = pod.run()

    assert second.ending == ("Failed", "VerificationFailed", 11)
    assert "the total is 7, not 8" in json.dumps(model.requests[-1].body["messages"])


def test_work_that_was_evicted_during_verification_is_only_verified(
    serve: Serve, make_pod: MakePod
) -> None:
    model = serve(in_order([Say("All done.")]))
    pod = make_pod(model.url)
    pod.write(verify={"command": ["sleep", "501"]})
    running = pod.start()
    running.descendant("sleep 501")
    running.terminate()
    first = running.wait(timeout=10)

    pod.write(verify={"command": ["true"]}, attempt=2, session=RESUME)
    second = pod.run()

    assert first.ending == ("Failed", "Terminated", 143)
    assert second.ending == ("Succeeded", "Verified", 0)
    assert second.result["result"] == "All done."
    assert len(model.requests) == 1


def test_an_expected_file_that_is_empty_does_not_count(serve: Serve, make_pod: MakePod) -> None:
    pod = make_pod(serve(in_order([Say("done")])).url)
    pod.write(verify={"files": ["report.md", "chart.png"]})
    (pod.workspace / "report.md").touch()

    left = pod.run()

    assert left.ending == ("Failed", "VerificationFailed", 11)
    assert "'report.md' is empty" in left.result["message"]
    assert "no file 'chart.png'" in left.result["message"]
