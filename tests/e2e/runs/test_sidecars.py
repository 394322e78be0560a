"""Runs whose pods get sidecars from a webhook, as a mesh puts them in: before and after the agent's
container, and as init containers that go on."""

from collections.abc import Iterator

import pytest

from support.mesh import INJECT_LABEL, PATCHES, Mesh
from support.platform import Platform, is_blocked_by


@pytest.fixture(scope="module")
def mesh(platform: Platform) -> Iterator[Mesh]:
    with Mesh(platform) as mesh:
        yield mesh


def injected(place: str) -> dict[str, object]:
    return {"metadata": {"labels": {INJECT_LABEL: place}, "annotations": {"team": "crm"}}}


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize("place", [each for each in PATCHES if each != "broken"])
def test_a_sidecar_breaks_no_run_and_keeps_no_pod(platform: Platform, place: str) -> None:
    agent, run = f"meshed-{place}", f"meshed-{place}-1"
    platform.agent(agent, model="scripted/slow-steps", podTemplate=injected(place))
    platform.run(run, agent)
    attempt = platform.wait_until_running(run)
    pod = attempt.pod_name or ""
    found = platform.find("pod", pod)
    assert found is not None
    assert '"team": "crm"' in str(found["metadata"]).replace("'", '"')
    execution = platform.wait_until_settled(run, 120)
    assert execution.finished_reason == "Unverified"
    assert [each.reason for each in execution.status.attempts] == ["Unverified"]
    assert bool(execution.status.attempts[0].job_deleted) == (place != "native")

    def is_quiet() -> bool:
        left = platform.find("pod", pod)
        status = left["status"] if left else {"phase": "Succeeded"}
        return isinstance(status, dict) and status["phase"] in ("Succeeded", "Failed")

    platform.wait(is_quiet, "no container of the pod runs", 90)


@pytest.mark.usefixtures("mesh")
def test_a_stop_ends_sidecars_too(platform: Platform) -> None:
    platform.agent("meshed-stop", model="scripted/long", podTemplate=injected("all"))
    platform.run("meshed-stop-1", "meshed-stop")
    attempt = platform.wait_until_running("meshed-stop-1")
    platform.cluster.kubectl(
        "-n", platform.namespace, "patch", "execution", "meshed-stop-1", "--type=merge",
        "-p", '{"spec":{"cancel":true}}',
    )  # fmt: skip
    assert platform.wait_until_finished("meshed-stop-1", 40).finished_reason == "Cancelled"
    platform.wait(
        lambda: platform.find("pod", attempt.pod_name or "") is None, "the pod is gone", 60
    )


@pytest.mark.usefixtures("mesh")
def test_an_init_container_that_fails_is_named(platform: Platform) -> None:
    platform.agent("meshed-broken", podTemplate=injected("broken"))
    platform.run("meshed-broken-1", "meshed-broken")
    execution = platform.wait_for_execution(
        "meshed-broken-1", is_blocked_by("ConfigurationHeld"), "held by its init container"
    )
    attempt = execution.status.attempts[0]
    assert (attempt.reason, attempt.cause) == ("InitContainerFailed", "configuration")
    assert "'broken-mesh' ended with exit code 3" in attempt.message
    platform.cluster.kubectl("-n", platform.namespace, "delete", "execution", "meshed-broken-1")
