"""What people ask for: run, cancel, rerun. The operator does it; reports tell what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import AgentView, ExecutionView
from heliostat_api.executions.schemas import Accepted, RunRequest
from heliostat_api.executions.trace_spans import TriggerSpans
from heliostat_api.gateway.caps import Caps
from heliostat_api.quotas.service import Quotas
from heliostat_api.recording.announcing import Record
from heliostat_api.records.annotations import AGENT_ID
from heliostat_api.records.names import new_suffix
from heliostat_api.web.idempotency import Idempotency, IdempotencyKey, Made
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_core.executions import Execution, ExecutionSpec
from heliostat_core.names import OWNER_ANNOTATION, child_name
from heliostat_core.worlds import AGENT, EXECUTION, AlreadyExistsError, JsonObject, Ref, World


@dataclass(frozen=True)
class Order:
    """A run that is to be: its spec, and what else its resource says.

    What its spec does not name as its trigger, the dashboard started.
    """

    namespace: str
    spec: JsonObject
    annotations: Mapping[str, str]
    owners: tuple[JsonObject, ...] = ()
    name: str = ""
    """Where it has one already: what else was made for it is called so, too."""


Ordering: TypeAlias = Callable[[Made], Awaitable[Order]]
"""Prepares the run whose names were decided on."""


def run_spec(agent: str, request: RunRequest) -> JsonObject:
    """Of a run of the Agent of that name."""
    return {
        "agentRef": {"name": agent},
        "input": request.input,
        "parameters": [
            {"name": name, "value": value} for name, value in request.parameters.items()
        ],
    }


def cancellation(uid: str, namespace: str, name: str) -> JsonObject:
    """What is applied to an Execution that is to end, and to no other one of its name."""
    return {
        "apiVersion": EXECUTION.api_version,
        "kind": EXECUTION.name,
        "metadata": {"name": name, "namespace": namespace, "uid": uid},
        "spec": {"cancel": True},
    }


@dataclass(frozen=True)
class Commands:
    """`world` creates; `canceller` is the same world under the name that cancels.

    What a command made is recorded before it is answered: who asks for it next finds it.
    """

    world: World
    canceller: World
    record: Record
    """Records a state of a resource."""
    idempotency: Idempotency
    caps: Caps
    quotas: Quotas
    """How many runs somebody may have at once."""
    triggers: TriggerSpans

    async def before(self, person: Person, asked: IdempotencyKey) -> Accepted | None:
        """The answer to the same request, if it came before and made its run: whatever became of
        the rest. Raises a problem with status 422 for another request of that key."""
        made = await self.idempotency.before(person, asked)
        if made is None or "execution" not in made:
            return None
        return Accepted(correlation_id=made["correlationId"], execution=made["execution"])

    async def run(
        self,
        person: Person,
        agent: AgentView,
        request: RunRequest,
        asked: IdempotencyKey,
        correlation: str,
    ) -> Accepted:
        """A run of the resource as it is. Raises WorldError, problems."""
        if agent.managed_by == "dashboard" and agent.status != "active":
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"The agent is {agent.status}: activate it first, or test it, which needs "
                    "no activation.",
                    ko="활성화되지 않은 에이전트입니다. 먼저 활성화하거나, 활성화 없이 시험 실행을 "
                    "하세요.",
                ),
            )
        spec = run_spec(agent.resource or agent.name, request)
        order = Order(agent.namespace, spec, {AGENT_ID: agent.id})
        return await self._start(person, order, asked, correlation)

    async def rerun(
        self,
        person: Person,
        namespace: str,
        before: ExecutionSpec,
        asked: IdempotencyKey,
        correlation: str,
    ) -> Accepted:
        """The same input and parameters again, with the Agent as it is now. Raises problems."""
        if await self.world.get(Ref(AGENT, namespace, before.agent_ref.name)) is None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"Its agent {before.agent_ref.name} is gone: what was a test is tested "
                    "again from its agent's page, anything else needs the agent back.",
                    ko=f"에이전트 {before.agent_ref.name}이(가) 없습니다. 시험 실행이었다면 "
                    "에이전트 페이지에서 다시 시험하고, 아니라면 에이전트가 다시 있어야 합니다.",
                ),
            )
        kept = {"agent_ref", "input", "parameters", "priority"}
        spec = before.model_dump(mode="json", by_alias=True, include=kept, exclude_none=True)
        return await self._start(person, Order(namespace, spec, {}), asked, correlation)

    async def start(
        self, person: Person, ordering: Ordering, asked: IdempotencyKey, correlation: str
    ) -> Accepted:
        """Makes a run; the same request again makes no other one. Raises WorldError, problems."""
        fresh = {"suffix": new_suffix(), "correlationId": correlation}
        made = await self.idempotency.once(person, asked, fresh)
        if "execution" not in made:
            await self.caps.admit(person)
            async with self.quotas.one(person, made["suffix"]):
                uid = await self._create(person, await ordering(made), made)
            made = {**made, "execution": uid}
            await self.idempotency.note(person, asked, made)
        return Accepted(correlation_id=made["correlationId"], execution=made["execution"])

    async def cancel(self, view: ExecutionView, correlation: str) -> Accepted:
        """Raises NotFoundProblem when its resource is gone: then there is nothing to stop. One that
        has ended is left as it is."""
        found = await self.world.get(Ref(EXECUTION, view.namespace, view.name))
        execution = Execution.model_validate(found) if found is not None else None
        if execution is None or execution.metadata.uid != view.id:
            raise NotFoundProblem("execution in this world any more")
        if not execution.is_finished:
            await self.canceller.apply(cancellation(view.id, view.namespace, view.name))
        return Accepted(correlation_id=correlation, execution=view.id)

    async def _start(
        self, person: Person, order: Order, asked: IdempotencyKey, correlation: str
    ) -> Accepted:
        async def ordering(_: Made) -> Order:
            return order

        return await self.start(person, ordering, asked, correlation)

    async def _create(self, person: Person, order: Order, made: Made) -> str:
        """The uid of the run, which may have been made before."""
        asked = ExecutionSpec.model_validate(
            {
                "trigger": {"kind": "Dashboard"},
                **order.spec,
                "correlationId": made["correlationId"],
                "requestedBy": person.api_name,
            }
        )
        name = order.name or child_name(asked.agent_ref.name, made["suffix"])
        trigger = self.triggers.begin(asked.correlation_id)
        annotations = {OWNER_ANNOTATION: person.id, **trigger.annotations, **order.annotations}
        metadata: JsonObject = {
            "name": name,
            "namespace": order.namespace,
            "annotations": annotations,
            **({"ownerReferences": order.owners} if order.owners else {}),
        }
        try:
            created = await self.world.create(
                {
                    "apiVersion": EXECUTION.api_version,
                    "kind": EXECUTION.name,
                    "metadata": metadata,
                    "spec": asked.to_json(),
                }
            )
        except AlreadyExistsError:
            found = await self.world.get(Ref(EXECUTION, order.namespace, name))
            if found is None:
                raise
            created = found
        await self.record(EXECUTION, created)
        uid = Execution.model_validate(created).metadata.uid
        self.triggers.end(trigger, asked.agent_ref.name, asked.correlation_id, uid)
        return uid
