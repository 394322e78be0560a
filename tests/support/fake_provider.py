"""All three model APIs on one free port: the scripted provider as a process of a test's own."""

import contextlib
import json
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from heliostat_scripted.bill import BillEntry

KEY = "sk-scripted-test-key"
KEY_NAME = "default"
READY_SECONDS = 30
_ENTRIES = TypeAdapter(list[BillEntry])


@dataclass(frozen=True)
class FakeProviders:
    """The server. Its key is `KEY` unless others were given."""

    url: str
    bill_file: Path
    key: str = KEY

    @property
    def messages_url(self) -> str:
        """Base URL for the Anthropic SDK and for a provider of the messages dialect (no /v1)."""
        return self.url

    @property
    def chat_url(self) -> str:
        """Base URL for the OpenAI SDK and for a provider of the chat dialect (with /v1)."""
        return f"{self.url}/v1"

    @property
    def gemini_url(self) -> str:
        """Base URL for google-genai and for a Gemini provider (no /v1beta)."""
        return self.url

    def arm(
        self,
        fault: str,
        *,
        times: int | None = None,
        after: float | None = None,
        model: str = "",
        dialect: str = "",
        key: str = "",
    ) -> None:
        """A fault (docs/scenarios.md) for the next `times` requests (1) that fit."""
        order = {"fault": fault, "times": times, "after": after, "model": model, "key": key}
        if dialect:
            order["dialect"] = dialect
        self._ask("/control/faults", "POST", order)

    def disarm(self) -> None:
        """Takes back every armed fault."""
        self._ask("/control/faults", "DELETE")

    def bill(self, execution: str | None = None) -> list[BillEntry]:
        """What was invoiced, in order; `execution` is what `x-scripted-execution` named."""
        query = "" if execution is None else f"?{urllib.parse.urlencode({'execution': execution})}"
        document: dict[str, object] = json.loads(self._ask(f"/bill{query}", "GET"))
        return _ENTRIES.validate_python(document["entries"])

    def _ask(self, path: str, method: str, document: Mapping[str, object] | None = None) -> bytes:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            content: bytes = answer.read()
            return content


@contextlib.contextmanager
def run_fake_providers(
    folder: Path,
    *,
    scenarios: Path | None = None,
    default: str | None = None,
    api_keys: tuple[str, ...] = (KEY,),
) -> Iterator[FakeProviders]:
    """A server that answers; ended afterwards. `api_keys` as `[NAME=]KEY`; the first is `.key`."""
    bill = folder / "scripted-bill.jsonl"
    command = [sys.executable, "-m", "heliostat_scripted", "--port", "0"]
    command += ["--bill", str(bill)]
    command += [] if scenarios is None else ["--scenarios", str(scenarios)]
    command += [] if default is None else ["--default", default]
    for key in api_keys:
        command += ["--api-key", key]
    log = folder / "scripted.log"
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        # Ends the read below should the server neither start nor end.
        guard = threading.Timer(READY_SECONDS, process.kill)
        guard.start()
        assert process.stdout is not None
        line = process.stdout.readline()
        guard.cancel()
        if not line:
            raise AssertionError(f"the scripted server did not start:\n{log.read_text()}")
        address = line.split()[2].rstrip(",")
        try:
            yield FakeProviders(address, bill, api_keys[0].rpartition("=")[2] if api_keys else KEY)
        finally:
            process.terminate()
            process.wait(timeout=10)
