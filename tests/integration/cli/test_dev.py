"""`heliostat dev`: one command, and a run shows live in the browser."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import psutil
import pytest
from pydantic import JsonValue

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.gateways import gateway_address
from heliostat_core.names import RECORDED_ANNOTATION
from support.dev_process import DevProcess, running_dev
from support.heliostat_program import PROGRAM, build_environ
from support.ports import free_port
from support.screens import follow, run_sample, until_finished
from support.waiting import wait_for


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    with running_dev(tmp_path_factory.mktemp("dev")) as started:
        yield started


def as_list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value


def test_a_run_shows_live_from_its_creation_to_its_end(dev: DevProcess) -> None:
    with dev.browser() as client, closing(follow(client)) as events:
        first = next(events)
        assert first.name == "snapshot"
        person = first.data["person"]
        assert isinstance(person, dict)
        assert person.items() >= {"id": "local", "kind": "local", "isAdmin": True}.items()
        seen = until_finished(events, run_sample(client))
    assert {event.name for event in seen} == {"report"}
    phases = [event.payload["phase"] for event in seen if event.data["type"] == "execution.changed"]
    assert phases[0] == "Pending"
    assert phases[-1] == "Succeeded"
    assert [event.id for event in seen] == sorted({event.id for event in seen})


def test_a_run_is_booked_on_the_local_person_and_a_key_opens_the_api(dev: DevProcess) -> None:
    with dev.browser() as client, closing(follow(client)) as events:

        def booked() -> int:
            report = client.get("/api/usage", params={"by": "agent"}).json()
            return int(report["totalCostMicros"])

        def cost(uid: str) -> int:
            return int(client.get(f"/api/executions/{uid}").json()["costMicros"])

        before = booked()
        uid = run_sample(client)
        until_finished(events, uid)
        wait_for(lambda: cost(uid) > 0 and abs(booked() - before - cost(uid)) <= 1)  # rounded sums
        made = client.post("/api/keys", json={"name": "laptop", "scopes": ["api"]}).json()
    key = {"Authorization": f"Bearer {made['key']}"}
    assert httpx2.get(f"{dev.url}/api/me", headers=key).json()["id"] == "local"
    other = {"Authorization": f"{key['Authorization']}x"}
    assert httpx2.get(f"{dev.url}/api/me", headers=other).status_code == 401


def test_a_screen_that_was_dropped_gets_what_it_missed(dev: DevProcess) -> None:
    with dev.browser() as client:
        with closing(follow(client)) as events:
            cursor = next(events).id
        uid = run_sample(client)
        with closing(follow(client, cursor)) as events:
            whole = until_finished(events, uid)
        middle = whole[len(whole) // 2]
        with closing(follow(client, middle.id)) as events:
            rest = until_finished(events, uid)
    assert rest == whole[len(whole) // 2 + 1 :]


def test_a_run_is_in_the_list_and_can_be_run_again_and_cancelled(dev: DevProcess) -> None:
    with dev.browser() as client, closing(follow(client)) as events:
        uid = run_sample(client)
        until_finished(events, uid)
        again = client.post(f"/api/executions/{uid}/rerun")
        assert again.status_code == 202
        second = again.json()["execution"]
        assert client.post(f"/api/executions/{second}/cancel").status_code == 202
        ended = until_finished(events, second)[-1]
        listed = client.get("/api/executions", params={"agent": "hello", "limit": 1}).json()
        given = {"agent": "hello", "cursor": listed["next"]}
        older = client.get("/api/executions", params=given).json()
        page = client.get(f"/api/executions/{second}").json()
    assert ended.payload["phase"] == page["phase"] == "Cancelled"
    items = [*listed["items"], *older["items"]]
    assert {second, uid} <= {each["id"] for each in items}
    times = [each["createdTime"] for each in items]  # whole seconds: some are equal
    assert times == sorted(times, reverse=True)


def test_what_a_run_writes_shows_live_and_stays(dev: DevProcess) -> None:
    with dev.browser() as client, closing(follow(client)) as events:
        uid = run_sample(client)
        seen = until_finished(events, uid)
        told = [
            line
            for event in seen
            if event.data["type"] == "execution.output"
            for line in as_list(event.payload["events"])
        ]
        kept = client.get(f"/api/executions/{uid}/transcript", params={"limit": 1000}).json()
    assert kept["first"] == 0
    assert kept["events"][0]["subtype"] == "start"
    assert {"system", "assistant", "user", "result"} <= {line["type"] for line in kept["events"]}
    assert kept["events"][-1]["subtype"] == "end"
    assert told == kept["events"][: len(told)]
    assert told[-1] in kept["events"][-3:]


def test_an_answer_shows_while_it_comes(dev: DevProcess) -> None:
    spec = {"prompt": "Say what you are.", "model": {"name": "scripted/slow"}}
    with dev.browser() as client, closing(follow(client)) as events:
        agent = client.post("/api/agents", json={"name": "Talker", "spec": spec}).json()["agent"]
        uid = client.post(f"/api/agents/{agent}/test", json={}).json()["execution"]
        seen = until_finished(events, uid)
        kept = client.get(f"/api/executions/{uid}/transcript", params={"limit": 1000}).json()
    pieces = [
        piece
        for event in seen
        if event.data["type"] == "execution.pieces"
        for piece in as_list(event.payload["events"])
    ]
    assert any("text_delta" in str(piece) for piece in pieces)
    assert "stream_event" not in {line["type"] for line in kept["events"]}


def test_a_record_outlives_its_execution(dev: DevProcess) -> None:
    def heliostat(*arguments: str) -> str:
        return subprocess.run(
            [PROGRAM, *arguments],
            env={**dev.environ, "HELIOSTAT_HOME": str(dev.folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    with dev.browser() as client, closing(follow(client)) as events:
        uid = run_sample(client)
        last = until_finished(events, uid)[-1].payload
        name = str(last["name"])
        wait_for(lambda: RECORDED_ANNOTATION in heliostat("get", "execution", name, "-o", "yaml"))
        before = client.get(f"/api/executions/{uid}/transcript").json()
        heliostat("delete", "execution", name)
        assert client.get(f"/api/executions/{uid}").json()["phase"] == "Succeeded"
        assert client.get(f"/api/executions/{uid}/transcript").json() == before
        again = client.post(f"/api/executions/{uid}/rerun")
        assert until_finished(events, again.json()["execution"])[-1].payload["phase"] == "Succeeded"


def test_without_a_session_nothing_is_told(dev: DevProcess) -> None:
    for path in ("/api/me", "/api/agents", "/api/executions", "/agent/reports/stream"):
        answer = httpx2.get(f"{dev.url}{path}")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers


def test_a_foreign_host_is_refused_whoever_asks(dev: DevProcess) -> None:
    with dev.browser() as client:
        answer = client.get("/api/me", headers={"Host": "rebound.example:8080"})
    assert answer.status_code == 403
    assert "Host must be one of 127.0.0.1, localhost" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/ingest/v1/x", "/v1/models"])
def test_a_foreign_host_is_refused_on_every_path_of_both_ports(dev: DevProcess, path: str) -> None:
    gateway = gateway_address(StateFolder(dev.folder))
    for url in (dev.url, gateway):
        with httpx2.Client(base_url=url) as client:
            rebound = client.get(path, headers={"Host": "rebound.example:8080"})
            assert rebound.status_code == 403, (url, path)
            assert "Host must be one of 127.0.0.1, localhost" in rebound.text
            assert client.get(path).status_code != 403, (url, path)


def test_a_foreign_page_can_command_nothing(dev: DevProcess) -> None:
    with dev.browser() as client:
        answer = client.post("/api/samples/hello", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_an_unknown_run_is_not_there(dev: DevProcess) -> None:
    with dev.browser() as client:
        answer = client.get("/api/executions/none")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_it_says_that_it_is_ready(dev: DevProcess) -> None:
    for path in ("/healthz", "/readyz"):
        assert httpx2.get(f"{dev.url}{path}").json() == {"status": "ok"}
    said = re.search(r"^ready after +([0-9.]+) s", dev.log.read_text(), re.M)
    assert said is not None
    assert float(said.group(1)) == pytest.approx(dev.started_seconds, abs=0.5)


def test_it_listens_on_this_machine_only(dev: DevProcess) -> None:
    assert dev.process is not None
    listening = [
        each.laddr.ip
        for each in psutil.Process(dev.process.pid).net_connections()
        if each.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1", "127.0.0.1"]


def test_a_second_one_on_the_same_folder_is_refused(dev: DevProcess) -> None:
    assert dev.process is not None
    ended = subprocess.run(
        [PROGRAM, "dev", "--no-browser", "--dir", dev.folder],
        env=dev.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1
    assert f"error: process {dev.process.pid} serves {dev.folder} already" in ended.stderr


def test_a_taken_port_is_named_and_the_next_one_used(dev: DevProcess, tmp_path: Path) -> None:
    assert dev.process is not None
    port = int(dev.url.rpartition(":")[2])
    other = DevProcess(tmp_path / "state", build_environ(tmp_path), port)
    other.start()
    try:
        assert int(other.url.rpartition(":")[2]) > port
        said = other.log.read_text()
        assert f"port {port} is taken by heliostat (process {dev.process.pid})" in said
    finally:
        assert other.end() == 0


def test_a_taken_port_of_the_gateway_is_named_and_the_next_one_used(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        port = bind_with_free_neighbour(taken)
        taken.listen()
        other = DevProcess(tmp_path / "state", build_environ(tmp_path), port - 1)
        other.start()
        try:
            here = psutil.Process()
            holder = f"port {port} is taken by {here.name()} (process {here.pid})"
            assert holder in other.log.read_text()
            assert int((other.folder / "gateway.port").read_text()) > port
        finally:
            assert other.end() == 0


def bind_with_free_neighbour(taken: socket.socket) -> int:
    """The port below is free."""
    while True:
        below = free_port()
        with suppress(OSError):
            taken.bind(("127.0.0.1", below + 1))
            return below + 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_screens_go_on_after_a_restart(tmp_path: Path, how: signal.Signals) -> None:
    with running_dev(tmp_path) as dev, dev.browser() as client:
        uid = run_sample(client)
        with closing(follow(client, 0)) as events:
            whole = until_finished(events, uid)
        dev.end(how)
        dev.start()
        client.base_url = dev.url
        with closing(follow(client, 0)) as events:
            assert until_finished(events, uid) == whole
