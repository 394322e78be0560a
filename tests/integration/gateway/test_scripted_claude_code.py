"""The real Claude Code straight at the scripted server: what it sends passes every check."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import pytest

from support.fake_provider import FakeProviders

CLAUDE = Path(str(files("claude_agent_sdk") / "_bundled" / "claude"))
pytestmark = pytest.mark.skipif(
    not CLAUDE.exists(), reason="no Claude Code binary: install claude-agent-sdk from its wheel"
)


async def claude(providers: FakeProviders, folder: Path, model: str, prompt: str) -> str:
    """The result of a run that may use Bash."""
    for name in ("home", "work"):
        (folder / name).mkdir()
    process = await asyncio.create_subprocess_exec(
        *(str(CLAUDE), "-p", prompt, "--model", model),
        *("--output-format", "json", "--allowedTools", "Bash"),
        cwd=folder / "work",
        env={
            "HOME": str(folder / "home"),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "ANTHROPIC_BASE_URL": providers.messages_url,
            "ANTHROPIC_API_KEY": providers.key,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    document: dict[str, object] = json.loads(output.splitlines()[-1])
    return str(document["result"])


async def test_parallel_tools_after_an_armed_fault(
    fake_providers: FakeProviders, tmp_path: Path
) -> None:
    fake_providers.arm("529", model="scripted/parallel")
    result = await claude(fake_providers, tmp_path, "scripted/parallel", "Go.")
    assert result.startswith("The commands printed: ")
    assert {"Grüße", "sunlight"} <= set(result.replace("printed: ", "printed:\n").splitlines())
    bill = fake_providers.bill()
    assert [entry.scenario for entry in bill] == ["parallel", "parallel"]
    assert len({entry.execution for entry in bill}) == 1
    assert not any(entry.estimated for entry in bill)
    # 900 in, 80 out, 4000 written; 300 in, 30 out, 4000 read, 120 written
    first, second = 900 * 4_000 + 80 * 20_000 + 4_000 * 5_000, 300 * 4_000 + 30 * 20_000
    assert sum(entry.cost_nanos for entry in bill) == first + second + 4_000 * 200 + 120 * 5_000
