"""Which agents name which Secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heliostat_api.documents.paging import every
from heliostat_api.documents.port import Document, Documents, Query, Value
from heliostat_api.records.drafts import read_draft
from heliostat_api.records.fields import SHOWN, SPEC

_PAGE = 200


@dataclass(frozen=True)
class Use:
    """An agent that names some Secrets of a namespace."""

    agent: str
    is_active: bool
    secrets: frozenset[str]


@dataclass(frozen=True)
class Uses:
    """Looks through a person's agents."""

    documents: Documents

    async def of(self, person_id: str, namespace: str) -> tuple[Use, ...]:
        """Those that name any Secret of that namespace."""
        agents = Query("agents", person_id, {SHOWN: True}, limit=_PAGE)
        found = [use_in(each, namespace) async for each in every(self.documents, agents)]
        return tuple(each for each in found if each is not None and each.secrets)


def use_in(document: Document, namespace: str) -> Use | None:
    """Of an agent's document: its newest revision and its resource count. None elsewhere."""
    if document.fields.get("namespace") != namespace:
        return None
    draft = read_draft(document)
    if draft is None:
        specs: tuple[Value, ...] = (document.fields.get(SPEC),)
    else:
        specs = (draft.spec, draft.state.spec if draft.state else None)
    return Use(
        agent=document.id,
        is_active=document.fields.get("status") == "active",
        secrets=frozenset(name for spec in specs for _, name, _ in secret_refs(spec)),
    )


def secret_refs(spec: Value) -> Iterator[tuple[int, str, str]]:
    """Place, name and key of each reference of a spec that has both."""
    for place, each in _refs(spec):
        name, key = each.get("name"), each.get("key")
        if isinstance(name, str) and isinstance(key, str):
            yield place, name, key


def managed_secrets(spec: Value) -> Iterator[tuple[int, str]]:
    """Place and name of each reference to Secret Manager; empty where its name can't be read."""
    for place, each in _refs(spec):
        managed = each.get("secretManager")
        if managed is not None:
            name = managed.get("secret") if isinstance(managed, Mapping) else None
            yield place, name if isinstance(name, str) else ""


def _refs(spec: Value) -> Iterator[tuple[int, Mapping[str, Value]]]:
    workspace = spec.get("workspace") if isinstance(spec, Mapping) else None
    refs = workspace.get("secretRefs") if isinstance(workspace, Mapping) else None
    for place, each in enumerate(refs if isinstance(refs, list | tuple) else ()):
        if isinstance(each, Mapping):
            yield place, each
