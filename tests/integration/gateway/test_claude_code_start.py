"""What the real Claude Code binary asks when it starts, and that all of it is answered."""

from pathlib import Path

import pytest

from support.recording_proxy import run_recording_proxy

from .gateway_process import GatewayProcess
from .test_claude_code_client import pytestmark, run_claude

__all__ = ["pytestmark"]
# Its own traffic to elsewhere stays off; what it asks the gateway does not.
ELSEWHERE = ("DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER")
CALL = ("POST", "/v1/messages?beta=true", 200)
HELLO = ("HEAD", "/api/hello", 200)
MODELS = ("GET", "/v1/models?limit=1000", 200)


@pytest.mark.parametrize(
    ("switch", "asked"),
    [
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", [CALL]),
        ("", [HELLO, CALL]),
        ("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", [MODELS, HELLO, CALL]),
    ],
)
async def test_every_request_of_a_start_is_answered(
    shared: GatewayProcess, tmp_path: Path, switch: str, asked: list[tuple[str, str, int]]
) -> None:
    environ = dict.fromkeys([*ELSEWHERE, *filter(None, [switch])], "1")
    with run_recording_proxy(shared.url) as proxy:
        run = await run_claude(
            *(proxy.url, tmp_path, shared.key("cc-start"), "scripted/hello", "Hi.", "--tools", ""),
            environ=environ,
        )
    assert run.code == 0
    found = [(each.method, each.path, each.status) for each in proxy.requests]
    assert sorted(found) == sorted(asked)
