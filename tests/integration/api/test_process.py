"""The api as a process of its own: its log lines."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from support.control_plane import Address
from support.log_lines import read_lines
from support.ports import free_port

DEADLINE_SECONDS = 60
SECRET = "s3cret-of-sessions-0123456789abcdef"


def test_every_line_is_json_and_holds_no_secret(
    api_server_with_crds: Address, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "sessions").write_text(SECRET)
    log = tmp_path / "api.log"
    environ = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(api_server_with_crds.kubeconfig),
        "HELIOSTAT_API_PORT": str(port),
        "HELIOSTAT_API_HOST": "127.0.0.1",
        "HELIOSTAT_API_DATA_DIR": str(tmp_path / "data"),
        "HELIOSTAT_API_KEYS_DIR": str(tmp_path),
        "HELIOSTAT_API_SESSION_SECRETS_FILE": str(tmp_path / "sessions"),
        "HELIOSTAT_API_GATEWAY_URL": "http://127.0.0.1:9",  # nobody answers there
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "heliostat_api"], env=environ, stdout=output, stderr=output
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
    finally:
        process.terminate()
        code = process.wait(DEADLINE_SECONDS)
    assert code in (0, -15), log.read_text()
    lines = read_lines(log.read_text(), secrets=[SECRET])
    assert lines
    assert {str(each["level"]) for each in lines} <= {"info", "warning"}


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text())
