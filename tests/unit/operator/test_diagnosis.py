"""Pod status in, diagnosis out; statuses and texts as Kubernetes v1.34 writes them."""

from dataclasses import dataclass

import pytest

from heliostat_core.executions import CauseClass
from heliostat_core.worlds import JsonObject
from heliostat_operator.runs.diagnosis import diagnose
from heliostat_operator.runs.facts import STARTS, Ended, Facts, Runs, Waits
from heliostat_operator.runs.pods import EventObject, Job, Pod
from support.builders.pods import (
    FINISHED,
    STARTED,
    job_failed,
    make_condition,
    make_event,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
    waiting,
)
from support.builders.resources import NOW, seconds


def make_facts(pod: JsonObject | None, *events: JsonObject, job: JsonObject | None = None) -> Facts:
    return Facts(
        job=Job.model_validate(job or make_job()),
        pod=Pod.model_validate(pod) if pod else None,
        events=tuple(EventObject.model_validate(each) for each in events),
    )


@dataclass(frozen=True)
class Waiting:
    """A pod that does not run yet, the reason that people see, and words that they need."""

    sentence: str
    reason: str
    words: tuple[str, ...]
    pod: JsonObject | None
    events: tuple[JsonObject, ...] = ()


def meshed(place: str, state: JsonObject, mesh: JsonObject, phase: str = "Running") -> JsonObject:
    """A pod with a sidecar: an init container, or one before or after the agent's."""
    others = {"mesh": mesh}
    return make_pod(
        phase,
        state,
        init=others if place == "init" else None,
        before=others if place == "before" else None,
        after=others if place == "after" else None,
    )


PULL = waiting("ErrImagePull", "not found")
WAITING: tuple[Waiting, ...] = (
    Waiting(
        "an image that is not in its registry is named with the registry's words",
        "ImagePullFailed",
        ("ImagePullBackOff", "acme/agent:9", "workspace.image"),
        make_pod(
            state=waiting(
                "ImagePullBackOff",
                'Back-off pulling image "acme/agent:9": ErrImagePull: failed to pull and unpack '
                'image "docker.io/acme/agent:9": not found',
            )
        ),
    ),
    Waiting(
        "the first failed pull says the same as the back-off after it",
        "ImagePullFailed",
        ("ErrImagePull",),
        make_pod(state=waiting("ErrImagePull", "failed to resolve reference: not found")),
    ),
    Waiting(
        "an image that may not be pulled and is not on the node",
        "ImagePullFailed",
        ("ErrImageNeverPull", "not present with pull policy of Never"),
        make_pod(
            state=waiting(
                "ErrImageNeverPull",
                'Container image "acme/agent:9" is not present with pull policy of Never',
            )
        ),
    ),
    Waiting(
        "a name that no image can have",
        "ImagePullFailed",
        ("InvalidImageName",),
        make_pod(
            state=waiting(
                "InvalidImageName",
                'Failed to apply default image tag "UPPER": couldn\'t parse image name',
            )
        ),
    ),
    Waiting(
        "an unschedulable pod repeats the scheduler's own words",
        "Unschedulable",
        ("0/3 nodes are available: 1 Insufficient memory", "workspace.resources"),
        make_pod(
            node="",
            conditions=[
                make_condition(
                    "PodScheduled",
                    "False",
                    "Unschedulable",
                    "0/3 nodes are available: 1 Insufficient memory, 2 node(s) had untolerated "
                    "taint {gpu: true}. preemption: 0/3 nodes are available: 3 Preemption is not "
                    "helpful for scheduling.",
                )
            ],
        ),
    ),
    Waiting(
        "a claim that nothing provides keeps the pod unschedulable, in the scheduler's words",
        "Unschedulable",
        ("unbound immediate PersistentVolumeClaims",),
        make_pod(
            node="",
            conditions=[
                make_condition(
                    "PodScheduled",
                    "False",
                    "Unschedulable",
                    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
                )
            ],
        ),
    ),
    Waiting(
        "a Secret that is missing is named",
        "ContainerConfigError",
        ('secret "crm" not found', "Make what is missing"),
        make_pod(state=waiting("CreateContainerConfigError", 'secret "crm" not found')),
    ),
    Waiting(
        "a key that is missing in a Secret is named",
        "ContainerConfigError",
        ("couldn't find key token in Secret default/crm",),
        make_pod(
            state=waiting(
                "CreateContainerConfigError", "couldn't find key token in Secret default/crm"
            )
        ),
    ),
    Waiting(
        "a container that cannot be created shows the runtime's words",
        "ContainerConfigError",
        ("context deadline exceeded",),
        make_pod(state=waiting("CreateContainerError", "context deadline exceeded")),
    ),
    Waiting(
        "a volume that cannot be mounted is known from the kubelet's event",
        "VolumeFailed",
        ('MountVolume.SetUp failed for volume "workspace"', "Check workspace.storage"),
        make_pod(state=waiting("ContainerCreating")),
        (
            make_event("Scheduled", "Successfully assigned default/x to node-1", "Normal"),
            make_event(
                "FailedMount", 'MountVolume.SetUp failed for volume "workspace" : mount failed: 32'
            ),
        ),
    ),
    *(
        Waiting(
            f"a volume of a {kind} that is missing says that it is to be made",
            "VolumeFailed",
            (f'{kind} "mesh" not found', f"Make that {kind}"),
            make_pod(state=waiting("ContainerCreating")),
            (
                make_event(
                    "FailedMount",
                    f'MountVolume.SetUp failed for volume "x" : {kind} "mesh" not found',
                ),
            ),
        )
        for kind in ("secret", "configmap")
    ),
    *(
        Waiting(
            f"{words} whose image can't be pulled is named",
            "ImagePullFailed",
            (f"{words} 'mesh': ErrImagePull: not found", "what puts it into the pod"),
            meshed(place, waiting("PodInitializing"), PULL, "Pending"),
        )
        for words, place in (
            ("Init container", "init"),
            ("Container", "before"),
        )
    ),
    Waiting(
        "an init container that names what is missing is named",
        "ContainerConfigError",
        ("Init container 'mesh': secret \"ca\" not found",),
        make_pod(
            state=waiting("PodInitializing"),
            init={"mesh": waiting("CreateContainerConfigError", 'secret "ca" not found')},
        ),
    ),
    Waiting(
        "a sidecar that goes before the agent and does not get up is named",
        "InitContainerFailed",
        ("Init container 'mesh': back-off 10s restarting", "spec.podTemplate.metadata"),
        make_pod(
            state=waiting("PodInitializing"),
            init={"mesh": waiting("CrashLoopBackOff", "back-off 10s restarting failed container")},
        ),
    ),
    Waiting(
        "a volume that is still on another node",
        "VolumeFailed",
        ("Multi-Attach error",),
        make_pod(state=waiting("ContainerCreating")),
        (
            make_event(
                "FailedAttachVolume",
                'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to '
                "one node and can't be attached to another",
            ),
        ),
    ),
    Waiting(
        "a Job that may not make its pod shows the controller's words",
        "PodNotCreated",
        ("exceeded quota: pods",),
        None,
        (
            make_event(
                "FailedCreate",
                'Error creating: pods "sales-1-1-x" is forbidden: exceeded quota: pods, '
                "requested: pods=1, used: pods=10, limited: pods=10",
            ),
        ),
    ),
    Waiting(
        "a Job that may not make its pod shows the latest of the controller's words",
        "PodNotCreated",
        ("exceeded quota: memory",),
        None,
        (
            make_event("FailedCreate", "exceeded quota: pods"),
            make_event("FailedCreate", "exceeded quota: memory"),
        ),
    ),
    Waiting(
        "a pod that could be made after all is starting",
        "Starting",
        ("The pod is starting.",),
        make_pod(state=waiting("ContainerCreating")),
        (make_event("FailedCreate", "exceeded quota: pods"),),
    ),
    Waiting("a Job without a pod yet", "Starting", ("The pod is starting.",), None),
    Waiting(
        "a pod that is being made is starting",
        "Starting",
        ("starting",),
        make_pod(state=waiting("ContainerCreating")),
    ),
    Waiting("a pod without any status is starting", "Starting", ("starting",), make_pod(node="")),
)


@pytest.mark.parametrize("case", WAITING, ids=lambda case: case.sentence)
def test_a_waiting_pod(case: Waiting) -> None:
    found = diagnose(make_facts(case.pod, *case.events))
    assert isinstance(found, Waits)
    assert found.reason == case.reason
    assert [word for word in case.words if word not in found.message] == []


def test_a_running_container_runs_since_its_start() -> None:
    assert diagnose(make_facts(make_pod("Running", running()))) == Runs(STARTED)


@pytest.mark.parametrize("place", ["init", "before", "after"])
def test_a_sidecar_does_not_hide_that_the_agent_runs(place: str) -> None:
    pod = meshed(place, running(NOW + seconds(5)), running(NOW))
    assert diagnose(make_facts(pod)) == Runs(NOW + seconds(5))


def test_a_sidecar_that_runs_is_no_agent_that_runs() -> None:
    pod = make_pod("Running", waiting("ContainerCreating"), before={"mesh": running()})
    assert diagnose(make_facts(pod)) == STARTS


def test_what_the_runner_saved_goes_with_an_eviction() -> None:
    found = diagnose(make_facts(disrupted("EvictionByEvictionAPI", "Evicting", LEFT)))
    assert isinstance(found, Ended)
    assert found.result is not None
    assert found.result.session_id is not None


def test_a_pod_that_is_over_is_not_called_gone() -> None:
    found = diagnose(make_facts(make_pod("Failed")))
    assert isinstance(found, Ended)
    assert (found.reason, "is over and nothing says why" in found.message) == ("PodLost", True)


def test_a_pod_that_is_told_to_leave_still_runs() -> None:
    pod = make_pod(
        "Running",
        running(),
        conditions=[make_condition("DisruptionTarget", reason="EvictionByEvictionAPI")],
        deleted=NOW,
    )
    assert diagnose(make_facts(pod)) == Runs(STARTED)


@dataclass(frozen=True)
class Ending:
    """A pod or a Job's record that is over: reason, whose failure, words that people need."""

    sentence: str
    reason: str
    cause: CauseClass | None
    words: tuple[str, ...]
    pod: JsonObject | None = None
    job: JsonObject | None = None
    exit_code: int | None = None


RUNNER_IS_MISSING = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: exec: "
    '"heliostat-runner": executable file not found in $PATH: unknown'
)
OOM_BY_AGENT = make_result("Failed", "AgentError", "agent", "The tool was killed.")
DISRUPTED_JOB = "Pod default/sales-1-1-x7k2p has condition DisruptionTarget matching FailJob rule"


def disrupted(reason: str, message: str, state: JsonObject | None = None) -> JsonObject:
    return make_pod(
        "Failed",
        state or terminated(137),
        conditions=[make_condition("DisruptionTarget", reason=reason, message=message)],
    )


def exit_code_failed(code: int) -> JsonObject:
    return make_job(
        job_failed(
            "PodFailurePolicy",
            f"Container agent for pod default/sales-1-1-x7k2p failed with exit code {code} "
            "matching FailJob rule at index 1",
        )
    )


DONE = terminated(0, message=make_result())
LEFT = terminated(
    143, message=make_result("Failed", "Terminated", "infrastructure", "The session was saved.")
)

ENDINGS: tuple[Ending, ...] = (
    Ending(
        "a verified result is a success",
        "Verified",
        None,
        ("its work was verified",),
        make_pod("Succeeded", terminated(0, message=make_result())),
        exit_code=0,
    ),
    Ending(
        "a result document beats the kernel's word about a killed tool",
        "AgentError",
        "agent",
        ("The tool was killed.",),
        make_pod("Failed", terminated(10, "OOMKilled", OOM_BY_AGENT)),
        exit_code=10,
    ),
    Ending(
        "a result document beats an eviction that came too late",
        "Verified",
        None,
        (),
        disrupted(
            "EvictionByEvictionAPI", "Eviction API: evicting", terminated(0, "", make_result())
        ),
        exit_code=0,
    ),
    Ending(
        "a drain is infrastructure",
        "Evicted",
        "infrastructure",
        ("Eviction API: evicting", "further attempt"),
        disrupted("EvictionByEvictionAPI", "Eviction API: evicting"),
        exit_code=137,
    ),
    Ending(
        "an eviction by the kubelet repeats its words",
        "Evicted",
        "infrastructure",
        ("The node was low on resource: memory",),
        make_pod(
            "Failed",
            terminated(137),
            reason="Evicted",
            message="The node was low on resource: memory. Threshold quantity: 100Mi, available: "
            "80Mi. Container agent was using 900Mi, request is 500Mi, has larger consumption.",
            conditions=[
                make_condition(
                    "DisruptionTarget",
                    reason="TerminationByKubelet",
                    message="The node was low on resource: memory.",
                )
            ],
        ),
        exit_code=137,
    ),
    Ending(
        "a pod that the kubelet evicted before its container began",
        "Evicted",
        "infrastructure",
        ("The node had condition: [DiskPressure]",),
        make_pod(
            "Failed",
            reason="Evicted",
            message="Pod was rejected: The node had condition: [DiskPressure]. ",
        ),
    ),
    Ending(
        "preemption is infrastructure",
        "Preempted",
        "infrastructure",
        ("preempting to accommodate a higher priority pod",),
        disrupted(
            "PreemptionByScheduler",
            "default-scheduler: preempting to accommodate a higher priority pod",
        ),
        exit_code=137,
    ),
    Ending(
        "a pod that the kubelet took for a critical one",
        "Evicted",
        "infrastructure",
        ("preempted by Kubelet to accommodate a critical pod",),
        make_pod(
            "Failed",
            reason="Preempting",
            message="Preempted in order to admit critical pod",
            conditions=[
                make_condition(
                    "DisruptionTarget",
                    reason="TerminationByKubelet",
                    message="Pod was preempted by Kubelet to accommodate a critical pod.",
                )
            ],
        ),
    ),
    Ending(
        "a node that no longer answers, by the taint manager",
        "NodeLost",
        "infrastructure",
        ("Taint manager: deleting due to NoExecute taint",),
        disrupted("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),
        exit_code=137,
    ),
    Ending(
        "a node that is gone, by the pod collector",
        "NodeLost",
        "infrastructure",
        ("PodGC: node no longer exists",),
        disrupted("DeletionByPodGC", "PodGC: node no longer exists", state=running()),
    ),
    Ending(
        "a node that shuts down",
        "NodeLost",
        "infrastructure",
        ("imminent node shutdown",),
        make_pod(
            "Failed",
            terminated(137),
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
        ),
        exit_code=137,
    ),
    Ending(
        "a node that refuses a pod for want of memory",
        "NodeLost",
        "infrastructure",
        ("The node refused the pod", "Node didn't have enough resource: memory"),
        make_pod(
            "Failed",
            reason="OutOfmemory",
            message="Pod was rejected: Node didn't have enough resource: memory, requested: "
            "1073741824, used: 1000, capacity: 2000",
        ),
    ),
    Ending(
        "a node whose labels no longer fit refuses in its own words",
        "NodeLost",
        "infrastructure",
        ("The node refused the pod", "Predicate NodeAffinity failed"),
        make_pod(
            "Failed",
            reason="NodeAffinity",
            message="Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's "
            "node affinity/selector",
        ),
    ),
    Ending(
        "a word of the kubelet that we do not know leaves it to what the container ended with",
        "Exited",
        "agent",
        ("exit code 3",),
        make_pod("Failed", terminated(3), reason="SomethingNew", message="It is over."),
        exit_code=3,
    ),
    Ending(
        "its own memory limit, with the remedy",
        "OutOfMemory",
        "agent",
        ("workspace.resources.memory",),
        make_pod("Failed", terminated(137, "OOMKilled")),
        exit_code=137,
    ),
    Ending(
        "a kill from outside that is not its own limit",
        "Killed",
        "infrastructure",
        ("node short of memory",),
        make_pod("Failed", terminated(137)),
        exit_code=137,
    ),
    Ending(
        "a container that the runtime lost",
        "Killed",
        "infrastructure",
        (),
        make_pod(
            "Failed",
            terminated(
                137,
                "ContainerStatusUnknown",
                "The container could not be located when the pod was terminated",
            ),
        ),
        exit_code=137,
    ),
    Ending(
        "an image without the runner",
        "RuntimeMissing",
        "configuration",
        ("has no heliostat-runner", "workspace.image"),
        make_pod("Failed", terminated(128, "StartError", RUNNER_IS_MISSING)),
        exit_code=128,
    ),
    Ending(
        "a container that could not be started for another reason",
        "StartFailed",
        "configuration",
        ("no space left on device",),
        make_pod("Failed", terminated(128, "StartError", "mkdir: no space left on device")),
        exit_code=128,
    ),
    Ending(
        "a container that ends well without a document",
        "NoResult",
        "agent",
        ("no result document", "heliostat-runner"),
        make_pod("Succeeded", terminated(0)),
        exit_code=0,
    ),
    Ending(
        "words that are no document are not taken for one",
        "NoResult",
        "agent",
        (),
        make_pod("Succeeded", terminated(0, message='{"version":1,"outcome":"Succeeded"}')),
        exit_code=0,
    ),
    Ending(
        "an exit code of the runner says what it knows without its document",
        "ProviderFailed",
        "infrastructure",
        ("exit code 15",),
        make_pod("Failed", terminated(15)),
        exit_code=15,
    ),
    Ending(
        "an exit code that the runner does not have",
        "Exited",
        "agent",
        ("exit code 3", "log of the pod"),
        make_pod("Failed", terminated(3)),
        exit_code=3,
    ),
    Ending(
        "a pod that somebody deleted",
        "PodDeleted",
        "infrastructure",
        ("was deleted",),
        make_pod("Failed", terminated(137), deleted=NOW),
        exit_code=137,
    ),
    Ending(
        "a runner that was told to leave, nothing says by whom, keeps its own reason",
        "Terminated",
        "infrastructure",
        ("The session was saved.",),
        make_pod("Failed", LEFT),
        exit_code=143,
    ),
    Ending(
        "a deletion is told as one though the runner says that it was told to leave",
        "PodDeleted",
        "infrastructure",
        ("The pod was deleted.",),
        make_pod("Failed", LEFT, deleted=NOW),
        exit_code=143,
    ),
    Ending(
        "a drain is told as one though the runner says that it was told to leave",
        "Evicted",
        "infrastructure",
        ("Eviction API: evicting",),
        disrupted("EvictionByEvictionAPI", "Eviction API: evicting", LEFT),
        exit_code=143,
    ),
    Ending(
        "a preemption is told as one though the runner says that it was told to leave",
        "Preempted",
        "infrastructure",
        ("to accommodate a higher priority pod",),
        disrupted("PreemptionByScheduler", "preempting to accommodate a higher priority pod", LEFT),
        exit_code=143,
    ),
    Ending(
        "a disruption that was called off is none",
        "Terminated",
        "infrastructure",
        (),
        make_pod(
            "Failed", LEFT, conditions=[make_condition("DisruptionTarget", "False", "Called off")]
        ),
        exit_code=143,
    ),
    *(
        Ending(
            f"an eviction for its own use is the agent's fault: {words}",
            "OutOfStorage",
            "agent",
            (words, "Have the agent write less"),
            make_pod("Failed", state, reason="Evicted", message=f"{words} "),
            exit_code=code,
        )
        for state, code, words in (
            (
                LEFT,
                143,
                "Pod ephemeral local storage usage exceeds the total limit of containers 1.",
            ),
            (LEFT, 143, 'Container agent exceeded its local ephemeral storage limit "20Mi".'),
            (
                terminated(137),
                137,
                'Usage of EmptyDir volume "workspace" exceeds the limit "20Mi".',
            ),
        )
    ),
    Ending(
        "an eviction for its own use that only the condition tells is the agent's fault",
        "OutOfStorage",
        "agent",
        ("exceeds the total limit of containers 20Mi",),
        disrupted(
            "TerminationByKubelet",
            "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ",
            LEFT,
        ),
        exit_code=143,
    ),
    Ending(
        "an eviction for its own use that came too late takes no result away",
        "Verified",
        None,
        ("its work was verified",),
        make_pod(
            "Failed",
            DONE,
            reason="Evicted",
            message="Pod ephemeral local storage usage exceeds the total limit of containers 20Mi.",
        ),
        exit_code=0,
    ),
    Ending(
        "a node that is short of storage is infrastructure, whoever used it up",
        "Evicted",
        "infrastructure",
        ("The node was low on resource: ephemeral-storage",),
        make_pod(
            "Failed",
            LEFT,
            reason="Evicted",
            message="The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, "
            "available: 900Mi. Container agent was using 2Gi, request is 0, has larger "
            "consumption of ephemeral-storage. ",
        ),
        exit_code=143,
    ),
    Ending(
        "an init container that fails is a fault of the configuration, with its own words",
        "InitContainerFailed",
        "configuration",
        ("Init container 'mesh' ended with exit code 3: no route", "spec.podTemplate.metadata"),
        make_pod(
            "Failed",
            waiting("PodInitializing"),
            init={"first": terminated(0), "mesh": terminated(3, message="no route\n")},
        ),
        exit_code=3,
    ),
    Ending(
        "an init container that was ended with its pod is no fault of the configuration",
        "PodDeleted",
        "infrastructure",
        ("The pod was deleted.",),
        make_pod(
            "Failed",
            waiting("PodInitializing"),
            init={"mesh": terminated(143)},
            deleted=NOW,
        ),
    ),
    *(
        Ending(
            f"a sidecar {place} the agent does not hide that it is done",
            "Verified",
            None,
            (),
            meshed(place, DONE, running()),
            exit_code=0,
        )
        for place in ("init", "before", "after")
    ),
    Ending(
        "a sidecar that was killed does not hide how the agent ended",
        "AgentError",
        "agent",
        (),
        make_pod(
            "Failed",
            terminated(10, message=make_result("Failed", "AgentError", "agent")),
            before={"mesh": terminated(137, "OOMKilled")},
        ),
        exit_code=10,
    ),
    Ending(
        "the Job remembers a runner's exit code when the pod is gone",
        "ProviderFailed",
        "infrastructure",
        ("exit code 15",),
        job=exit_code_failed(15),
        exit_code=15,
    ),
    Ending(
        "the Job remembers an agent's failure when the pod is gone",
        "VerificationFailed",
        "agent",
        (),
        job=exit_code_failed(11),
        exit_code=11,
    ),
    Ending(
        "the Job remembers a container that never started when the pod is gone",
        "StartFailed",
        "configuration",
        ("could not be started",),
        job=exit_code_failed(128),
        exit_code=128,
    ),
    Ending(
        "the Job remembers a disruption when the pod is gone",
        "Evicted",
        "infrastructure",
        ("has condition DisruptionTarget",),
        job=make_job(job_failed("PodFailurePolicy", f"{DISRUPTED_JOB} at index 0")),
    ),
    Ending(
        "the Job's coming failure says as much as its final one",
        "Evicted",
        "infrastructure",
        (),
        job=make_job(
            make_condition(
                "FailureTarget",
                reason="PodFailurePolicy",
                message=f"{DISRUPTED_JOB} at index 0",
            )
        ),
    ),
    Ending(
        "a pod that was deleted without a record is infrastructure",
        "PodLost",
        "infrastructure",
        ("nothing says why",),
        job=make_job(
            job_failed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        ),
    ),
)


@pytest.mark.parametrize("case", ENDINGS, ids=lambda case: case.sentence)
def test_an_ended_attempt(case: Ending) -> None:
    found = diagnose(make_facts(case.pod, job=case.job))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause, found.exit_code) == (case.reason, case.cause, case.exit_code)
    assert [word for word in case.words if word not in found.message] == []


def test_an_end_keeps_the_containers_own_times() -> None:
    found = diagnose(make_facts(make_pod("Failed", terminated(3))))
    assert isinstance(found, Ended)
    assert (found.started, found.ended) == (STARTED, FINISHED)


def test_an_end_that_only_the_job_remembers_has_the_jobs_time() -> None:
    # The operator may look hours later: that time is no running time of the agent.
    found = diagnose(make_facts(None, job=exit_code_failed(15)))
    assert isinstance(found, Ended)
    assert found.ended == NOW


def test_a_job_that_completed_is_not_run_again_because_its_pod_is_gone() -> None:
    # Exit code 0 is the runner's word for success: finished work is not paid twice.
    found = diagnose(make_facts(None, job=make_job(make_condition("Complete"))))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause, found.exit_code) == ("Unverified", None, 0)
    assert "gone before its result was read" in found.message


def test_a_job_that_counted_a_success_and_failed_is_not_paid_again() -> None:
    """Its pod was marked for eviction when it had ended well already."""
    failed = make_condition("Failed", message="Pod has condition DisruptionTarget matching rule")
    status: JsonObject = {"conditions": [failed], "succeeded": 1}
    found = diagnose(make_facts(None, job={**make_job(), "status": status}))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause) == ("Unverified", None)


def test_a_job_that_is_gone_with_its_pod_is_lost() -> None:
    found = diagnose(Facts(job=None, pod=None))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause) == ("PodLost", "infrastructure")


def test_a_pod_whose_job_is_gone_still_counts_as_running() -> None:
    pod = Pod.model_validate(make_pod("Running", running(NOW + seconds(5))))
    assert diagnose(Facts(job=None, pod=pod)) == Runs(NOW + seconds(5))


def test_a_deleted_pod_that_stays_is_on_a_dead_node() -> None:
    """The taint manager's deletion is never carried out where no kubelet lives."""
    pod = Pod.model_validate(make_pod("Running", running(), deleted=NOW))
    job = Job.model_validate(make_job())
    assert diagnose(Facts(job, pod, overdue_seconds=30)) == Runs(STARTED)
    found = diagnose(Facts(job, pod, overdue_seconds=61))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause) == ("NodeLost", "infrastructure")


def test_an_evicted_pod_is_evicted_though_its_node_is_dead_since() -> None:
    pod = Pod.model_validate(
        make_pod("Failed", reason="Evicted", message="The node was low on memory.", deleted=NOW)
    )
    found = diagnose(Facts(Job.model_validate(make_job()), pod, overdue_seconds=61))
    assert isinstance(found, Ended)
    assert (found.reason, "The node was low on memory." in found.message) == ("Evicted", True)


@pytest.mark.parametrize(
    ("count", "reason", "cause"),
    [("failed", "PodLost", "infrastructure"), ("succeeded", "Unverified", None)],
)
def test_a_job_whose_controller_counted_its_pod_and_said_no_more_is_over(
    count: str, reason: str, cause: str | None
) -> None:
    """An API server that dies between two of the controller's writes leaves it so, for ever."""
    job = Job.model_validate({**make_job(), "status": {count: 1}})
    assert isinstance(diagnose(Facts(job, None, counted_seconds=9)), Waits)
    found = diagnose(Facts(job, None, counted_seconds=11))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause) == (reason, cause)


def test_every_sentence_is_told_once() -> None:
    sentences = [each.sentence for each in WAITING] + [each.sentence for each in ENDINGS]
    assert len(set(sentences)) == len(sentences)
