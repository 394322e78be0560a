"""The runner delivers to a real api, which is away, dies, comes back, repeats and drops answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from support.deliveries import Signer

from .apis import UID, ApiProcess, wait_until
from .conftest import Pod

MakePod = Callable[[str], Pod]
GATEWAY = "http://gateway.test:8081"
STEPS = "for i in $(seq {count}); do echo step $i; sleep {pause}; done"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiProcess]:
    folder = tmp_path / "api"
    folder.mkdir()
    process = ApiProcess(folder)
    yield process
    process.close()


def make_run(
    make_pod: MakePod, api: ApiProcess, script: str, *, wait: int = 60, **bounds: int
) -> Pod:
    pod = make_pod(GATEWAY)
    (pod.run_dir / "key").write_text(api.key())
    pod.write(
        execution={"namespace": "default", "name": "sales-1", "uid": UID},
        runtime={"type": "Command", "command": ["sh", "-c", script], "stallSeconds": 60},
        api={"url": api.url, "deliverySeconds": wait, **bounds},
    )
    return pod


def lines_of(pod: Pod) -> list[str]:
    return (pod.workspace / ".heliostat" / "transcript-1.jsonl").read_text().splitlines()


def assert_delivered(pod: Pod, api: ApiProcess) -> None:
    """Everything is stored once and in order, and screens heard the same."""
    written = lines_of(pod)
    assert api.transcript() == written
    position = api.position()
    assert (position.next, position.lost, position.ended) == (len(written), 0, True)
    assert api.reported_events() == [json.loads(line) for line in written]


def test_screens_hear_of_it_while_it_runs(make_pod: MakePod, api: ApiProcess) -> None:
    api.start()
    pod = make_run(make_pod, api, "echo one; until test -e go; do sleep 0.02; done")
    running = pod.start()
    wait_until(lambda: api.position().next >= 2, "start and the first line are stored")
    texts = [event["text"] for event in events_with(api, "text")]
    (pod.workspace / "go").touch()
    left = running.wait()

    assert texts == ["one"]
    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "delivered" not in left.result["message"]
    assert_delivered(pod, api)
    assert {each.report.correlation_id for each in api.reports()} == {"c-1"}


def events_with(api: ApiProcess, field: str) -> list[dict[str, object]]:
    return [event for event in api.reported_events() if isinstance(event, dict) and field in event]


def test_an_api_that_comes_later_gets_everything(make_pod: MakePod, api: ApiProcess) -> None:
    pod = make_run(make_pod, api, "echo one; until test -e go; do sleep 0.02; done")
    running = pod.start()
    wait_until(lambda: (pod.workspace / ".heliostat/transcript-1.jsonl").exists(), "it runs")
    (pod.workspace / "go").touch()
    wait_until(lambda: (pod.root / "termination-log").exists(), "its result is written")
    api.start()
    left = running.wait()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "delivered" not in left.result["message"]
    assert_delivered(pod, api)


def has_stored(api: ApiProcess, least: int) -> bool:
    return api.position().next >= least


def test_an_api_that_is_killed_and_comes_back_has_each_event_once(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start()
    pod = make_run(make_pod, api, STEPS.format(count=400, pause=0.005))
    running = pod.start()
    for least in (20, 120, 220):
        wait_until(partial(has_stored, api, least), f"{least} events are stored")
        api.kill()
        api.start()
    left = running.wait()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert len(lines_of(pod)) > 400
    assert_delivered(pod, api)


def test_repeated_requests_and_dropped_answers_change_nothing(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start(repeat=3, drop=4)
    pod = make_run(make_pod, api, STEPS.format(count=60, pause=0.01))
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert_delivered(pod, api)


def test_fifty_megabytes_arrive_whole_over_a_restart(make_pod: MakePod, api: ApiProcess) -> None:
    api.start()
    line = "a line of a long build with all that a compiler has to say, 100 bytes"
    pod = make_run(make_pod, api, f"yes '{line}' | head -n 320000; touch done")
    with ThreadPoolExecutor(1) as pool:  # somebody reads its stdout meanwhile
        run = pool.submit(pod.run, timeout=200)
        wait_until(lambda: api.position().next > 0, "the first events are stored")
        api.kill()
        wait_until((pod.workspace / "done").exists, "all is written", 120)
        api.start()
        left = run.result()

    size = (pod.workspace / ".heliostat/transcript-1.jsonl").stat().st_size
    assert size > 50_000_000
    assert left.ending == ("Succeeded", "Unverified", 0)
    assert api.transcript() == lines_of(pod)
    assert api.position().ended


def test_files_that_the_run_made_arrive_whole_and_the_others_are_listed(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start(repeat=3, drop=4)
    script = (
        "mkdir out; echo words > out/report.md; head -c 3000000 /dev/urandom > out/chart.png; "
        "truncate -s 21M huge.bin; echo secret > .env"
    )
    pod = make_run(make_pod, api, script)
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "delivered" not in left.result["message"]
    out = pod.workspace / "out"
    assert api.files() == {
        "out/report.md": b"words\n",
        "out/chart.png": (out / "chart.png").read_bytes(),
    }
    [listed] = [event for event in left.transcript if event.get("subtype") == "files"]
    assert (listed["count"], listed["leftOutCount"]) == (2, 1)
    assert listed["leftOut"][0]["path"] == "huge.bin"
    assert_delivered(pod, api)


def test_an_operator_that_allows_larger_files_has_them_delivered(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start(file_bytes=40 << 20, files_bytes=400 << 20)
    script = "truncate -s 30M large.bin; truncate -s 41M huge.bin; for i in 1 2 3; do truncate -s "
    bounds = {"fileBytes": 40 << 20, "filesBytes": 200 << 20}
    pod = make_run(make_pod, api, f"{script}39M $i.bin; done", **bounds)
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    delivered = {path: len(content) for path, content in api.files().items()}
    assert delivered.pop("large.bin") == 30 << 20
    assert delivered == {f"{number}.bin": 39 << 20 for number in range(1, 4)}, "147 MiB in all"
    [listed] = [event for event in left.transcript if event.get("subtype") == "files"]
    assert [each["path"] for each in listed["leftOut"]] == ["huge.bin"]


def test_a_file_that_the_api_refuses_is_named_and_the_others_arrive(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start()
    pod = make_run(make_pod, api, "echo words > a.md; truncate -s 21M huge.bin; echo more > z.md")
    left = pod.run(HELIOSTAT_FILE_BYTES=str(30 << 20))

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert api.files() == {"a.md": b"words\n", "z.md": b"more\n"}
    assert "huge.bin was not delivered: the api answered 413: " in left.result["message"]
    assert "files were not delivered" not in left.result["message"]


def test_a_transcript_without_end_is_told_and_kept_within_its_bound(
    make_pod: MakePod, api: ApiProcess
) -> None:
    api.start()
    pod = make_run(make_pod, api, "yes 'a line of a build that never ends' | head -n 2000")
    left = pod.run(HELIOSTAT_TRANSCRIPT_BYTES="20000")

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert (pod.workspace / ".heliostat/transcript-1.jsonl").stat().st_size <= 20_000
    position = api.position()
    assert (position.lost, position.ended) == (0, True)
    assert position.next > 2000, "what is told while it runs needs no file"


def test_a_foreign_key_ends_delivery_and_not_the_run(
    make_pod: MakePod, api: ApiProcess, tmp_path: Path
) -> None:
    api.start()
    told = "grep -q delivery_ended .heliostat/transcript-1.jsonl"
    pod = make_run(make_pod, api, f"until {told}; do sleep 0.02; done")
    stranger = Signer(tmp_path / "stranger")
    api.signer = stranger
    (pod.run_dir / "key").write_text(api.key())
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "events were not delivered (the api answered 401" in left.result["message"]
    [note] = [event for event in left.transcript if event.get("subtype") == "delivery_ended"]
    assert "401" in note["why"]
    assert api.position().next == 0


def test_the_key_of_another_attempt_delivers_nothing(make_pod: MakePod, api: ApiProcess) -> None:
    api.start()
    pod = make_run(make_pod, api, "true")
    (pod.run_dir / "key").write_text(api.key(attempt=2))
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "the api answered 403" in left.result["message"]
    assert (api.position(1).next, api.position(2).next) == (0, 0)


def test_an_api_that_never_comes_costs_the_wait_and_a_remark(
    make_pod: MakePod, api: ApiProcess
) -> None:
    pod = make_run(make_pod, api, "echo one", wait=2)
    begin = time.monotonic()
    left = pod.run()

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert f"{len(left.transcript)} events were not delivered." in left.result["message"]
    assert 2 <= time.monotonic() - begin < 15


def test_a_runner_that_is_killed_while_it_waits_has_left_its_result(
    make_pod: MakePod, api: ApiProcess
) -> None:
    pod = make_run(make_pod, api, "echo one")
    running = pod.start()
    wait_until(
        lambda: (
            (pod.root / "termination-log").exists()
            and (pod.root / "termination-log").stat().st_size > 0
        ),
        "its result is written",
    )
    running.process.kill()
    left = running.wait()

    assert left.result["outcome"] == "Succeeded"
    assert left.result["result"] == "one"


def test_sigterm_shortens_the_wait(make_pod: MakePod, api: ApiProcess) -> None:
    pod = make_run(make_pod, api, "echo one")
    document = json.loads((pod.run_dir / "run.json").read_text())
    (pod.run_dir / "run.json").write_text(json.dumps(document | {"graceSeconds": 2}))
    running = pod.start()
    wait_until(lambda: (pod.root / "termination-log").exists(), "its result is written")
    running.terminate()
    left = running.wait(15)

    assert left.ending == ("Succeeded", "Unverified", 0)
    assert "events were not delivered" in left.result["message"]
