"""The same objects that the operator makes for a run, made by a client that does nothing else."""

from datetime import UTC, datetime
from uuid import uuid4

from bench.loads import Ground
from heliostat_core.executions import Attempt, Execution, ExecutionSpec
from heliostat_core.keys import new_private_key
from heliostat_core.names import MANAGED_BY_LABEL, attempt_name
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject
from heliostat_operator.builders.run_objects import build_job, build_snapshot
from heliostat_operator.builders.run_secrets import build_run_document, build_secret
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.effects import StartAttempt
from heliostat_operator.settings import OperatorSettings
from support.objects import mapping_at, with_metadata

_SETTINGS = OperatorSettings(gateway_url="http://gateway.bench:8081")


def utc_now() -> datetime:
    return datetime.now(UTC)


class BareClient:
    """Makes ControllerRevision, Secret and Job of runs that no Execution asks for."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._signer = Signer(new_private_key(), utc_now)

    def objects(self, name: str) -> list[JsonObject]:
        """What one run needs, as the operator builds it, but not labelled as the operator's."""
        spec = self._ground.agent.spec
        execution = Execution(
            metadata=ObjectMeta(name=name, namespace=self._ground.namespace, uid=str(uuid4())),
            spec=ExecutionSpec.model_validate(
                {"agentRef": {"name": self._ground.agent.metadata.name}}
            ),
        )
        attempt = Attempt(
            number=1,
            job_name=attempt_name(name, 1),
            created_time=utc_now(),
            session_id=str(uuid4()),
            key_expires_time=utc_now(),
        )
        start = StartAttempt(attempt, spec, spec.limits.timeout_seconds, None)
        document = build_run_document(execution, start, _SETTINGS)
        key = self._signer.execution_key(execution, start)
        return [
            _as_nobodys(build_snapshot(execution, spec, self._ground.agent.metadata.uid)),
            _as_nobodys(build_secret(execution, attempt, document, key)),
            _as_nobodys(build_job(execution, attempt, spec, "heliostat-workspace:bench")),
        ]

    async def make(self, name: str) -> None:
        """All objects of one run, one after the other."""
        for obj in self.objects(name):
            await self._ground.world.create(obj)


def _as_nobodys(obj: JsonObject) -> JsonObject:
    """A running operator must not take them for its own."""
    labels = {**mapping_at(obj, "metadata", "labels"), MANAGED_BY_LABEL: "bench"}
    return with_metadata(obj, labels=labels)
