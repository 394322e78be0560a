"""Approvals as resources, with keyword overrides."""

from datetime import timedelta

from heliostat_core.approvals import Action, ActionClass, Approval, ApprovalSpec, ExecutionRef, Fact
from heliostat_core.executions import Execution
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject
from support.builders.resources import NOW

DIGEST = "sha256:" + "ab" * 32


def make_ask(execution: Execution, name: str = "sales-1-ask", **fields: object) -> Approval:
    """An ask of that run: a report is to be sent with curl. `fields` are of the action or of the
    spec, by their names."""
    action: dict[str, object] = {
        "tool": "Bash",
        "class_": ActionClass.SEND,
        "target": "crm.example",
        "digest": DIGEST,
        "facts": (Fact(name="host", value="crm.example"),),
        "complete": True,
    }
    meta = execution.metadata
    spec: dict[str, object] = {
        "execution_ref": ExecutionRef(name=meta.name, uid=meta.uid),
        "expires_time": NOW + timedelta(days=1),
    }
    for field, value in fields.items():
        (action if field in action else spec)[field] = value
    return Approval(
        metadata=ObjectMeta(name=name, namespace=meta.namespace, creation_timestamp=NOW),
        spec=ApprovalSpec.model_validate({**spec, "action": Action.model_validate(action)}),
    )


def ask_document(ask: Approval) -> JsonObject:
    """As it is created: names and times are the world's to give."""
    meta = {"name": ask.metadata.name, "namespace": ask.metadata.namespace}
    spec = ask.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"apiVersion": ask.api_version, "kind": "Approval", "metadata": meta, "spec": spec}
