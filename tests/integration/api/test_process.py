"""The api as a process of its own: its log lines, and its end."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from support.control_plane import Address
from support.log_lines import read_lines
from support.ports import free_port

DEADLINE_SECONDS = 60
LOG = "api.log"
SECRET = "s3cret-of-sessions-0123456789abcdef"


def test_every_line_is_json_and_holds_no_secret(
    api_server_with_crds: Address, tmp_path: Path
) -> None:
    (tmp_path / "sessions").write_text(SECRET)
    given = {
        "HELIOSTAT_API_SESSION_SECRETS_FILE": str(tmp_path / "sessions"),
        "HELIOSTAT_API_GATEWAY_URL": "http://127.0.0.1:9",  # nobody answers there
    }
    with started(api_server_with_crds, tmp_path, given) as (process, _):
        process.terminate()
    lines = read_lines((tmp_path / LOG).read_text(), secrets=[SECRET])
    assert lines
    assert {str(each["level"]) for each in lines} <= {"info", "warning"}


def test_a_request_that_is_under_way_is_answered_before_the_end(
    api_server_with_crds: Address, tmp_path: Path
) -> None:
    """Longer than uvicorn's clients usually get; a stream and a workspace end at once."""
    with socket.create_server(("127.0.0.1", 0)) as gateway, ExitStack() as stack:
        given = {
            "HELIOSTAT_API_GATEWAY_URL": f"http://127.0.0.1:{gateway.getsockname()[1]}",
            "HELIOSTAT_API_DRAIN_SECONDS": "40",
        }
        process, url = stack.enter_context(started(api_server_with_crds, tmp_path, given))
        browser = stack.enter_context(httpx2.Client(base_url=url, timeout=DEADLINE_SECONDS))
        threads = stack.enter_context(ThreadPoolExecutor(2))
        browser.get("/", headers={"Accept": "text/html"})  # makes a guest
        following = threads.submit(browser.get, "/agent/reports/stream")
        workspace = stack.enter_context(open_workspace(browser))
        asked = threads.submit(browser.get, "/api/usage")
        connections = accept_until(gateway, b"/admin/usage")
        process.terminate()
        assert "event: snapshot" in following.result(DEADLINE_SECONDS).text
        with pytest.raises(ConnectionClosed) as sent_away:
            workspace.recv(DEADLINE_SECONDS)
        assert sent_away.value.rcvd is not None
        assert sent_away.value.rcvd.code == CloseCode.SERVICE_RESTART
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(7)
        for each in (gateway, *connections):
            each.close()
        assert asked.result(DEADLINE_SECONDS).json()["status"] == 503


def open_workspace(browser: httpx2.Client) -> ClientConnection:
    """The chat of a guest, as their page has it open."""
    person = browser.get("/api/me").json()["id"]
    url = str(browser.base_url).rstrip("/")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Cookie": cookie, "Origin": url}
    return connect(f"{url.replace('http', 'ws')}/workspace/{person}", additional_headers=headers)


def accept_until(server: socket.socket, wanted: bytes) -> list[socket.socket]:
    """All connections, up to the one that asks for that; nobody is answered."""
    server.settimeout(DEADLINE_SECONDS)
    connections: list[socket.socket] = []
    while True:
        connection, _ = server.accept()
        connections.append(connection)
        if wanted in connection.recv(65536):
            return connections


@contextmanager
def started(
    api_server: Address, folder: Path, given: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The api with these settings, and its address; the block tells it to end."""
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(api_server.kubeconfig),
        "HELIOSTAT_API_PORT": str(port),
        "HELIOSTAT_API_HOST": "127.0.0.1",
        "HELIOSTAT_API_DATA_DIR": str(folder / "data"),
        "HELIOSTAT_API_KEYS_DIR": str(folder),
        **given,
    }
    log = folder / LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "heliostat_api"], env=environ, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{url}/readyz", process, log)
        yield process, url
        assert process.wait(DEADLINE_SECONDS) in (0, -15), log.read_text()
    finally:
        process.kill()
        process.wait()


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
