"""Two gateways on one ledger: what dies on the way loses no money and doubles none.

The provider is a pod of its own with a bill of its own: it survives whatever is killed here.
"""

import json
import subprocess
from collections.abc import Iterator

import pytest

from heliostat_core.executions import Execution
from heliostat_core.money import micros_from_nanos
from heliostat_scripted.bill import BillEntry
from support.platform import NAMESPACE, SYSTEM, Platform
from support.shared_gateways import GATEWAY, Row, SharedGateways

STEPS = 6
# What a provider may have sent in a second that its killed reader had not noted: 80 characters.
UNSEEN_NANOS = 20 * 20_000
CHECK = ["python3", "-c", f"assert open('steps.txt').read().count('step') == {STEPS}"]


@pytest.fixture(scope="module")
def before(platform: Platform) -> Execution:
    """A run on one gateway, before there were two."""
    platform.agent("earlier")
    platform.run("earlier-1", "earlier")
    return platform.wait_until_settled("earlier-1")


@pytest.fixture(scope="module")
def shared(platform: Platform, before: Execution) -> Iterator[SharedGateways]:
    assert before.status.cost_micros
    gateways = SharedGateways(platform)
    try:
        gateways.install()
        platform.agent("patient", model="patient", verify={"command": CHECK})
        yield gateways
    finally:
        gateways.go_back()


class Ran:
    """A run of `patient` and what it cost, as provider and ledger have it."""

    def __init__(self, shared: SharedGateways, name: str) -> None:
        self._shared, self._name = shared, name
        self._billed = len(shared.bill())
        shared.platform.run(name, "patient")

    def until(self, step: int) -> str:
        """Until it has told a step; the name of its pod."""
        pod = self._shared.platform.wait_until_running(self._name).pod_name or ""
        self._shared.platform.wait_for_log(pod, f"Step {step}.")
        return pod

    def bill(self) -> list[BillEntry]:
        return self._shared.bill()[self._billed :]

    def settle(self) -> tuple[Execution, dict[str, Row]]:
        """Its end, verified in one attempt, and its rows by the provider's id of the request.

        All sums agree: the operator's, each gateway's, and that of the rows.
        """
        execution = self._shared.platform.wait_until_settled(self._name)
        attempts = execution.status.attempts
        assert [each.reason for each in attempts] == ["Verified"], attempts[-1].message
        rows = self._shared.rows(execution.metadata.uid)
        nanos = sum(row.cost_nanos for row in rows)
        for total in self._shared.sums(execution.metadata.uid):
            assert (total["costNanos"], total["settled"]) == (nanos, True)
        assert execution.status.cost_micros == micros_from_nanos(nanos)
        found = {row.provider_request: row for row in rows}
        assert len(found) == len(rows)
        return execution, found


def assert_exact(bill: list[BillEntry], rows: dict[str, Row]) -> None:
    """To the nano-dollar, call by call."""
    assert {each.id: each.cost_nanos for each in bill} == {
        name: row.cost_nanos for name, row in rows.items()
    }
    assert not any(row.estimated for row in rows.values())


def assert_complete(bill: list[BillEntry], rows: dict[str, Row]) -> None:
    """The same, but for answers that were cut: what was sent and never read is not known."""
    assert {each.id for each in bill} == set(rows)
    for entry in bill:
        row = rows[entry.id]
        missing = entry.cost_nanos - row.cost_nanos
        if row.estimated:
            assert 0 <= missing <= UNSEEN_NANOS, (entry, row)
        else:
            assert missing == 0, (entry, row)


def test_what_one_gateway_had_booked_both_know(shared: SharedGateways, before: Execution) -> None:
    sums = shared.sums(before.metadata.uid)
    assert len(sums) == 2
    assert sums[0] == sums[1]
    assert micros_from_nanos(int(str(sums[0]["costNanos"]))) == before.status.cost_micros


def test_a_verified_run_costs_exactly_what_the_provider_bills(shared: SharedGateways) -> None:
    ran = Ran(shared, "exact-1")
    execution, rows = ran.settle()
    assert execution.status.phase == "Succeeded"
    assert_exact(ran.bill(), rows)
    assert len(rows) >= STEPS


def test_a_run_goes_on_without_redis_and_is_booked_whole_afterwards(
    shared: SharedGateways,
) -> None:
    ran = Ran(shared, "away-1")
    pod = ran.until(1)
    with shared.redis_away():
        shared.platform.wait(lambda: shared.modes() == ["local", "local"], "both are on their own")
        shared.platform.wait_for_log(pod, "Step 4.")
    _, rows = ran.settle()
    assert_exact(ran.bill(), rows)
    shared.wait_until_whole()


def test_a_gateway_killed_in_a_stream_is_booked_and_the_other_goes_on(
    shared: SharedGateways,
) -> None:
    ran = Ran(shared, "killed-1")
    ran.until(1)
    shared.kill_in_a_stream(shared.streaming_pod())
    _, rows = ran.settle()
    assert "gateway_died" in {row.outcome for row in rows.values()}
    assert_complete(ran.bill(), rows)
    shared.wait_until_whole()


def test_a_rollout_of_the_gateways_cuts_no_answer(shared: SharedGateways) -> None:
    ran = Ran(shared, "rolled-1")
    ran.until(1)
    old = {pod.metadata.name for pod in shared.pods()}
    shared.platform.cluster.kubectl("-n", SYSTEM, "rollout", "restart", f"deployment/{GATEWAY}")
    shared.wait_until_whole()
    _, rows = ran.settle()
    assert not old & {pod.metadata.name for pod in shared.pods()}
    assert_exact(ran.bill(), rows)


def test_a_cancelled_run_has_no_stream_on_any_gateway(shared: SharedGateways) -> None:
    Ran(shared, "cancelled-1").until(1)
    attempt = shared.platform.wait_until_running("cancelled-1")
    key = shared.platform.execution_key(attempt)
    pods = shared.pods()
    streams = [open_stream(f"{pod.address}/v1/messages", key) for pod in pods]
    for stream in streams:
        assert stream.stdout is not None
        while "One moment" not in stream.stdout.readline():
            assert stream.poll() is None
    shared.platform.cluster.kubectl(
        "-n", NAMESPACE, "patch", "execution", "cancelled-1", "--type=merge",
        "-p", '{"spec":{"cancel":true}}',
    )  # fmt: skip
    shared.platform.wait_until_finished("cancelled-1", 20)
    for stream in streams:
        rest, _ = stream.communicate(timeout=10)
        assert "event: error" in rest
        assert "revoked" in rest
    for pod in pods:
        refused = open_stream(f"{pod.address}/v1/messages", key)
        assert "authentication_error" in refused.communicate(timeout=10)[0]


def test_one_gateway_goes_on_with_the_same_ledger(
    shared: SharedGateways, platform: Platform, before: Execution
) -> None:
    exact = platform.execution("exact-1")
    shared.go_back()
    for execution in (before, exact):
        [total] = shared.sums(execution.metadata.uid)
        assert micros_from_nanos(int(str(total["costNanos"]))) == execution.status.cost_micros
    platform.run("earlier-2", "earlier")
    assert platform.wait_until_settled("earlier-2").status.cost_micros == before.status.cost_micros


def open_stream(url: str, key: str) -> "subprocess.Popen[str]":
    """A call of a scenario that stands still, read by a process of its own."""
    body = {
        "model": "scripted/stall",
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
    }
    command = ["curl", "-sN", "-H", f"x-api-key: {key}", "-H", "content-type: application/json"]
    command += ["-d", json.dumps(body), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
