"""The scripted server as a program: its options, its bill by hand, its end."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from heliostat_scripted.apis import Api
from heliostat_scripted.bill import Bill
from support.fake_provider import FakeProviders

from .scripted_calls import Ending, Seen, raw_call, send

PROGRAM = [sys.executable, "-m", "heliostat_scripted"]
HELIOSTAT = [str(Path(sys.executable).parent / "heliostat"), "gateway", "scripted"]
# The scenario `kinds`: 4 / 20 / read 0.20 / write 5 / write 1 h 8 dollars per million, 10 per
# thousand searches; 103 in, 57 out, 1001 read, 203 and 51 written, 2 searches.
COMMON = 57 * 20_000 + 1001 * 200
KINDS = {
    Api.MESSAGES: 103 * 4_000 + COMMON + 203 * 5_000 + 51 * 8_000 + 2 * 10_000_000,
    Api.CHAT: 103 * 4_000 + COMMON + (203 + 51) * 5_000,
    Api.GEMINI: (103 + 203 + 51) * 4_000 + COMMON + 2 * 10_000_000,
}


@pytest.mark.parametrize("api", list(Api))
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_every_kind_of_usage_is_billed(
    fake_providers: FakeProviders, api: Api, stream: bool
) -> None:
    seen = await send(
        fake_providers,
        raw_call(api, "kinds", fake_providers.key, stream=stream),
        x_scripted_execution="run-1",
    )
    assert seen.ending is Ending.WELL
    (entry,) = fake_providers.bill("run-1")
    assert entry.cost_nanos == KINDS[api]
    assert (entry.dialect, entry.key, entry.thinking, entry.estimated) == (
        api,
        "default",
        31,
        False,
    )
    assert entry.id in seen.headers.values()
    assert (entry.id.encode() in seen.body) == (api is Api.GEMINI)
    told = {
        Api.MESSAGES: (b'"thinking_tokens":31', b'"web_search_requests":2'),
        Api.CHAT: (b'"reasoning_tokens":31', b'"completion_tokens":57'),
        Api.GEMINI: (b'"thoughtsTokenCount":31', b'"candidatesTokenCount":26', b'"query 2"'),
    }
    assert [word for word in told[api] if word not in seen.body] == []
    _check_limits(api, seen)
    assert fake_providers.bill("run-2") == []


def _check_limits(api: Api, seen: Seen) -> None:
    limits = {name: value for name, value in seen.headers.items() if "ratelimit" in name}
    assert len(limits) == (0 if api is Api.GEMINI else 6)
    if api is Api.CHAT:
        assert limits["x-ratelimit-remaining-requests"] == "49"
        assert limits["x-ratelimit-reset-tokens"] == "6s"
    if api is Api.MESSAGES:
        assert limits["anthropic-ratelimit-tokens-remaining"] == "98000"
        assert limits["anthropic-ratelimit-requests-reset"].endswith("Z")


@pytest.mark.parametrize("command", [PROGRAM, HELIOSTAT], ids=["module", "heliostat"])
def test_it_says_where_it_listens_and_ends_when_told(command: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert line.startswith("scripted provider: http://127.0.0.1:")
    assert line.rstrip().endswith("bill: scripted-bill.jsonl")


@pytest.mark.parametrize("command", [PROGRAM, HELIOSTAT], ids=["module", "heliostat"])
@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (["--scenarios", "nowhere"], "--scenarios (nowhere) must be a folder"),
        (["--default", "nobody"], "--default must name a scenario, one of: approval, bad-json"),
    ],
)
def test_a_wrong_option_is_named(
    command: list[str], options: list[str], fact: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*command, "--port", "0", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert fact in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]
        done = subprocess.run(
            [*PROGRAM, "--port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, f"--port ({port}) can't be used" in done.stderr) == (2, True)


def test_a_bill_of_an_older_gateway_is_read(tmp_path: Path) -> None:
    names = ("input", "output", "cache_read", "cache_write5m", "cache_write1h", "cost_nanos")
    old = {"id": "r", "execution": "e", "scenario": "s", "model": "m", "estimated": False}
    file = tmp_path / "bill.jsonl"
    file.write_text(json.dumps(old | dict.fromkeys(names, 1)) + "\n")
    (entry,) = Bill(file).entries("e")
    assert (entry.dialect, entry.key, entry.thinking) == ("messages", "", 0)
