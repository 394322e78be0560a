"""Approvals as resources, with keyword overrides."""

from datetime import datetime, timedelta

from heliostat_core.approvals import Action, ActionClass, Approval, ApprovalSpec, ExecutionRef, Fact
from heliostat_core.executions import Execution
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject
from support.builders.resources import NOW

DIGEST = "sha256:" + "ab" * 32


def make_ask(
    execution: Execution,
    name: str = "sales-1-ask",
    *,
    digest: str = DIGEST,
    complete: bool = True,
    facts: tuple[Fact, ...] = (Fact(name="host", value="crm.example"),),
    created: datetime = NOW,
    **spec: object,
) -> Approval:
    """An ask of that run: a report is to be sent with curl."""
    return Approval(
        metadata=ObjectMeta(
            name=name, namespace=execution.metadata.namespace, creation_timestamp=created
        ),
        spec=ApprovalSpec.model_validate(
            {
                "execution_ref": ExecutionRef(
                    name=execution.metadata.name, uid=execution.metadata.uid
                ),
                "action": Action(
                    tool="Bash",
                    class_=ActionClass.SEND,
                    target="crm.example",
                    digest=digest,
                    facts=facts,
                    complete=complete,
                ),
                "expires_time": created + timedelta(days=1),
                **spec,
            }
        ),
    )


def ask_document(ask: Approval) -> JsonObject:
    """As it is created: names and times are the world's to give."""
    meta = {"name": ask.metadata.name, "namespace": ask.metadata.namespace}
    spec = ask.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"apiVersion": ask.api_version, "kind": "Approval", "metadata": meta, "spec": spec}
