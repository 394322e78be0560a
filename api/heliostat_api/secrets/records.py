"""What is known of a person's secret beside its values, and the Secret that holds those."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints

from heliostat_api.base.views import View
from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.values import instant_in, text_in
from heliostat_api.records.names import slug
from heliostat_core.names import GROUP, MANAGED_BY_LABEL, OWNER_ANNOTATION, child_name
from heliostat_core.worlds import SECRET, JsonObject

COLLECTION: Final = "secrets"
OWNER_LABEL: Final = f"{GROUP}/owner"
"""On a Secret: whose it is, in letters that a label may have."""
MOST: Final = 100
"""Secrets of one person."""
MOST_BYTES: Final = 256 * 1024
"""Of all values of one secret together."""
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_RANDOM_BYTES: Final = 12

SecretName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=63, pattern=r"^[^\s/\x00-\x1f\x7f]+$"),
]
SecretKey = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
]


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("must have no NUL: no variable can hold it")
    return value


SecretValue = Annotated[str, StringConstraints(max_length=65536), AfterValidator(_storable)]


def _bounded(values: Mapping[str, str]) -> Mapping[str, str]:
    if sum(len(each.encode()) for each in values.values()) > MOST_BYTES:
        raise ValueError(f"must be at most {MOST_BYTES} bytes together")
    return values


class SecretValues(View):
    """All of a secret's values, by their keys. They are never answered."""

    values: Annotated[
        Mapping[SecretKey, SecretValue],
        Field(min_length=1, max_length=64),
        AfterValidator(_bounded),
    ]


class SecretView(View):
    """A secret without its values.

    `resource` is the Secret's own name, by which the `secretRefs` of an agent name it; `usedBy`
    are agents that do, active or not.
    """

    name: str
    resource: str
    keys: tuple[str, ...]
    created_time: datetime
    used_by: tuple[str, ...]


class SecretList(View):
    """Newest first."""

    items: tuple[SecretView, ...]


class OwnSecret(View):
    """A person's secret as its document has it; `uid` is its Secret's, empty without one."""

    name: str
    namespace: str
    resource: str
    keys: tuple[str, ...] = ()
    created_at: datetime
    uid: str = ""

    @property
    def is_stored(self) -> bool:
        return bool(self.uid)

    def fields(self, owner: str) -> Fields:
        """The whole document."""
        return {OWNER: owner, **self.model_dump(by_alias=True)}

    def holding(self, keys: tuple[str, ...], uid: str) -> Self:
        """The same with what its Secret holds now."""
        return self.model_copy(update={"keys": keys, "uid": uid})


def new_secret(name: str, namespace: str, now: datetime) -> OwnSecret:
    """Two people may use one name: 96 random bits make the difference, which nobody can aim at."""
    resource = child_name(slug(name, "secret"), secrets.token_hex(_RANDOM_BYTES))
    return OwnSecret(name=name, namespace=namespace, resource=resource, created_at=now)


def path_of(person_id: str, name: str) -> str:
    """Of the document that a new secret gets."""
    digest = hashlib.sha256(f"{person_id}\n{name}".encode()).hexdigest()
    return f"{COLLECTION}/{digest}"


def read_secret(document: Document) -> OwnSecret:
    """What a document says."""
    fields = document.fields
    keys, created = fields.get("keys"), instant_in(fields, "createdAt")
    assert isinstance(keys, list | tuple)
    assert created is not None
    return OwnSecret(
        name=text_in(fields, "name"),
        namespace=text_in(fields, "namespace"),
        resource=text_in(fields, "resource"),
        keys=tuple(str(each) for each in keys),
        created_at=created,
        uid=text_in(fields, "uid"),
    )


def owner_label(person_id: str) -> str:
    """The id itself, or a hash of it where a label can't have it."""
    if _LABEL.fullmatch(person_id):
        return person_id
    return f"person-{hashlib.sha256(person_id.encode()).hexdigest()[:40]}"


def build_head(secret: OwnSecret, owner: str) -> JsonObject:
    """A Secret as far as whose it is; what it holds is not touched."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "metadata": {
            "name": secret.resource,
            "namespace": secret.namespace,
            **({"uid": secret.uid} if secret.uid else {}),
            "labels": {OWNER_LABEL: owner_label(owner)},
            "annotations": {OWNER_ANNOTATION: owner},
        },
    }


def build_secret(secret: OwnSecret, owner: str, values: Mapping[str, str]) -> JsonObject:
    """The whole Secret: keys that are left out go."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "type": "Opaque",
        "metadata": {
            "name": secret.resource,
            "namespace": secret.namespace,
            "labels": {OWNER_LABEL: owner_label(owner), MANAGED_BY_LABEL: "heliostat-api"},
            "annotations": {OWNER_ANNOTATION: owner},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }
