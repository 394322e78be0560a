"""What the API machinery does to every object, whatever its kind. No I/O."""

import base64
import secrets
import string
from datetime import UTC, datetime
from uuid import uuid4

from heliostat_cli.embedded.documents import Document, child, copy_document
from heliostat_core.reading import number, part, text
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    CONTROLLER_REVISION,
    EXECUTION,
    JOB,
    KINDS,
    POD,
    SECRET,
    VOLUME_CLAIM,
    InvalidError,
    JsonObject,
    Kind,
    Ref,
)

# The kinds with a status subresource.
WITH_STATUS = (AGENT, EXECUTION, APPROVAL, JOB, POD, VOLUME_CLAIM)
WITH_GENERATION = (AGENT, EXECUTION, APPROVAL, JOB, POD)
IMMUTABLE = {JOB: ("spec", "template"), CONTROLLER_REVISION: ("data",)}

_GIVEN_METADATA = (
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
)
_ALPHABET = string.ascii_lowercase + string.digits


def instant_text(now: datetime) -> str:
    """As Kubernetes writes instants: whole seconds, UTC."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ref_to(obj: JsonObject) -> Ref:
    """The address of an object. Raises InvalidError for a kind that nobody serves."""
    kind = KINDS.get(text(obj, "kind"))
    if kind is None or kind.api_version != text(obj, "apiVersion"):
        served = ", ".join(f"{each.api_version} {each.name}" for each in KINDS.values())
        raise InvalidError(
            f'no matches for kind "{text(obj, "kind")}" in version "{text(obj, "apiVersion")}": '
            f"must be one of {served}"
        )
    return Ref(kind, _namespace(kind, obj), text(obj, "metadata", "name"))


def given_fields(kind: Kind, obj: JsonObject) -> Document:
    """What a writer may set: without status where it is a subresource, without server's fields."""
    given = copy_document(obj)
    metadata = child(given, "metadata")
    given["metadata"] = {key: metadata[key] for key in _GIVEN_METADATA if key in metadata}
    child(given, "metadata").pop("namespace", None)
    if kind.namespaced:
        child(given, "metadata")["namespace"] = _namespace(kind, obj)
    if not text(metadata, "name") and text(metadata, "generateName"):
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        child(given, "metadata")["name"] = text(metadata, "generateName") + suffix
    if kind in WITH_STATUS:
        given.pop("status", None)
    if kind is SECRET:
        _encode_string_data(given)
    return given


def applied_fields(given: Document) -> Document:
    """What of the given fields a manager owns: all but the object's identity."""
    owned = {key: value for key, value in given.items() if key not in ("apiVersion", "kind")}
    metadata = child(given, "metadata")
    owned["metadata"] = {
        key: value for key, value in metadata.items() if key not in ("name", "namespace")
    }
    if not owned["metadata"]:
        del owned["metadata"]
    return owned


def birth(kind: Kind, given: Document, now: datetime) -> Document:
    """A new object: the given fields and those that the server sets."""
    metadata = child(given, "metadata")
    metadata["uid"] = str(uuid4())
    metadata["creationTimestamp"] = instant_text(now)
    if kind in WITH_GENERATION:
        metadata["generation"] = 1
    return given


def count_generation(kind: Kind, new: Document, old: JsonObject) -> None:
    """Raise the generation when something else than metadata and status changed."""
    if _content(new) != _content(old):
        raise_generation(kind, new)


def raise_generation(kind: Kind, obj: Document) -> None:
    """One more, for the kinds that count generations."""
    if kind in WITH_GENERATION:
        metadata = child(obj, "metadata")
        metadata["generation"] = (number(metadata, "generation") or 0) + 1


def is_terminating(obj: JsonObject) -> bool:
    """Whether somebody deleted it and it is not gone yet."""
    return bool(text(obj, "metadata", "deletionTimestamp"))


def check_immutable(kind: Kind, new: JsonObject, old: JsonObject) -> str | None:
    """Path of a field that must not change and did."""
    path = IMMUTABLE.get(kind)
    if path is None:
        return None
    *way, last = path
    if part(new, *way).get(last) == part(old, *way).get(last):
        return None
    return ".".join(path)


def _namespace(kind: Kind, obj: JsonObject) -> str:
    return (text(obj, "metadata", "namespace") or "default") if kind.namespaced else ""


def _content(obj: JsonObject) -> JsonObject:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _encode_string_data(secret: Document) -> None:
    """`stringData` is for writing only: the server turns it into `data`."""
    plain = secret.pop("stringData", None)
    if not isinstance(plain, dict):
        return
    data = child(secret, "data")
    for key, value in plain.items():
        data[key] = base64.b64encode(str(value).encode()).decode()
