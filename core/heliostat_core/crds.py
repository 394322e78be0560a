"""CustomResourceDefinitions, generated from the models."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from heliostat_core.agents import Agent, AgentSpec, AgentStatus
from heliostat_core.approvals import Approval, ApprovalSpec, ApprovalStatus
from heliostat_core.executions import Execution, ExecutionSpec, ExecutionStatus
from heliostat_core.schemas import structural_schema
from heliostat_core.worlds import AGENT, APPROVAL, EXECUTION, JsonObject, JsonValue, Kind

CATEGORY = "heliostat"


@dataclass(frozen=True)
class Column:
    """What `kubectl get` shows; a priority above 0 shows only with `-o wide`."""

    name: str
    path: str
    description: str
    type: str = "string"
    priority: int = 0

    def to_json(self) -> JsonObject:
        column: dict[str, str | int] = {
            "name": self.name,
            "type": self.type,
            "jsonPath": self.path,
            "description": self.description,
        }
        return column | {"priority": self.priority} if self.priority else column


@dataclass(frozen=True)
class Resource:
    """One kind of ours: its models and how kubectl shows it."""

    kind: Kind
    short_name: str
    model: type[BaseModel]
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()


_AGE = Column("Age", ".metadata.creationTimestamp", "When it was created.", type="date")
_COST = Column(
    "Cost Micros",
    ".status.costMicros",
    "Micro-dollars, from the gateway's ledger: 1000000 is one dollar.",
    type="integer",
)

RESOURCES = (
    Resource(
        kind=AGENT,
        short_name="hag",
        model=Agent,
        spec=AgentSpec,
        status=AgentStatus,
        columns=(
            Column(
                "Ready",
                '.status.conditions[?(@.type=="Ready")].status',
                "Whether an Execution of it could run now.",
            ),
            Column("Schedule", ".status.schedule.words", "When it starts by itself."),
            Column("Next", ".status.schedule.next", "When it starts next."),
            Column("Model", ".spec.model.name", "The model that answers.", priority=1),
            Column("Active", ".status.active", "Executions that are admitted now.", type="integer"),
            Column("Last", ".status.lastExecution.phase", "Phase of its latest Execution."),
            _COST,
            _AGE,
            Column(
                "Reason",
                '.status.conditions[?(@.type=="Ready")].reason',
                "Why it is ready or not.",
                priority=1,
            ),
            Column(
                "Last Execution", ".status.lastExecution.name", "Its latest Execution.", priority=1
            ),
        ),
    ),
    Resource(
        kind=EXECUTION,
        short_name="hex",
        model=Execution,
        spec=ExecutionSpec,
        status=ExecutionStatus,
        columns=(
            Column("Phase", ".status.phase", "How far it is."),
            Column("Agent", ".spec.agentRef.name", "The Agent that runs."),
            Column("Blocked By", ".status.blockedBy[0].reason", "Why it does not run now."),
            _COST,
            Column(
                "Duration",
                ".status.durationSeconds",
                "Running time of all attempts, in seconds.",
                type="integer",
            ),
            _AGE,
            Column(
                "Reason",
                '.status.conditions[?(@.type=="Succeeded")].reason',
                "How it ended.",
                priority=1,
            ),
            Column("Model", ".status.model.name", "The model that was asked for.", priority=1),
        ),
        selectable=(".spec.agentRef.name", ".status.phase"),
    ),
    Resource(
        kind=APPROVAL,
        short_name="ask",
        model=Approval,
        spec=ApprovalSpec,
        status=ApprovalStatus,
        columns=(
            Column("State", ".status.state", "How far it is."),
            Column("Execution", ".spec.executionRef.name", "The run that asks."),
            Column("Class", ".spec.action.class", "What kind of thing it would do."),
            Column("Target", ".spec.action.target", "Where to."),
            Column("Expires", ".spec.expiresTime", "When the answer is no.", type="date"),
            _AGE,
            Column("Tool", ".spec.action.tool", "The tool that would do it.", priority=1),
            Column("Reason", ".status.reason", "Why it is in this state.", priority=1),
        ),
        selectable=(".spec.executionRef.name", ".status.state"),
    ),
)


def build_crds() -> Mapping[str, JsonObject]:
    """Every CustomResourceDefinition by its name, e.g. `agents.heliostat.dev`."""
    return {f"{each.kind.plural}.{each.kind.group}": build_crd(each) for each in RESOURCES}


def build_crd(resource: Resource) -> JsonObject:
    kind = resource.kind
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{kind.group}",
            "labels": {"app.kubernetes.io/part-of": "heliostat"},
        },
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [resource.short_name],
                "categories": [CATEGORY],
            },
            "versions": [build_version(resource)],
        },
    }


def build_version(resource: Resource) -> JsonObject:
    version: dict[str, JsonValue] = {
        "name": resource.kind.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.to_json() for column in resource.columns],
        "schema": {"openAPIV3Schema": build_schema(resource)},
    }
    if resource.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in resource.selectable]
    return version


def build_schema(resource: Resource) -> JsonObject:
    """The whole object's schema; the API server itself checks and prunes the metadata."""
    return {
        "type": "object",
        "description": (resource.model.__doc__ or "").strip(),
        "required": ["spec"],
        "properties": {
            "apiVersion": {
                "type": "string",
                "description": f"{resource.kind.api_version}, the version of this schema.",
            },
            "kind": {"type": "string", "description": resource.kind.name},
            "metadata": {"type": "object"},
            "spec": structural_schema(resource.spec, "spec"),
            "status": structural_schema(resource.status, "status"),
        },
        **_rules_of(resource.model),
    }


def _rules_of(model: type[BaseModel]) -> JsonObject:
    """The rules across spec and status."""
    extra = model.model_config.get("json_schema_extra")
    return extra if isinstance(extra, dict) else {}
