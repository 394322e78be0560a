"""Runs whose pods get sidecars from a webhook, as a mesh puts them in: before and after the agent's
container, and as init containers that go on."""

from collections.abc import Iterator

import pytest

from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject
from support.mesh import INJECT_LABEL, PATCHES, Mesh
from support.platform import Platform, is_blocked_by


@pytest.fixture(scope="module")
def mesh(platform: Platform) -> Iterator[Mesh]:
    with Mesh(platform) as mesh:
        yield mesh


def injected(place: str) -> dict[str, object]:
    return {"metadata": {"labels": {INJECT_LABEL: place}, "annotations": {"team": "crm"}}}


PLACES = [each for each in PATCHES if each != "broken"]


@pytest.fixture(scope="module")
def pods(platform: Platform, mesh: Mesh) -> dict[str, JsonObject]:
    """The pods of a run for each place, all begun at once."""
    del mesh  # it answers first
    for place in PLACES:
        agent = f"meshed-{place}"
        platform.agent(agent, model="scripted/slow-steps", podTemplate=injected(place))
        platform.run(f"{agent}-1", agent)
    seen: dict[str, JsonObject] = {}

    def has_all() -> bool:
        for pod in platform.objects("pod", f"{INJECT_LABEL} in ({','.join(PLACES)})"):
            labels = ObjectMeta.model_validate(pod["metadata"]).labels
            seen[labels[INJECT_LABEL]] = pod
        return len(seen) == len(PLACES)

    platform.wait(has_all, "each run has a pod")
    return seen


@pytest.mark.parametrize("place", PLACES)
def test_a_sidecar_breaks_no_run_and_keeps_no_pod(
    platform: Platform, pods: dict[str, JsonObject], place: str
) -> None:
    meta = ObjectMeta.model_validate(pods[place]["metadata"])
    assert meta.annotations["team"] == "crm"
    execution = platform.wait_until_settled(f"meshed-{place}-1", 120)
    assert execution.finished_reason == "Unverified"
    assert [each.reason for each in execution.status.attempts] == ["Unverified"]
    assert bool(execution.status.attempts[0].job_deleted) == (place != "native")

    def is_quiet() -> bool:
        left = platform.find("pod", meta.name)
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
