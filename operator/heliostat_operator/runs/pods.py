"""Jobs and pods as far as we read them, parsed once from Kubernetes' own shapes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

from heliostat_core.names import AGENT_CONTAINER
from heliostat_core.resources import Instant, ObjectMeta, Part


def _none_at_the_epoch(instant: datetime | None) -> datetime | None:
    """The kubelet writes 1970 for a container that never started."""
    return None if instant is not None and instant.timestamp() == 0 else instant


ContainerTime = Annotated[Instant | None, AfterValidator(_none_at_the_epoch)]


class Terminated(Part):
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    signal: int | None = None
    started_at: ContainerTime = None
    finished_at: ContainerTime = None


class Running(Part):
    started_at: Instant | None = None


class Waiting(Part):
    reason: str = ""
    message: str = ""


class ContainerState(Part):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part):
    name: str = ""
    image: str = ""
    state: ContainerState = ContainerState()


class StatusCondition(Part):
    """A condition of a pod or a Job, in their looser shape."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Instant | None = None


class PodSpec(Part):
    node_name: str = ""


class PodStatus(Part):
    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: Instant | None = None
    conditions: tuple[StatusCondition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class PodMeta(ObjectMeta):
    deletion_grace_period_seconds: int | None = None


class Pod(Part):
    metadata: PodMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    def condition(self, type_: str) -> StatusCondition | None:
        """The condition of that type that is not Unknown, if there."""
        return next((each for each in self.status.conditions if each.type == type_), None)

    @property
    def container(self) -> ContainerState:
        """State of the agent's container; a pod may have others that somebody put into it."""
        own = (each for each in self.status.container_statuses if each.name == AGENT_CONTAINER)
        return next((each.state for each in own), ContainerState())

    @property
    def others(self) -> tuple[ContainerStatus, ...]:
        """The containers beside the agent's, without those that go before it."""
        return tuple(
            each for each in self.status.container_statuses if each.name != AGENT_CONTAINER
        )

    @property
    def failed_init(self) -> ContainerStatus | None:
        """The container before the agent's that ended badly, if there."""
        return next(
            (
                each
                for each in self.status.init_container_statuses
                if each.state.terminated is not None and each.state.terminated.exit_code != 0
            ),
            None,
        )

    @property
    def is_kept_by_sidecar(self) -> bool:
        """Whether the agent has ended and another container has not. Kubernetes itself ends those
        that are init containers which go on."""
        if self.is_over or self.container.terminated is None:
            return False
        return any(each.state.terminated is None for each in self.others)

    @property
    def is_over(self) -> bool:
        return self.status.phase in ("Succeeded", "Failed")


def choose_pod(pods: Iterable[Pod]) -> Pod | None:
    """The one to follow. A Job should have a single pod; after an API server's crash it may have
    two for a while, and the attempt is over no sooner than both are."""
    return min(pods, key=_rank, default=None)


def _rank(pod: Pod) -> tuple[bool, bool, bool, str]:
    """Those that live first, those that stay before those that leave, then those that succeeded."""
    meta = pod.metadata
    leaves = meta.deletion_timestamp is not None
    return (pod.is_over, leaves and not pod.is_over, pod.status.phase != "Succeeded", meta.name)


class JobStatus(Part):
    conditions: tuple[StatusCondition, ...] = ()
    start_time: Instant | None = None
    failed: int = 0
    succeeded: int = 0


class Job(Part):
    metadata: ObjectMeta
    status: JobStatus = JobStatus()

    @property
    def failure(self) -> StatusCondition | None:
        """The condition that says why the Job failed, or is about to."""
        failed = [
            each
            for each in self.status.conditions
            if each.type in ("Failed", "FailureTarget") and each.status == "True"
        ]
        return failed[0] if failed else None

    @property
    def has_counted(self) -> bool:
        """Whether its one pod was counted as ended: it never makes another."""
        return self.status.failed + self.status.succeeded > 0

    @property
    def is_complete(self) -> bool:
        return any(
            each.type in ("Complete", "SuccessCriteriaMet") and each.status == "True"
            for each in self.status.conditions
        )


class EventObject(Part):
    """A Kubernetes Event as far as a diagnosis reads it."""

    type: str = ""
    reason: str = ""
    message: str = ""
