"""What people ask for: run, cancel, rerun. The operator does it; reports tell what came of it."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from heliostat_api.people.person import Person, PersonKind
from heliostat_api.recording.owners import OWNER_ANNOTATION
from heliostat_api.recording.recorder import Recorder
from heliostat_api.samples import Sample
from heliostat_api.serving.problems import NotFoundProblem
from heliostat_api.views import AgentView, ExecutionView, View
from heliostat_core.executions import Execution, ExecutionSpec
from heliostat_core.names import child_name
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Ref, World

_SUFFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class RunRequest(View):
    """What a run gets beside its agent's prompt."""

    input: Annotated[str, Field(max_length=65536)] = ""
    parameters: Annotated[Mapping[str, str], Field(max_length=64)] = {}


class Accepted(View):
    """A command was taken. `execution` is the uid of the run that it made, if it made one."""

    correlation_id: str
    execution: str | None = None


def own_name(person: Person, name: str) -> str:
    """A sample's name for one person: people share a namespace, not an Agent."""
    if person.kind is PersonKind.LOCAL:
        return name
    return child_name(name, hashlib.sha256(person.id.encode()).hexdigest()[:8])


@dataclass(frozen=True)
class Commands:
    """`world` creates; `canceller` is the same world under the name that cancels.

    What a command made is recorded before it is answered: who asks for it next finds it.
    """

    world: World
    canceller: World
    recorder: Recorder

    async def run(
        self, person: Person, agent: AgentView, request: RunRequest, correlation: str
    ) -> Accepted:
        """Raises WorldError."""
        spec: JsonObject = {
            "agentRef": {"name": agent.name},
            "input": request.input,
            "parameters": [
                {"name": name, "value": value} for name, value in request.parameters.items()
            ],
        }
        return await self._create(person, agent.namespace, spec, correlation)

    async def try_sample(
        self, person: Person, namespace: str, sample: Sample, correlation: str
    ) -> Accepted:
        """The sample becomes an Agent of this person's, and runs. Raises WorldError."""
        agent = ObjectHead.model_validate(sample.agent)
        name = own_name(person, agent.metadata.name)
        applied = await self.world.apply(
            {
                **sample.agent,
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "annotations": {OWNER_ANNOTATION: person.id},
                },
            }
        )
        await self.recorder.see(AGENT, applied)
        spec: JsonObject = {"agentRef": {"name": name}, "input": sample.input}
        return await self._create(person, namespace, spec, correlation)

    async def rerun(
        self, person: Person, namespace: str, before: ExecutionSpec, correlation: str
    ) -> Accepted:
        """The same input and parameters again, with the Agent as it is now."""
        kept = {"agent_ref", "input", "parameters", "priority"}
        spec = before.model_dump(mode="json", by_alias=True, include=kept, exclude_none=True)
        return await self._create(person, namespace, spec, correlation)

    async def cancel(self, view: ExecutionView, correlation: str) -> Accepted:
        """Raises NotFoundProblem when its resource is gone: then there is nothing to stop."""
        if not await self._is_there(view):
            raise NotFoundProblem("execution in this world any more")
        await self.canceller.apply(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {"name": view.name, "namespace": view.namespace, "uid": view.id},
                "spec": {"cancel": True},
            }
        )
        return Accepted(correlation_id=correlation, execution=view.id)

    async def _is_there(self, view: ExecutionView) -> bool:
        found = await self.world.get(Ref(EXECUTION, view.namespace, view.name))
        return found is not None and ObjectHead.model_validate(found).metadata.uid == view.id

    async def _create(
        self, person: Person, namespace: str, spec: JsonObject, correlation: str
    ) -> Accepted:
        asked = ExecutionSpec.model_validate(
            {**spec, "trigger": {"kind": "Dashboard"}, "correlationId": correlation}
        )
        suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
        created = await self.world.create(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {
                    "name": child_name(asked.agent_ref.name, suffix),
                    "namespace": namespace,
                    "annotations": {OWNER_ANNOTATION: person.id},
                },
                "spec": asked.to_json(),
            }
        )
        await self.recorder.see(EXECUTION, created)
        uid = Execution.model_validate(created).metadata.uid
        return Accepted(correlation_id=correlation, execution=uid)
