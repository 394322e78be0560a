"""Starts Claude Code's bundled binary with a PreToolUse hook and keeps what the hook is asked.

The command line and the environment are the runner's own; nothing of this machine's is read.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from heliostat_runner.claude import build_command_line, find_binary
from heliostat_runner.document import parse_document
from heliostat_runner.environment import build_claude
from heliostat_runner.settings import read_settings
from support.builders.run_documents import make_run_document

JsonMap = Mapping[str, object]


@dataclass(frozen=True)
class Asked:
    """One request that a hook of type http made."""

    headers: Mapping[str, str]
    body: bytes
    event: dict[str, object]

    @property
    def call(self) -> dict[str, object]:
        arguments = self.event["tool_input"]
        assert isinstance(arguments, dict)
        return arguments


@dataclass(frozen=True)
class Http:
    """An answer of the hook's server; `seconds` is how long it waits first."""

    body: bytes
    status: int = 200
    seconds: float = 0


def decide(decision: str, **more: object) -> Http:
    """What Claude Code documents as a decision of PreToolUse."""
    output = {
        "hookEventName": "PreToolUse",
        "permissionDecision": decision,
        "permissionDecisionReason": f"the hook says {decision}",
    }
    return Http(json.dumps({"hookSpecificOutput": output | more}).encode())


Answer = Callable[[Asked], Http]


class HookServer:
    """Answers hooks of type http on a free loopback port until `close`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.closed = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked = Asked(dict(self.headers), body, json.loads(body))
                server.asked.append(asked)
                answer = server.answer(asked)
                server.closed.wait(answer.seconds)
                try:
                    self.send_response(answer.status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/pre-tool-use"

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass(frozen=True)
class Ran:
    """How one start of the binary ended."""

    code: int
    events: list[dict[str, object]]
    stderr: str
    seconds: float
    peak_mib: int

    @property
    def result(self) -> dict[str, object]:
        """The one result event."""
        [result] = self.results
        return result

    @property
    def results(self) -> list[dict[str, object]]:
        return [event for event in self.events if event["type"] == "result"]

    @property
    def stop(self) -> tuple[int, object, object]:
        return self.code, self.result["subtype"], self.result["stop_reason"]

    @property
    def tool_results(self) -> list[dict[str, object]]:
        """The tools' results, as the model gets them."""
        found: list[dict[str, object]] = []
        for event in self.events:
            message = event.get("message")
            if event["type"] == "user" and isinstance(message, dict):
                content = message["content"]
                found += [
                    block
                    for block in content
                    if isinstance(block, dict) and block.get("type") == "tool_result"
                ]
        return found


@dataclass
class Claude:
    """One session in a workspace of its own; each `start` is one process."""

    root: Path
    model_url: str
    hooks: Sequence[JsonMap]
    allow: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    session: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.workspace = self.root / "workspace"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self._settings = read_settings(
            {
                "HELIOSTAT_WORKSPACE": str(self.workspace),
                "HELIOSTAT_RUN_DIR": str(self.root / "run"),
                "HELIOSTAT_STATE_DIR": str(self.root / "state"),
            }
        )

    @property
    def session_file(self) -> Path:
        [path] = (self._settings.home / ".claude" / "projects").glob(f"*/{self.session}.jsonl")
        return path

    def start(
        self,
        prompt: str = "",
        *,
        resume: bool = False,
        max_turns: int = 20,
        options: Sequence[str] = (),
        timeout: float = 120,
    ) -> Ran:
        binary = find_binary(self._settings)
        assert binary is not None
        document = parse_document(json.dumps(self._document(max_turns)))
        command = build_command_line(binary, document, self._settings, self.session, resume, 0)
        settings = json.dumps({"hooks": {"PreToolUse": self.hooks}})
        command[1:1] = [f"--settings={settings}", *self.options, *options]
        self._settings.home.mkdir(parents=True, exist_ok=True)
        environ = {
            **build_claude({}, self._settings, document, "hx-key-of-the-test"),
            **self.environ,
        }
        begun = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.workspace,
            env=environ,
        )
        peak = _Peak(process.pid)
        try:
            stdout, stderr = process.communicate(prompt.encode(), timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"Claude Code hangs:\n{stdout.decode()[-4000:]}") from None
        seconds = time.monotonic() - begun
        events = [json.loads(line) for line in stdout.splitlines()]
        return Ran(process.returncode, events, stderr.decode(), seconds, peak.close())

    def _document(self, max_turns: int) -> JsonMap:
        return make_run_document(
            self.model_url,
            tools={"allow": list(self.allow), "deny": []},
            limits={"timeoutSeconds": 60, "maxTurns": max_turns},
            storage="Volume",
            session={"id": self.session, "resume": False},
        )


class _Peak:
    """The largest resident memory of a process, looked at while it lives."""

    def __init__(self, pid: int) -> None:
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,))
        self._thread.start()

    def _watch(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            while not self._over.wait(0.05):
                self._peak = max(self._peak, process.memory_info().rss)
        except psutil.Error:
            return

    def close(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak >> 20


def http_hook(url: str, **more: object) -> JsonMap:
    """An entry for every tool, answered by the server at that URL."""
    return {"hooks": [{"type": "http", "url": url, **more}]}


def command_hook(command: str, **more: object) -> JsonMap:
    return {"hooks": [{"type": "command", "command": command, **more}]}
