"""What all resources share: model settings, bounded types, metadata and references."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from heliostat_core.worlds import JsonObject, Kind, Ref


class Part(BaseModel):
    """A part of a resource as read from a world: frozen, camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    def to_json(self) -> JsonObject:
        """As the API shows it; fields that are None are left out."""
        document: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return document


def keyed_by(field: str) -> JsonDict:
    """Schema of a list of objects with distinct names: appliers own entries, not the whole list."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [field]}


def rules(*pairs: tuple[str, str], field_path: str = "") -> JsonDict:
    """CEL validations for a schema: (rule, message that says what must be). The error names the
    field at `field_path` where the rules stand above it."""
    path: JsonDict = {"fieldPath": field_path} if field_path else {}
    return {
        "x-kubernetes-validations": [
            {"rule": rule, "message": message, **path} for rule, message in pairs
        ]
    }


def _whole_seconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


Instant = Annotated[AwareDatetime, AfterValidator(_whole_seconds)]
"""An instant in whole seconds, as Kubernetes' own fields have it."""


def instant_text(instant: datetime) -> str:
    """Returns an instant of UTC as Kubernetes and our messages write it, with a Z at its end."""
    return instant.isoformat().replace("+00:00", "Z")


ObjectName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
]
EnvName = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
]
CpuQuantity = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=16,
        pattern=r"^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$",
    ),
]
"""Cores, more than none: `500m`, `2`, `0.5`."""

ByteQuantity = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=16, pattern=r"^[1-9][0-9]*(\.[0-9]{1,3})?(k|M|G|T|Ki|Mi|Gi|Ti)?$"
    ),
]
"""Bytes, more than none: `512Mi`, `1.5Gi`."""

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Generation = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000_000_000)]
Micros = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
"""Micro-dollars, up to a million dollars."""
Text = Annotated[str, StringConstraints(max_length=65536)]
ShortText = Annotated[str, StringConstraints(max_length=1024)]
Line = Annotated[str, StringConstraints(max_length=256)]


class ManagedFields(Part):
    """Who set which fields, as the API server keeps it."""

    manager: str = ""
    operation: str = ""
    time: Instant | None = None
    fields_v1: Annotated[Mapping[str, object], Field(alias="fieldsV1")] = {}


class OwnerReference(Part):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Part):
    """The part of an object's metadata that we read."""

    name: str = ""
    namespace: str = "default"
    uid: str = ""
    resource_version: str = ""
    generation: int = 1
    creation_timestamp: Instant | None = None
    deletion_timestamp: Instant | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    managed_fields: tuple[ManagedFields, ...] = ()

    def is_owned_by(self, uid: str) -> bool:
        """Whether the object of this uid is among the owners; a name alone proves nothing."""
        return any(each.uid == uid for each in self.owner_references)


class ObjectHead(Part):
    """Any object of which only the metadata matters."""

    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()


def ref_of(kind: Kind, metadata: ObjectMeta) -> Ref:
    """The address of the object that has this metadata."""
    return Ref(kind, metadata.namespace, metadata.name)
