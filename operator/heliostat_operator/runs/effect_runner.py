"""Applies a decision's effects to the world; each may be repeated after any crash."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution, ExecutionStatus
from heliostat_core.names import (
    AGENT_LABEL,
    FINISHED_LABEL,
    RUN_FINALIZER,
    label_value,
)
from heliostat_core.resources import ObjectHead, ObjectMeta, ref_of
from heliostat_core.worlds import (
    AGENT,
    CONTROLLER_REVISION,
    EXECUTION,
    JOB,
    KINDS,
    POD,
    SECRET,
    AlreadyExistsError,
    ConflictError,
    JsonObject,
    NamespaceTerminatingError,
    NotFoundError,
    Ref,
    World,
    WorldError,
)
from heliostat_operator.builders.approval_objects import build_approval, build_approval_status
from heliostat_operator.builders.events import build_agent_event
from heliostat_operator.builders.run_objects import (
    build_claim,
    build_job,
    build_snapshot,
    read_charge,
    read_snapshot,
)
from heliostat_operator.builders.run_secrets import build_run_document, build_secret
from heliostat_operator.gateway.ledgers import Gateway, GatewayUnavailableError, KeySigner
from heliostat_operator.model.effects import (
    DeleteSecret,
    Effect,
    HoldExecution,
    MakeApproval,
    ReleaseExecution,
    RevokeKey,
    SnapshotAgent,
    StartAttempt,
    StopAttempt,
    TellAgent,
    WriteApproval,
)
from heliostat_operator.model.indexes import KnownAgents
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.settings import OperatorSettings


class NameTakenError(WorldError):
    """An object of that name exists, and it was not made for this Execution."""


@dataclass
class Applied:
    """What the effects brought about, for the status that is written after them."""

    resource_version: str
    revoked: set[int]
    job_uids: dict[int, str]
    versions: list[str] = field(default_factory=list)
    """Resource versions of what was written: the watch will bring them back."""
    marked: Execution | None = None
    """The Execution as it was answered when its finalizer and labels were written last."""

    def in_status(self, status: ExecutionStatus) -> ExecutionStatus:
        """The status with confirmed revocations and the uids of Jobs that were made."""
        if not self.revoked and not self.job_uids:
            return status
        attempts = tuple(
            each.model_copy(
                update={
                    "key_revoked": each.key_revoked or each.number in self.revoked,
                    "job_uid": self.job_uids.get(each.number, each.job_uid),
                }
            )
            for each in status.attempts
        )
        return status.model_copy(update={"attempts": attempts})


class EffectRunner:
    """The hand of the reconciler: one small method an effect."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        signer: KeySigner,
        network: NetworkPolicies,
        settings: OperatorSettings,
        clock: Callable[[], datetime],
        agents: KnownAgents | None = None,
    ) -> None:
        self._agents = agents or KnownAgents()
        self._world = world
        self._gateway = gateway
        self._signer = signer
        self._network = network
        self._settings = settings
        self._clock = clock

    async def apply(self, execution: Execution, effects: tuple[Effect, ...]) -> Applied:
        """In order. A stale Execution raises ConflictError before anything is made of it."""
        applied = Applied(execution.metadata.resource_version, set(), {})
        for effect in effects:
            await self._one(execution, effect, applied)
        return applied

    async def _one(self, execution: Execution, effect: Effect, applied: Applied) -> None:
        match effect:
            case HoldExecution():
                await self._mark(execution, applied, (RUN_FINALIZER,), finished=False)
            case ReleaseExecution():
                await self._release(execution, effect, applied)
            case SnapshotAgent():
                await self._freeze(execution, effect, applied)
            case StartAttempt():
                applied.job_uids[effect.attempt.number] = await self._start(
                    execution, effect, applied
                )
            case RevokeKey():
                await self._revoke(execution, effect, applied)
            case StopAttempt():
                await self._stop(execution, effect)
            case TellAgent():
                await self._tell(execution, effect)
            case DeleteSecret() | MakeApproval() | WriteApproval():
                await self._for_ask(execution, effect, applied)

    async def _for_ask(
        self,
        execution: Execution,
        effect: DeleteSecret | MakeApproval | WriteApproval,
        applied: Applied,
    ) -> None:
        match effect:
            case DeleteSecret():
                await self._delete_secret(execution, effect)
            case MakeApproval():
                await self._ask(execution, effect, applied)
            case WriteApproval():
                await self._write_approval(effect, applied)

    async def _mark(
        self,
        execution: Execution,
        applied: Applied,
        finalizers: tuple[str, ...],
        *,
        finished: bool,
    ) -> None:
        meta = execution.metadata
        labels = {AGENT_LABEL: label_value(execution.spec.agent_ref.name)}
        if finished:
            labels[FINISHED_LABEL] = "true"
        written = await self._world.apply(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {
                    "name": meta.name,
                    "namespace": meta.namespace,
                    "uid": meta.uid,
                    "resourceVersion": applied.resource_version,
                    "labels": labels,
                    "finalizers": finalizers,
                },
            }
        )
        applied.resource_version = read_version(written)
        applied.versions.append(applied.resource_version)
        applied.marked = Execution.model_validate(written)

    async def _release(
        self, execution: Execution, release: ReleaseExecution, applied: Applied
    ) -> None:
        """Marks children first: once the Execution is marked, nobody looks at it again."""
        namespace = execution.metadata.namespace
        for attempt in release.attempts:
            await self._mark_finished(Ref(JOB, namespace, attempt.job_name), attempt.job_uid)
            if attempt.pod_name:
                await self._mark_finished(Ref(POD, namespace, attempt.pod_name))
        await self._mark(execution, applied, (), finished=True)

    async def _mark_finished(self, ref: Ref, uid: str | None = None) -> None:
        """Watches leave out what is marked; an object that is gone needs no mark."""
        if uid is None:
            found = await self._world.get(ref)
            if found is None:
                return
            uid = ObjectHead.model_validate(found).metadata.uid
        try:
            await self._world.apply(
                {
                    "apiVersion": ref.kind.api_version,
                    "kind": ref.kind.name,
                    "metadata": {
                        "name": ref.name,
                        "namespace": ref.namespace,
                        "uid": uid,
                        "labels": {FINISHED_LABEL: "true"},
                    },
                }
            )
        except ConflictError:
            return  # it went in this moment

    async def _create(self, execution: Execution, obj: JsonObject, applied: Applied) -> JsonObject:
        """The object, made now or before a crash. Raises NameTakenError when it is another's."""
        try:
            made = await self._world.create(obj)
            applied.versions.append(read_version(made))
            return made
        except AlreadyExistsError:
            wanted = ObjectHead.model_validate(obj)
            ref = ref_of(KINDS[wanted.kind], wanted.metadata)
            found = await self._world.get(ref)
        if found is None:
            raise ConflictError(f"{ref.kind.name} {ref.name!r} went in this moment")
        _check_owner(execution, ref, ObjectHead.model_validate(found).metadata)
        return found

    async def _freeze(self, execution: Execution, freeze: SnapshotAgent, applied: Applied) -> None:
        """The snapshot of this very admission: one from before a crash may hold an older spec."""
        snapshot = build_snapshot(execution, freeze.spec, freeze.agent_uid, freeze.charge)
        found = await self._create(execution, snapshot, applied)
        if (read_snapshot(found), read_charge(found)) == (freeze.spec, freeze.charge):
            return
        head = ObjectHead.model_validate(found)
        await self._world.delete(ref_of(CONTROLLER_REVISION, head.metadata), uid=head.metadata.uid)
        await self._create(execution, snapshot, applied)

    async def _start(self, execution: Execution, start: StartAttempt, applied: Applied) -> str:
        settings = self._settings
        way = await self._network.before_pod(
            execution.metadata.namespace,
            execution.spec.agent_ref.name,
            start.frozen.workspace.egress,
        )
        document = build_run_document(execution, start, settings, way.proxy_url)
        key = self._signer.execution_key(execution, start, way.never)
        secret = build_secret(execution, start.attempt, document, key, start.secrets)
        await self._create(execution, secret, applied)
        size = start.frozen.workspace.storage.size
        if size is not None:
            await self._create(execution, build_claim(execution, size), applied)
        job = build_job(
            execution,
            start.attempt,
            start.frozen,
            settings.workspace_image,
            traced=bool(settings.otlp_endpoint),
        )
        made = await self._create(execution, job, applied)
        return ObjectHead.model_validate(made).metadata.uid

    async def _revoke(self, execution: Execution, revoke: RevokeKey, applied: Applied) -> None:
        """Unconfirmed is no failure of the reconcile: a pod must go even with the gateway away."""
        attempt = revoke.attempt
        expires = int(attempt.key_expires_time.timestamp())
        try:
            await self._gateway.revoke(execution.metadata.uid, attempt.number, expires)
        except GatewayUnavailableError:
            return
        applied.revoked.add(attempt.number)

    async def _stop(self, execution: Execution, stop: StopAttempt) -> None:
        namespace = execution.metadata.namespace
        if stop.pod_name is not None:
            await self._world.delete(
                Ref(POD, namespace, stop.pod_name),
                uid=stop.pod_uid,
                grace_seconds=stop.grace_seconds,
            )
        if stop.job_uid is not None:
            await self._world.delete(Ref(JOB, namespace, stop.job_name), uid=stop.job_uid)

    async def _delete_secret(self, execution: Execution, delete: DeleteSecret) -> None:
        namespace = execution.metadata.namespace
        await self._world.delete(Ref(SECRET, namespace, delete.attempt.job_name))

    async def _ask(self, execution: Execution, ask: MakeApproval, applied: Applied) -> None:
        """The name has half of the digest: one that is there is the same only if all of it is."""
        wanted = build_approval(execution, ask.name, ask.spec)
        found = Approval.model_validate(await self._create(execution, wanted, applied))
        if found.spec.action.digest != ask.spec.action.digest:
            raise NameTakenError(
                f"Approval {ask.name!r} is of another action of this run. Deny it, or delete the "
                "Execution."
            )

    async def _write_approval(self, write: WriteApproval, applied: Applied) -> None:
        """Raises ConflictError when it is no longer as it was read: the look begins again. One that
        was deleted meanwhile changed, too."""
        status = build_approval_status(write.approval, write.status)
        try:
            written = await self._world.patch_status(status)
        except NotFoundError as error:
            name = write.approval.metadata.name
            raise ConflictError(f"Approval {name!r} went in this moment") from error
        applied.versions.append(read_version(written))

    async def _tell(self, execution: Execution, tell: TellAgent) -> None:
        agent = await self._agent_of(execution)
        if agent is None:
            return
        event = build_agent_event(agent, execution, tell.reason, tell.message, self._clock())
        # Told before a crash, or in a namespace where nobody will read it.
        with suppress(AlreadyExistsError, NamespaceTerminatingError):
            await self._world.create(event)

    async def _agent_of(self, execution: Execution) -> Agent | None:
        """Takes the Agent from the watch, else reads it: only an Event names it."""
        key = execution.metadata.namespace, execution.spec.agent_ref.name
        known = self._agents.get(key)
        if known is not None:
            return known
        found = await self._world.get(Ref(AGENT, *key))
        return Agent.model_validate(found) if found else None


def _check_owner(execution: Execution, ref: Ref, found: ObjectMeta) -> None:
    """What an earlier Execution of the name left behind goes with the garbage collection; until
    then this one waits, or it would take the other's result for its own."""
    if found.is_owned_by(execution.metadata.uid):
        return
    name = f"{ref.kind.name} {ref.name!r}"
    if any(each.kind == EXECUTION.name for each in found.owner_references):
        raise NameTakenError(f"{name} still belongs to an earlier Execution and is about to go.")
    raise NameTakenError(f"{name} was not made for this Execution. Delete or rename it.")


def read_version(obj: JsonObject) -> str:
    metadata = obj.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
    return version if isinstance(version, str) else ""
