"""A schedule that is set in a running `heliostat dev` fires by itself."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
from pydantic import JsonValue

from support.dev_process import running_dev

SPEC: JsonValue = {
    "prompt": "Write a greeting into the file hello.txt.",
    "model": {"name": "scripted/hello"},
    "tools": {"allow": ["Read", "Write"]},
}
EVERY_MINUTE: JsonValue = {"spec": {"schedule": {"cron": "* * * * *"}}}
MINUTE = timedelta(minutes=1)
DEADLINE_SECONDS = 120
MOST_SECONDS = 10  # from its time to its record, on a busy machine


def test_a_schedule_that_is_set_in_the_dashboard_fires_at_the_next_minute(tmp_path: Path) -> None:
    with running_dev(tmp_path) as dev, dev.browser() as client:
        made = client.post("/api/agents", json={"name": "Greeter", "spec": SPEC})
        path = f"/api/agents/{made.json()['agent']}"
        answer(client.post(f"{path}/activate"), 202)
        before = client.get(path)
        assert before.json()["scheduleRecent"] == []
        headers = {"If-Match": before.headers["etag"]}
        answer(client.patch(path, json=EVERY_MINUTE, headers=headers), 200)
        answer(client.post(f"{path}/activate"), 202)
        due = found(client, path, "nextTime")
        receipts = found(client, path, "scheduleRecent")
    assert isinstance(receipts, list)
    [receipt] = receipts
    assert isinstance(receipt, dict)
    assert (receipt["outcome"], receipt["reason"]) == ("Ran", "OnTime")
    # Asked at the end of a minute, the next time is that of the next one already.
    late = instant(receipt["time"]) - instant(receipt["scheduledTime"])
    assert 0 <= late.total_seconds() < MOST_SECONDS
    assert instant(due) - instant(receipt["scheduledTime"]) in (timedelta(0), MINUTE)


def answer(response: httpx2.Response, status: int) -> None:
    assert response.status_code == status, response.text


def found(client: httpx2.Client, path: str, field: str) -> JsonValue:
    """That field of the agent, once it has a value."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (value := read(client, path)[field]):
        assert time.monotonic() < deadline, f"no {field} after {DEADLINE_SECONDS} s"
        time.sleep(0.2)
    return value


def read(client: httpx2.Client, path: str) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = client.get(path).json()
    return shown


def instant(value: JsonValue) -> datetime:
    assert isinstance(value, str)
    return datetime.fromisoformat(value)
