"""The kubelet of the embedded world: pods in, supervisors and statuses out.

Every step looks at the pod's folder as it is, so it goes on wherever a process before it stopped.
"""

import os
import time

from heliostat_cli.embedded.containers import (
    ContainerConfigError,
    Surroundings,
    claim_names,
    prepare,
    secret_names,
)
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.objects import is_terminating, ref_to
from heliostat_cli.embedded.pods import (
    ended_status,
    is_finished,
    is_over,
    lost_status,
    running_status,
    unschedulable_status,
    waiting_status,
)
from heliostat_cli.embedded.statuses import report
from heliostat_cli.embedded.supervisor import State
from heliostat_cli.embedded.supervisors import Finding, Life, PodFolder
from heliostat_core.reading import number, parts, text
from heliostat_core.worlds import JOB, SECRET, VOLUME_CLAIM, JsonObject, Ref, World

_OVERTIME_SECONDS = 15.0  # after its grace a supervisor that has not ended is ended itself
_STARTS = 3  # of a supervisor that never comes up


class Kubelet:
    """Runs pods below a state folder."""

    def __init__(self, world: World, folder: StateFolder) -> None:
        self._world = world
        self._folder = folder
        self._children: dict[str, int] = {}  # by pod uid: supervisors that we started
        self._starts: dict[str, int] = {}
        self._stops: dict[str, tuple[float, int]] = {}  # by pod uid: asked when, which grace

    async def step(self, pod: JsonObject) -> None:
        """One step towards what the pod object says. WorldErrors mean: look again."""
        folder = PodFolder(self._folder.pod(text(pod, "metadata", "uid")))
        if not is_over(pod):
            await self._follow(pod, folder, folder.look())
        elif is_terminating(pod) and await self._is_recorded(pod):
            await self._release(pod)

    async def remove_orphans(self, uids: set[str]) -> None:
        """End and delete what pods left that exist no more."""
        for uid in uids:
            await self._remove_orphan(uid, PodFolder(self._folder.pod(uid)))

    def reap(self) -> None:
        """Collect supervisors of ours that ended."""
        for uid, pid in tuple(self._children.items()):
            try:
                ended = os.waitpid(pid, os.WNOHANG) != (0, 0)
            except ChildProcessError:
                ended = True
            if ended:
                del self._children[uid]

    async def _follow(self, pod: JsonObject, folder: PodFolder, finding: Finding) -> None:
        """Bring the status of a pod that is not over up to what its supervisor says."""
        state = finding.state
        if finding.life is Life.ENDED and state is not None:
            await report(self._world, pod, ended_status(pod, state, folder.termination_log()))
        elif finding.life is Life.LOST:
            await folder.sweep()
            await report(self._world, pod, lost_status(pod, state, folder.termination_log()))
        elif is_terminating(pod):
            await self._end(pod, folder, finding)
        elif finding.life is Life.UNBORN:
            await self._start(pod, folder)
        elif state is not None:
            await report(self._world, pod, running_status(pod, state))

    async def _start(self, pod: JsonObject, folder: PodFolder) -> None:
        uid = text(pod, "metadata", "uid")
        if uid in self._children:
            return  # on its way up
        try:
            around = await self._surroundings(pod)
            folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            container = prepare(pod, folder.path, around)
        except ContainerConfigError as error:
            await report(self._world, pod, _lacking_status(pod, str(error)))
            return
        if self._starts.get(uid, 0) == _STARTS and folder.forbid():
            state = State("Terminated", "", "", 128, reason="StartError", message=_NO_SUPERVISOR)
            await report(self._world, pod, ended_status(pod, state, b""))
            return
        self._starts[uid] = self._starts.get(uid, 0) + 1
        self._children[uid] = folder.start(container)

    async def _surroundings(self, pod: JsonObject) -> Surroundings:
        namespace = text(pod, "metadata", "namespace")
        secrets = {}
        for name in secret_names(pod):
            if found := await self._world.get(Ref(SECRET, namespace, name)):
                secrets[name] = found
        claims = {}
        for name in claim_names(pod):
            if found := await self._world.get(Ref(VOLUME_CLAIM, namespace, name)):
                claims[name] = self._folder.claim(text(found, "metadata", "uid"))
        return Surroundings(secrets, claims)

    async def _end(self, pod: JsonObject, folder: PodFolder, finding: Finding) -> None:
        uid = text(pod, "metadata", "uid")
        if finding.life is Life.ALIVE:
            await self._stop(
                uid, folder, number(pod, "metadata", "deletionGracePeriodSeconds") or 0
            )
        elif uid not in self._children and folder.forbid():
            await self._release(pod)  # it never ran, and never will

    async def _stop(self, uid: str, folder: PodFolder, grace: int) -> None:
        asked, asked_grace = self._stops.get(uid, (time.monotonic(), None))
        if asked_grace is None or grace < asked_grace:
            self._stops[uid] = (time.monotonic(), grace)
            folder.stop(grace)
        elif time.monotonic() > asked + asked_grace + _OVERTIME_SECONDS:
            await folder.sweep()

    async def _is_recorded(self, pod: JsonObject) -> bool:
        """Whether the pod's Job, if there is one still, has taken note of the pod's end."""
        for owner in parts(pod, "metadata", "ownerReferences"):
            ref = Ref(JOB, text(pod, "metadata", "namespace"), text(owner, "name"))
            job = await self._world.get(ref) if text(owner, "kind") == JOB.name else None
            if job is not None and text(job, "metadata", "uid") == text(owner, "uid"):
                return is_finished(job) or is_terminating(job)
        return True

    async def _release(self, pod: JsonObject) -> None:
        uid = text(pod, "metadata", "uid")
        await self._world.delete(ref_to(pod), uid=uid, grace_seconds=0)

    async def _remove_orphan(self, uid: str, folder: PodFolder) -> None:
        finding = folder.look()
        if finding.life is Life.ALIVE:
            await self._stop(uid, folder, 0)
        elif finding.life is not Life.UNBORN or (uid not in self._children and folder.forbid()):
            await folder.sweep()
            folder.remove()
            for remembered in (self._starts, self._stops):
                remembered.pop(uid, None)


_NO_SUPERVISOR = "The process that supervises the run does not come up; see supervisor.log."


def _lacking_status(pod: JsonObject, message: str) -> JsonObject:
    if message.startswith("persistentvolumeclaim"):
        return unschedulable_status(message)
    return waiting_status(pod, "CreateContainerConfigError", message)
