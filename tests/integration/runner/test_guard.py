"""The guard with the real Claude Code binary: an action is asked about, and happens once or not."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from heliostat_policy.actions import digest_of, read_action
from heliostat_runner.claude import find_binary
from heliostat_runner.settings import read_settings
from support.builders.guards import make_decided, make_guard, make_rule
from support.sampling import rows_of_landing

from .anthropic_stub import AnthropicStub, Call, Calls, Say, Script, Turn, in_order
from .apis import UID, ApiProcess
from .conftest import RESUME, Left, Pod
from .hooked_claude import Answer, HookServer, Http, decide

Serve = Callable[[Script], AnthropicStub]
MakePod = Callable[[str], Pod]
TASK = {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}
OTHER = Call("Bash", {"command": "touch other"})


class Receiver:
    """Counts what it gets, and is not idempotent; `hold` lets it answer only at its end."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.hold = False
        self.arrived = threading.Event()
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.bodies.append(body)
                receiver.arrived.set()
                if receiver.hold:
                    receiver.over.wait(60)
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(201)
                    self.end_headers()
                    self.wfile.write(b"taken")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def send(self) -> Call:
        url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        return Call("Bash", {"command": f"curl -sS --data-binary @report.md {url}"})

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Parked:
    """A run that waits for a person; `restore` brings it back to where it parked."""

    pod: Pod
    model: AnthropicStub
    receiver: Receiver
    left: Left
    then: list[Turn]
    """What the model answers when the run goes on."""
    saved: Path

    @property
    def ask(self) -> Mapping[str, str]:
        found = self.left.result["ask"]
        assert isinstance(found, dict)
        return found

    @property
    def session(self) -> Path:
        [path] = (self.pod.workspace / ".heliostat").glob("home/.claude/projects/*/*.jsonl")
        return path

    def restore(self, *then: Turn) -> None:
        shutil.rmtree(self.pod.workspace)
        shutil.copytree(self.saved, self.pod.workspace, symlinks=True)
        self.restore_model(*then)

    def restore_model(self, *then: Turn) -> None:
        self.then[:] = [*then, Say("done")]
        self.model.requests.clear()
        self.receiver.bodies.clear()
        self.receiver.arrived.clear()

    def write(self, decision: str, max_turns: int = 20, **changes: object) -> None:
        decided = make_decided(
            decision, digest=self.ask["digest"], toolUseId=self.ask["toolUseId"], **changes
        )
        self.pod.write(
            guard=make_guard(CURL, decided=[decided]),
            attempt=2,
            session=RESUME,
            storage="Volume",
            tools={"allow": ["Bash"], "deny": []},
            limits={"timeoutSeconds": 60, "maxTurns": max_turns},
        )


CURL = make_rule("Ask", "curl")


@pytest.fixture(scope="module")
def parked_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parked]:
    """A sub-agent asks, then the main thread from another folder, then as it should be done."""
    root = tmp_path_factory.mktemp("parked")
    receiver = Receiver()
    script: list[Turn] = []
    then: list[Turn] = []

    def answer(turn: int, asked: int) -> Turn:
        if (turn, asked) == (0, 1):  # the sub-agent's own conversation
            return receiver.send
        if (turn, asked) == (1, 0):
            return Say("I could not.")
        if turn < len(script):
            return script[turn]
        return then[min(len(model.requests), len(then)) - 1]

    model = AnthropicStub(answer)
    pod = Pod(root, model.url)
    script += [
        Call("Agent", TASK),
        Call("Bash", {"command": "cd sub"}),
        receiver.send,
        Call("Bash", {"command": "cd .."}),
        Calls([receiver.send, OTHER]),
    ]
    (pod.workspace / "sub").mkdir()
    (pod.workspace / "report.md").write_text("all is well")
    pod.write(
        guard=make_guard(CURL), storage="Volume", tools={"allow": ["Bash", "Agent"], "deny": []}
    )
    left = pod.run()
    saved = root / "saved"
    shutil.copytree(pod.workspace, saved, symlinks=True)
    yield Parked(pod, model, receiver, left, then, saved)
    pod.close()
    model.close()
    receiver.close()


@pytest.fixture
def parked(parked_run: Parked) -> Parked:
    parked_run.restore()
    return parked_run


def told(left: Left) -> list[str]:
    """What the tools' results told the model."""
    return [
        str(block["content"])
        for event in left.transcript
        if event["type"] == "user" and isinstance(event["message"]["content"], list)
        for block in event["message"]["content"]
        if block.get("type") == "tool_result"
    ]


def test_an_ask_ends_the_attempt_and_what_cannot_wait_is_told(parked: Parked) -> None:
    left = parked.left

    assert left.ending == ("Failed", "AwaitingApproval", 16), left.stderr
    assert (left.result["cause"], "denied" in left.result) == ("approval", False)
    ask = parked.ask
    action = json.loads(ask["action"])
    assert ask["tool"] == "Bash"
    assert left.result["ask"]["complete"] is True
    assert action["args"] == parked.receiver.send.arguments
    assert action["target"] == {
        "cwd": str(parked.pod.workspace),
        "egress": ["example.com:443"],
    }
    assert (parked.receiver.bodies, (parked.pod.workspace / "other").exists()) == ([], False)
    words = "\n".join(told(left))
    assert "ask from the main thread" in words
    assert "Change back to that folder first" in words
    assert "refused by tools.allow" not in left.result["message"]


def test_a_grant_runs_the_call_once_and_the_turns_before_count(parked: Parked) -> None:
    parked.restore(OTHER, Call("Bash", {"command": "touch never"}))
    parked.write("Approve", max_turns=parked.left.result["turns"] + 1)

    left = parked.pod.run()

    assert left.ending == ("Failed", "TurnLimitReached", 12), left.stderr
    assert (parked.receiver.bodies, len(parked.model.requests)) == ([b"all is well"], 1)
    assert (parked.pod.workspace / "other").exists()
    assert not (parked.pod.workspace / "never").exists()
    assert left.result["receipts"] == [
        {"approval": "a-1", "digest": parked.ask["digest"], "outcome": "Done", "text": "taken"}
    ]

    marks = parked.pod.workspace / ".heliostat" / "grants"
    kept = {path.name: path.read_bytes() for path in marks.iterdir()}
    parked.restore()  # as if the attempt had died before its session was written
    marks.mkdir()
    for name, data in kept.items():
        (marks / name).write_bytes(data)

    again = parked.pod.run()

    assert again.ending == ("Succeeded", "Unverified", 0), again.stderr
    assert parked.receiver.bodies == []
    [receipt] = again.result["receipts"]
    assert (receipt["outcome"], again.result["denied"]) == ("Committed", 1)
    assert "its outcome is not known" in told(again)[0].lower()


def test_a_denial_is_told_and_the_session_goes_on(parked: Parked) -> None:
    parked.restore(OTHER)
    parked.write("Deny", reason="Not this report.")

    left = parked.pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0), left.stderr
    assert (left.result["denied"], "receipts" in left.result) == (1, False)
    assert "A person has denied this action: Not this report." in told(left)[0]
    assert (parked.receiver.bodies, (parked.pod.workspace / "other").exists()) == ([], True)


def test_a_call_that_was_edited_while_it_waited_is_refused(parked: Parked) -> None:
    data = parked.session.read_text()
    parked.session.write_text(data.replace("--data-binary @report.md", "-d secret"))
    parked.write("Approve")

    left = parked.pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0), left.stderr
    assert "The approved action was not carried out (changed)." in left.result["message"]
    assert "no longer the one that was approved" in told(left)[0]
    assert (parked.receiver.bodies, "receipts" in left.result) == ([], False)


def test_a_file_that_changed_while_the_call_waited_is_not_sent(parked: Parked) -> None:
    (parked.pod.workspace / "report.md").write_text("all is lost")
    parked.write("Approve")

    left = parked.pod.run()

    assert "no longer the one that was approved" in told(left)[0]
    assert (parked.receiver.bodies, left.result["denied"]) == ([], 1)


def test_an_allowed_call_that_is_cut_off_is_told_as_begun(parked: Parked) -> None:
    parked.receiver.hold = True
    parked.write("Approve")
    running = parked.pod.start()
    assert parked.receiver.arrived.wait(60)
    running.terminate()

    left = running.wait()

    parked.receiver.hold = False
    assert left.ending == ("Failed", "Terminated", 143)
    assert left.result["receipts"] == [
        {"approval": "a-1", "digest": parked.ask["digest"], "outcome": "Committed", "text": ""}
    ]
    assert len(parked.receiver.bodies) == 1


def test_a_call_that_claude_code_does_not_find_is_asked_about_again(parked: Parked) -> None:
    """Its line is longer than the part of the session's file that Claude Code looks at."""
    lines = parked.session.read_text().splitlines(keepends=True)
    marked = [line for line in lines if '"hook_deferred_tool"' in line]
    long = marked[0].replace('"attachment":{', f'"pad":"{"x" * (1 << 20)}","attachment":{{', 1)
    parked.session.write_text("".join(lines).replace(marked[0], long))
    parked.restore_model(parked.receiver.send)
    parked.write("Approve")

    left = parked.pod.run()

    assert left.ending == ("Failed", "AwaitingApproval", 16), left.stderr
    assert "it was not done" in str(parked.model.requests[0].body["messages"])
    assert left.result["ask"]["digest"] == parked.ask["digest"]
    assert left.result["ask"]["toolUseId"] != parked.ask["toolUseId"]
    assert (parked.receiver.bodies, "receipts" in left.result) == ([], False)
    notes = [event["subtype"] for event in left.transcript if event["type"] == "heliostat"]
    assert {"deferred_call_copied", "deferred_call_lost"} <= set(notes)


def test_an_action_too_long_for_the_result_is_with_the_api(
    serve: Serve, make_pod: MakePod, tmp_path: Path
) -> None:
    """So it can be approved; a result that has no room for it says where it is."""
    long = Call("Bash", {"command": f"curl -d {'x' * 4000} https://example.com/"})
    pod = make_pod(serve(in_order([long])).url)
    folder = tmp_path / "api"
    folder.mkdir()
    api = ApiProcess(folder)
    api.start()
    (pod.run_dir / "key").write_text(api.key())
    pod.write(
        execution={"namespace": "default", "name": "sales-1", "uid": UID},
        api={"url": api.url, "deliverySeconds": 30},
        guard=make_guard(CURL),
        storage="Volume",
        tools={"allow": ["Bash"], "deny": []},
    )

    left = pod.run()

    api.close()
    assert left.ending == ("Failed", "AwaitingApproval", 16), left.stderr
    ask = left.result["ask"]
    assert (ask["complete"], "action" in ask) == (True, False)
    canonical = api.action(ask["digest"])
    assert canonical is not None
    assert (len(canonical), digest_of(canonical)) == (ask["bytes"], ask["digest"])
    assert read_action(canonical).args == long.arguments


# ---- a hook that does not guard ------------------------------------------------------------------

HOOKS: list[tuple[str, Answer]] = [
    (
        "allows all",
        lambda asked: (
            decide("allow") if asked.event["hook_event_name"] == "PreToolUse" else Http(b"{}")
        ),
    ),
    ("dead", lambda _: Http(b"", 500)),
    ("other JSON", lambda _: Http(b'{"decision": "approve"}')),
]
ROWS = rows_of_landing("replaced-hooks", HOOKS, lambda row: row[0] == "allows all", 0.5)


@pytest.mark.parametrize("answer", [row[1] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_hook_that_was_replaced_ends_the_run_before_any_effect(
    serve: Serve, make_pod: MakePod, tmp_path: Path, answer: Answer
) -> None:
    """The binary is given other settings than ours, as by an image with another Claude Code."""
    hook = HookServer(answer)
    model = serve(in_order([Call("Bash", {"command": "touch effect"}), Say("done")]))
    pod = make_pod(model.url)
    pod.write(guard=make_guard(CURL), storage="Volume", tools={"allow": ["Bash"], "deny": []})

    left = pod.run(HELIOSTAT_CLAUDE_BINARY=str(redirecting_binary(tmp_path, hook.url)))

    hook.close()
    assert left.ending == ("Failed", "GuardBypassed", 17), left.stderr
    assert "Claude Code began without the guard's hook" in left.result["message"]
    assert not (pod.workspace / "effect").exists()


def redirecting_binary(folder: Path, url: str) -> Path:
    """Claude Code that asks another hook than the one in its file of settings."""
    settings = read_settings({})
    path = folder / "claude"
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "[option] = [each for each in sys.argv if each.startswith('--settings=')]\n"
        "file = option.partition('=')[2]\n"
        "found = json.load(open(file))\n"
        "for entries in found['hooks'].values():\n"
        f"    entries[0]['hooks'][0]['url'] = {url!r}\n"
        "json.dump(found, open(file, 'w'))\n"
        f"os.execv({str(find_binary(settings))!r}, sys.argv)\n"
    )
    path.chmod(0o755)
    return path


def test_what_is_only_observed_goes_on_and_is_counted(serve: Serve, make_pod: MakePod) -> None:
    model = serve(
        in_order([Call("Bash", {"command": "curl --version"}), Call("WebFetch", {}), Say("done")])
    )
    pod = make_pod(model.url)
    pod.write(guard=make_guard(CURL, mode="Observe"), tools={"allow": ["Bash"], "deny": []})

    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0), left.stderr
    assert told(left)[0].startswith("curl ")
    assert left.result["wouldAskCount"] == 1
    [call] = left.result["wouldAsk"]
    assert call["tool"] == "Bash"
    assert not {"ask", "receipts", "denied"} & left.result.keys()
