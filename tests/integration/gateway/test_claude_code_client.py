"""The real Claude Code binary, in a clean environment, against the scripted provider."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from .gateway_process import GatewayProcess

CLAUDE = Path(str(files("claude_agent_sdk") / "_bundled" / "claude"))
pytestmark = pytest.mark.skipif(
    not CLAUDE.exists(), reason="no Claude Code binary: install claude-agent-sdk from its wheel"
)


@dataclass(frozen=True)
class Run:
    code: int
    result: dict[str, object]
    folder: Path


QUIET: Mapping[str, str] = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_MAX_RETRIES": "1",
}


async def claude(
    gateway: GatewayProcess, folder: Path, key: str, model: str, prompt: str, *options: str
) -> Run:
    return await run_claude(gateway.url, folder, key, model, prompt, *options)


async def run_claude(
    url: str,
    folder: Path,
    key: str,
    model: str,
    prompt: str,
    *options: str,
    environ: Mapping[str, str] = QUIET,
) -> Run:
    """One run of the binary in a home of its own, to its end."""
    (folder / "home").mkdir(exist_ok=True)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        str(CLAUDE),
        *("-p", prompt, "--model", model, "--output-format", "json", *options),
        cwd=work,
        env={
            "HOME": str(folder / "home"),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": key,
            **environ,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    return Run(process.returncode or 0, json.loads(output.splitlines()[-1]), work)


async def test_a_greeting_is_written_and_paid_exactly(
    shared: GatewayProcess, tmp_path: Path
) -> None:
    run = await claude(
        *(shared, tmp_path, shared.key("cc-hello"), "scripted/hello", "Greet me."),
        *("--allowedTools", "Write"),
    )
    assert run.code == 0
    assert run.result["result"] == "Hello from the scripted provider."
    assert (run.folder / "hello.txt").read_text() == "Hello from the scripted provider.\n"
    cost, bill = await shared.cost("cc-hello"), await shared.bill("cc-hello")
    assert (cost.requests, cost.settled, cost.estimated) == (2, True, False)
    assert cost.cost_nanos == bill.total_nanos


async def test_a_command_runs_and_its_output_is_seen(
    shared: GatewayProcess, tmp_path: Path
) -> None:
    run = await claude(
        *(shared, tmp_path, shared.key("cc-tools"), "scripted/tools"),
        *("Please run: echo $((6*7))", "--allowedTools", "Bash"),
    )
    assert run.result["result"] == "The command printed: 42"
    assert run.result["num_turns"] == 2


async def test_a_cap_reached_in_the_middle_stops_it_at_once_with_our_words(
    shared: GatewayProcess, tmp_path: Path
) -> None:
    run = await claude(
        *(shared, tmp_path, shared.key("cc-cap", cap=40_000_000), "scripted/limitless", "Go."),
        *("--allowedTools", "Bash"),
    )
    assert run.code == 1
    assert "has reached its cost limit" in str(run.result["result"])
    cost = await shared.cost("cc-cap")
    assert cost.requests == 2  # 25 thousandths of a dollar each: the third is not made
    assert cost.cost_nanos == (await shared.bill("cc-cap")).total_nanos == 50_000_000


async def test_a_broken_stream_is_paid_as_often_as_it_was_asked(
    shared: GatewayProcess, tmp_path: Path
) -> None:
    run = await claude(
        shared, tmp_path, shared.key("cc-error"), "scripted/error-event", "Go.", "--tools", ""
    )
    assert run.result["is_error"] is True
    cost, bill = await shared.cost("cc-error"), await shared.bill("cc-error")
    assert cost.requests == len(bill.entries)
    assert (cost.cost_nanos, cost.estimated) == (bill.total_nanos, True)


async def test_a_session_that_is_resumed_goes_on_where_it_was(
    shared: GatewayProcess, tmp_path: Path
) -> None:
    model = "scripted/long"
    first = await claude(
        *(shared, tmp_path, shared.key("cc-resume"), model, "Take the steps."),
        *("--allowedTools", "Bash", "--max-turns", "2"),
    )
    assert first.result["subtype"] == "error_max_turns"
    second = await claude(
        *(shared, tmp_path, shared.key("cc-resume", attempt=2), model, "Go on."),
        *("--allowedTools", "Bash", "--max-turns", "1"),
        *("--resume", str(first.result["session_id"])),
    )
    steps = (second.folder / "steps.txt").read_text().split("\n")
    assert steps[:3] == ["step 0", "step 1", "step 2"]
    assert [a.attempt for a in (await shared.cost("cc-resume")).attempts] == [1, 2]
