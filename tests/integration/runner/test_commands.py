"""runtime.command, a Claude Code that misbehaves, and run documents that are wrong."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .conftest import KEY, Left, Pod

MakePod = Callable[[str], Pod]
GATEWAY = "http://gateway.test:8081"
LOST = "Work in the background was not finished"


def command(make_pod: MakePod, script: str, **changes: object) -> Pod:
    pod = make_pod(GATEWAY)
    runtime = {"type": "Command", "command": ["sh", "-c", script], "stallSeconds": 60}
    pod.write(**{"runtime": runtime, "prompt": "p", "input": "in put"} | changes)
    return pod


def test_a_command_gets_task_gateway_and_key(make_pod: MakePod) -> None:
    pod = command(
        make_pod,
        'test "$ANTHROPIC_API_KEY" = "$OPENAI_API_KEY" && echo $ANTHROPIC_BASE_URL '
        "$OPENAI_BASE_URL $HELIOSTAT_INPUT $HELIOSTAT_PROMPT $HELIOSTAT_PARAMETER_region; "
        "echo $ANTHROPIC_API_KEY; env | grep -c HELIOSTAT_RUN_DIR; cat",
    )

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert left.result["result"].splitlines() == [
        f"{GATEWAY} {GATEWAY}/v1 in put p EU",
        "[execution key]",
        "0",
        "in put",
    ]
    assert KEY.encode() not in left.stdout + left.message
    assert left.result["sessionId"] is None


def test_a_command_that_fails_tells_its_last_words(make_pod: MakePod) -> None:
    left = command(make_pod, "echo no such region >&2; exit 7").run()

    assert left.ending == ("Failed", "CommandFailed", 10)
    assert "exited with code 7: no such region" in left.result["message"]


def test_a_program_that_is_missing_is_the_configuration(make_pod: MakePod) -> None:
    runtime = {"type": "Command", "command": ["no-such-program"], "stallSeconds": 60}
    left = command(make_pod, "", runtime=runtime).run()

    assert left.ending == ("Failed", "RuntimeMissing", 14)
    assert "no-such-program" in left.result["message"]


def test_a_silent_command_is_stalled_and_not_started_again(make_pod: MakePod) -> None:
    script = "echo x >> starts; sleep 100"
    runtime = {"type": "Command", "command": ["sh", "-c", script], "stallSeconds": 1}
    pod = command(make_pod, script, runtime=runtime)

    left = pod.run(timeout=20)

    assert left.ending == ("Failed", "Stalled", 13)
    assert (pod.workspace / "starts").read_text() == "x\n"


def test_what_a_command_leaves_behind_is_ended(make_pod: MakePod) -> None:
    pod = command(
        make_pod,
        "setsid sleep 401 >/dev/null 2>&1 & touch started; until test -e go; do sleep 0.05; done",
    )
    running = pod.start()
    sleep = running.descendant("sleep 401")
    (pod.workspace / "go").touch()

    left = running.wait(timeout=15)

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert not sleep.is_running()
    assert LOST in left.result["message"]
    [lost] = [each for each in left.transcript if each.get("subtype") == "left_behind"]
    assert lost["programs"] == ["sleep"]


def test_a_command_that_ignores_sigterm_is_ended_within_the_grace_period(
    make_pod: MakePod,
) -> None:
    pod = command(
        make_pod, "trap '' TERM; touch started; sleep 402 & wait; sleep 403", graceSeconds=6
    )
    running = pod.start()
    sleep = running.descendant("sleep 402")

    running.terminate()
    left = running.wait(timeout=6)

    assert left.ending == ("Failed", "Terminated", 143)
    assert not sleep.is_running()


def test_verification_has_no_key_and_ends_with_the_clock(make_pod: MakePod) -> None:
    pod = command(
        make_pod,
        "true",
        verify={"command": ["sh", "-c", 'test -z "$ANTHROPIC_API_KEY" && sleep 100']},
        limits={"timeoutSeconds": 2, "maxTurns": None, "maxTokens": None, "maxCostMicros": None},
    )

    left = pod.run(timeout=20)

    assert left.ending == ("Failed", "TimedOut", 12)
    assert "verify.command" in left.result["message"]


def test_a_verifier_that_no_image_holds_is_the_configuration(make_pod: MakePod) -> None:
    bare = command(make_pod, "true", verify={"command": ["no-such-verifier"]}).run()
    path = command(make_pod, "true", verify={"command": ["./check"]}).run()

    assert bare.ending == ("Failed", "RuntimeMissing", 14)
    assert path.ending == ("Failed", "VerificationFailed", 11)


def test_an_announced_wait_is_no_stall(make_pod: MakePod) -> None:
    pod = make_pod(GATEWAY)
    pod.write(runtime={"type": "ClaudeCode", "stallSeconds": 1})
    retry = 'print(json.dumps({"type":"system","subtype":"api_retry","retry_delay_ms":2000}))\n'
    body = f"{retry}sys.stdout.flush()\ntime.sleep(2)\n{RESULT}"

    left = pod.run(HELIOSTAT_CLAUDE_BINARY=fake_claude(pod, body))

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert left.result["secondAttempts"] == 1


def test_stdout_ends_with_a_marker_that_the_result_repeats(make_pod: MakePod) -> None:
    pod = command(
        make_pod, "yes 'sixty-four bytes of text, to fill the log to its end' | head -c 9000000"
    )

    left = pod.run()

    assert len(left.stdout) <= 8 * 1024 * 1024
    last = json.loads(left.stdout.splitlines()[-1])
    assert last["text"] == left.result["transcript"]["marker"]
    assert left.result["transcript"]["stdoutCut"] is True
    assert left.result["transcript"]["lines"] == len(left.transcript) > 150_000


def test_a_long_line_is_cut_on_stdout_only(make_pod: MakePod) -> None:
    left = command(make_pod, "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end").run()

    lines = left.stdout.splitlines()
    assert max(len(line) for line in lines) < 16 * 1024
    assert any(json.loads(line)["subtype"] == "cut" for line in lines)
    assert any(len(event.get("text", "")) == 300_000 for event in left.transcript)
    assert left.result["truncated"] is True
    assert len(left.message) <= 4096


def test_a_wrong_run_document_names_the_field(make_pod: MakePod) -> None:
    left = command(make_pod, "true", graceSeconds=0).run()

    assert left.ending == ("Failed", "RunDocumentInvalid", 14)
    assert left.result["message"] == "graceSeconds must be a whole number of at least 1."


def test_no_run_document_at_all(make_pod: MakePod) -> None:
    left = make_pod(GATEWAY).run()

    assert left.ending == ("Failed", "RunDocumentInvalid", 14)
    assert left.result["message"].startswith("run.json must be readable")


def fake_claude(pod: Pod, body: str) -> str:
    """A program in the place of Claude Code."""
    path = pod.root / "claude"
    path.write_text(f"#!{sys.executable}\nimport json, os, signal, subprocess, sys, time\n{body}")
    path.chmod(0o755)
    return str(path)


RESULT = (
    'print(json.dumps({"type":"system","subtype":"init","session_id":"s"}))\n'
    'print(json.dumps({"type":"result","is_error":False,"terminal_reason":"completed",'
    '"stop_reason":"end_turn","result":"all done","permission_denials":[]}), flush=True)\n'
)


GO = "while not os.path.exists('go'): time.sleep(0.02)\n"


def run_fake(make_pod: MakePod, body: str, timeout: float = 20) -> tuple[Pod, Left]:
    pod = make_pod(GATEWAY)
    pod.write()
    binary = fake_claude(pod, body)
    return pod, pod.run(
        timeout=timeout, HELIOSTAT_CLAUDE_BINARY=binary, HELIOSTAT_LINGER_SECONDS="1"
    )


def test_claude_code_that_never_leaves_is_ended_and_its_result_kept(make_pod: MakePod) -> None:
    pod, left = run_fake(
        make_pod,
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('starts', 'a').write('x')\n" + RESULT + "time.sleep(100)",
    )

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert left.result["result"] == "all done"
    assert "did not leave" in left.result["message"]
    assert (pod.workspace / "starts").read_text() == "x"


@pytest.mark.parametrize("end", ["", "time.sleep(100)"], ids=["it leaves", "it never leaves"])
def test_work_that_claude_code_left_in_the_background_is_ended_and_told(
    make_pod: MakePod, end: str
) -> None:
    work = "subprocess.Popen(['sleep', '405'], start_new_session=True)\n"
    pod = make_pod(GATEWAY)
    pod.write()
    binary = fake_claude(pod, work + "open('ready', 'w').close()\n" + GO + RESULT + end)
    running = pod.start(HELIOSTAT_CLAUDE_BINARY=binary, HELIOSTAT_LINGER_SECONDS="1")
    sleep = running.descendant("sleep 405")
    (pod.workspace / "go").touch()

    left = running.wait(timeout=20)

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert not sleep.is_running()
    assert LOST in left.result["message"]


def test_a_bad_exit_code_overrules_a_good_result(make_pod: MakePod) -> None:
    _, left = run_fake(make_pod, RESULT + "sys.exit(9)")

    assert left.ending == ("Failed", "AgentError", 10)
    assert "exited with code 9" in left.result["message"]


def test_no_result_at_all_is_an_error_with_stderr(make_pod: MakePod) -> None:
    _, left = run_fake(make_pod, "sys.exit('cannot load the library')")

    assert left.ending == ("Failed", "AgentError", 10)
    assert "cannot load the library" in left.result["message"]


def test_output_that_is_no_json_does_no_harm(make_pod: MakePod) -> None:
    noise = 'sys.stdout.buffer.write(b"\\xff\\xfe [1]\\n[2]\\n\\"x\\"\\n")\n'
    _, left = run_fake(make_pod, noise + RESULT)

    assert left.ending == ("Succeeded", "Unverified", 0)


def test_a_binary_that_is_not_there_is_the_configuration(make_pod: MakePod) -> None:
    pod = make_pod(GATEWAY)
    pod.write()

    left = pod.run(HELIOSTAT_CLAUDE_BINARY=str(pod.root / "nothing"))

    assert left.ending == ("Failed", "RuntimeMissing", 14)


def test_zombies_of_others_are_reaped(make_pod: MakePod) -> None:
    body = (
        # orphans that die: their new parent, the runner, has to collect them
        "for _ in range(20):\n"
        "    subprocess.run(['sh', '-c', 'setsid true & exit 0'])\n"
        "open('ready', 'w').close()\n" + GO
    )
    pod = make_pod(GATEWAY)
    pod.write()
    running = pod.start(HELIOSTAT_CLAUDE_BINARY=fake_claude(pod, body + RESULT))
    wait_for_file(pod.workspace / "ready")
    deadline = time.monotonic() + 20
    while zombies_of(running.process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (pod.workspace / "go").touch()
    left = running.wait()

    assert left.ending == ("Succeeded", "Unverified", 0)


def zombies_of(pid: int) -> int:
    """How many children of a process have ended and were not asked how."""
    found = 0
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            found += child.status() == psutil.STATUS_ZOMBIE
    return found


def wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} does not appear"
        time.sleep(0.01)
