"""LiteLLM's proxy as a neighbour in the same run, in a virtual environment of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.gateway.rigs import MODELS, Target, running, wait_for
from support.ports import free_port
from tools.machine import ROOT

VERSION = "1.106.2"
_FOLDER = ROOT / ".tools" / f"litellm-{VERSION}"
_KEY = "sk-bench-litellm"


class NoLiteLlmError(Exception):
    """It can't be installed here; the text says why."""


def install() -> Path:
    """The program, installed once into the project's tools. Raises NoLiteLlmError."""
    program = _FOLDER / "bin" / "litellm"
    if program.exists():
        return program
    asked = [sys.executable, str(ROOT / "tools" / "uv.py")]
    uv = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    python = str(_FOLDER / "bin" / "python")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(_FOLDER)],
        [uv, "pip", "install", "--quiet", "--python", python, f"litellm[proxy]=={VERSION}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoLiteLlmError(done.stderr.strip()[-300:])
    return program


@contextlib.contextmanager
def run_litellm(folder: Path, upstream: Target) -> Iterator[Target]:
    """The proxy in front of the same upstream: no database, no Redis, one worker."""
    program = install()
    base = f"http://127.0.0.1:{upstream.port}"
    claude, gpt = MODELS["/v1/messages"], MODELS["/v1/chat/completions"]
    config = folder / "litellm.yaml"
    config.write_text(
        f"""
model_list:
  - model_name: {claude}
    litellm_params: {{model: anthropic/{claude}, api_base: {base}, api_key: k}}
  - model_name: {gpt}
    litellm_params: {{model: openai/{gpt}, api_base: {base}/v1, api_key: k}}
general_settings: {{master_key: {_KEY}}}
"""
    )
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    with running(command, environment, folder / "litellm.log") as process:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, seconds=120)
        yield Target(port, {"authorization": f"Bearer {_KEY}"})
