"""A world in memory in which an engine lives: what it writes of Agents and Executions is noted,
Jobs get pods whose ends are played, and time is simulated."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.conditions import (
    AdmittedReason,
    AwaitingReason,
    BlockedReason,
    Documented,
    FinishedReason,
    ReadyReason,
    RunningReason,
    SettledReason,
    TickReason,
    TriggeredReason,
)
from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.worlds import AGENT, EXECUTION, JOB, POD, JsonObject, JsonValue, Ref
from heliostat_operator.engine import Engine
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.secrets.vaults import NoVault, Vault
from heliostat_operator.settings import OperatorSettings
from support.builders.pods import make_pod
from support.builders.resources import (
    NOW,
    make_agent,
    make_execution,
    make_settings,
    make_spec,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.memory_world import Document, MemoryWorld, meta_of
from support.objects import mapping_at

REASONS: tuple[type[Documented], ...] = (
    ReadyReason,
    TriggeredReason,
    TickReason,
    BlockedReason,
    AdmittedReason,
    RunningReason,
    AwaitingReason,
    SettledReason,
    FinishedReason,
)
"""All of heliostat_core.conditions."""

_PRIVATE_KEY = new_private_key()
_STEP_SECONDS = 0.5
_LIMIT_SECONDS = 15_000


@dataclass
class Ground:
    """The engine's surroundings, and the reasons that it has written."""

    settings: OperatorSettings = field(default_factory=make_settings)
    vault: Vault = field(default_factory=NoVault)
    parts: Callable[["Ground"], Sequence[object]] = lambda _: ()
    keeps_pods: bool = False
    """Whether deleted pods stay, as on a node that is slow."""

    def __post_init__(self) -> None:
        self.world = MemoryWorld()
        self.gateway = FakeGateway()
        self.seen: set[str] = set()

    def now(self) -> datetime:
        return NOW + seconds(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """The engine works while the block lasts."""
        signer = Signer(_PRIVATE_KEY, self.now)
        engine = Engine(
            self.world,
            self.gateway,
            signer,
            self.settings,
            self.now,
            vault=self.vault,
            parts=self.parts(self),
        )
        tasks = [asyncio.create_task(each) for each in (engine.run(), self._tell(engine))]
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
                with suppress(asyncio.CancelledError):
                    await each

    async def _tell(self, engine: Engine) -> None:
        """The watch, the kubelet that ends deleted pods, and the server's clock."""
        while True:
            changes, self.world.changes = self.world.changes, []
            for kind, change in changes:
                if change.type != "DELETED":
                    found = written_in(change.object) if kind in (AGENT, EXECUTION) else []
                    self.seen |= {label(each) for each in found}
                engine.see(kind, change)
            self.world.now = self.now()
            for ref, pod in list(self.world.objects.items()):
                leaves = ref.kind == POD and "deletionTimestamp" in meta_of(pod)
                if leaves and not self.keeps_pods:
                    self.world.remove(ref)
            await asyncio.sleep(_STEP_SECONDS)

    async def until(self, *reasons: Documented) -> None:
        """Waits until the engine has written each of them."""
        wanted = {label(each) for each in reasons}
        await self.wait(lambda: wanted <= self.seen, f"{sorted(wanted)}")

    async def wait(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + _LIMIT_SECONDS
        while not is_so():
            assert asyncio.get_running_loop().time() < deadline, f"{what}, only {self.seen}"
            await asyncio.sleep(_STEP_SECONDS)

    # ---- hands ----------------------------------------------------------------------------------

    def agent(self, name: str = "sales", created: float = 0, **spec: object) -> None:
        """Applies an Agent; `created` is how many seconds ago it was made. Unless the spec says
        otherwise, the pods of its runs may take a day to start."""
        made = make_agent(name)
        given = make_spec(**{"startTimeoutSeconds": 86_400, **spec})
        document: dict[str, JsonValue] = {**made.model_copy(update={"spec": given}).to_json()}
        known = self.world.objects.get(Ref(AGENT, "default", name))
        document["status"] = known["status"] if known and "status" in known else {}
        meta = meta_of(document)
        meta["creationTimestamp"] = (NOW - seconds(created)).isoformat()
        if known:
            meta["uid"] = meta_of(known)["uid"]
            meta["generation"] = 2
        self.world.put(document)

    def run(
        self, name: str = "sales-1", annotations: Mapping[str, str] | None = None, **spec: object
    ) -> None:
        """Makes an Execution; `agent` names its Agent."""
        document: dict[str, JsonValue] = {**make_execution(name, **spec).to_json()}  # type: ignore[arg-type]
        document.pop("status")
        meta_of(document)["annotations"] = dict(annotations or {})
        self.world.put(document)

    def change(self, name: str = "sales-1", **spec: JsonValue) -> None:
        """Changes fields of an Execution's spec."""
        found = self.world.objects[Ref(EXECUTION, "default", name)]
        self.world.put({**found, "spec": {**mapping_at(found, "spec"), **spec}})

    async def job(self) -> str:
        """The name of the only Job, once it is there."""
        await self.wait(lambda: bool(self._jobs()), "a Job")
        [name] = self._jobs()
        return name

    def _jobs(self) -> list[str]:
        return [ref.name for ref in self.world.objects if ref.kind == JOB]

    async def pod(self, pod: JsonObject, attempt: str = "sales-1-1") -> None:
        """Once the attempt's Job is there, it has this pod; only its status counts."""
        await self.wait(lambda: Ref(JOB, "default", attempt) in self.world.objects, attempt)
        job = self.world.objects[Ref(JOB, "default", attempt)]
        given = mapping_at(pod, "metadata").get("deletionTimestamp")
        document = _pod_of(job)
        if given is not None:
            meta_of(document)["deletionTimestamp"] = given
        self.world.put({**document, "status": mapping_at(pod, "status")})

    def event(self, kind: str, reason: str, message: str, attempt: str = "sales-1-1") -> None:
        """What a controller or the kubelet says of the attempt's Job or pod."""
        name = attempt if kind == "Job" else f"{attempt}-pod"
        ref = Ref(JOB if kind == "Job" else POD, "default", name)
        subject: JsonObject = {
            "kind": kind,
            "namespace": "default",
            "uid": meta_of(self.world.objects[ref])["uid"],
        }
        self.world.put(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{name}-{reason.lower()}", "namespace": "default"},
                "involvedObject": subject,
                "type": "Warning",
                "reason": reason,
                "message": message,
            }
        )


def _pod_of(job: Document) -> Document:
    template = mapping_at(job, "spec", "template", "metadata")
    meta = meta_of(job)
    labels, annotations = mapping_at(template, "labels"), mapping_at(template, "annotations")
    return dict(
        make_pod(
            name=f"{meta['name']}-pod",
            job_name=str(meta["name"]),
            job_uid=str(meta["uid"]),
            labels={key: str(each) for key, each in labels.items()},
            annotations={key: str(each) for key, each in annotations.items()},
        )
    )


def label(reason: Documented) -> str:
    """Names a reason; the same word may stand in several enums, whose members are then equal."""
    return f"{type(reason).__name__}.{reason}"


def written_in(obj: JsonObject) -> list[Documented]:
    """The reasons in the status of an Agent or an Execution."""
    if obj["kind"] == AGENT.name:
        return _of_agent(Agent.model_validate(obj))
    return _of_execution(Execution.model_validate(obj))


def _of_agent(agent: Agent) -> list[Documented]:
    types: Mapping[str, type[Documented]] = {"Ready": ReadyReason, "Triggered": TriggeredReason}
    found: list[Documented] = [types[each.type](each.reason) for each in agent.status.conditions]
    schedule = agent.status.schedule
    return found + [TickReason(each.reason) for each in (schedule.recent if schedule else ())]


def _of_execution(execution: Execution) -> list[Documented]:
    found: list[Documented] = []
    for each in execution.status.conditions:
        match each.type:
            case "Admitted" if each.status == "True":
                found.append(AdmittedReason(each.reason))
            case "Admitted":
                found.append(BlockedReason(each.reason))
            case "Running":
                found.append(RunningReason(each.reason))
            case "AwaitingApproval":
                found.append(AwaitingReason(each.reason))
            case "Settled":
                found.append(SettledReason(each.reason))
            case "Succeeded":
                found.append(FinishedReason(each.reason))
            case "Due":
                found.append(TickReason(each.reason))
            case _:
                raise AssertionError(f"a condition without documented reasons: {each}")
    found += [BlockedReason(each.reason) for each in execution.status.blocked_by]
    ended = [each.reason for each in execution.status.attempts if each.reason]
    return found + [FinishedReason(each) for each in ended]
