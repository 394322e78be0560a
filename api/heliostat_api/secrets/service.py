"""Secrets are written, listed without their values, and deleted.

A document knows that there is a secret, a Secret of the world holds its values. The document comes
first and goes last: after a crash there is no Secret of which nobody knows.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Delete,
    Document,
    Documents,
    Expected,
    Put,
    Query,
)
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.secrets.records import (
    COLLECTION,
    MOST,
    OwnSecret,
    SecretList,
    SecretView,
    build_secret,
    new_secret,
    path_of,
    read_secret,
)
from heliostat_api.secrets.uses import Use, Uses
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import SECRET, Ref, World

_PAGE = 100


@dataclass(frozen=True)
class Secrets:
    """`namespace` is where the dashboard's agents live. No Secret is ever read."""

    documents: Documents
    world: World
    uses: Uses
    clock: Callable[[], datetime]
    namespace: str
    changes: Changes

    async def list(self, person: Person) -> SecretList:
        """Those of one person, without their values."""
        uses = await self.uses.of(person.id, self.namespace)
        return SecretList(items=tuple(view_secret(each, uses) for each in await self.of(person)))

    async def of(self, person: Person) -> tuple[OwnSecret, ...]:
        """Those whose values are there, newest first."""
        found = [read_secret(each) async for each in documents_of(self.documents, person.id)]
        return tuple(each for each in found if each.is_stored)

    async def put(self, person: Person, name: str, values: Mapping[str, str]) -> None:
        """Instead of all values that it had. Raises WorldError, problems."""
        while True:
            document = await self._find(person, name) or await self._begin(person, name)
            if document is None:
                continue  # somebody began it in this moment
            try:
                await self._hold(person, document, values)
            except ConflictError:
                continue
            return await self.changes.tell(person.id, Changed.SECRETS)

    async def delete(self, person: Person, name: str) -> None:
        """Raises NotFoundProblem, and a problem with status 409 while an active agent names it."""
        document = await self._find(person, name)
        if document is None:
            raise NotFoundProblem("secret")
        resource = read_secret(document).resource
        uses = await self.uses.of(person.id, self.namespace)
        if active := [each.agent for each in uses if each.is_active and resource in each.secrets]:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"Active agents use it: {', '.join(active)}. Deactivate them first, or take "
                    "it out of them and activate them again.",
                    ko=f"활성화된 에이전트가 쓰고 있습니다: {', '.join(active)}. 먼저 "
                    "비활성화하거나, 거기서 빼고 다시 활성화하세요.",
                ),
            )
        await self._delete(document)
        await self.changes.tell(person.id, Changed.SECRETS)

    async def delete_all_of(self, person_id: str) -> None:
        """Whatever uses them; may be repeated. Raises StoreError, WorldError."""
        found = [each async for each in documents_of(self.documents, person_id)]
        for document in found:
            await self._delete(document)

    async def _hold(self, person: Person, document: Document, values: Mapping[str, str]) -> None:
        document = await self._doubt(document, values)
        secret = read_secret(document)
        applied = await self.world.apply(build_secret(secret, person.id, values))
        uid = ObjectHead.model_validate(applied).metadata.uid
        held = secret.holding(tuple(sorted(values)), uid)
        await self.documents.commit(Put(document.path, held.fields(person.id), document.version))

    async def _doubt(self, document: Document, values: Collection[str]) -> Document:
        """Before its Secret changes: after a crash no key is told that may be gone."""
        secret = read_secret(document)
        kept = tuple(each for each in secret.keys if each in values)
        if kept == secret.keys:
            return document
        fields = secret.holding(kept, secret.uid).fields(str(document.fields[OWNER]))
        await self.documents.commit(Put(document.path, fields, document.version))
        doubted = await self.documents.get(document.path)
        if doubted is None:
            raise ConflictError(document.path)
        return doubted

    async def _delete(self, document: Document) -> None:
        secret = read_secret(await self._doubt(document, ()))
        ref = Ref(SECRET, secret.namespace, secret.resource)
        await self.world.delete(ref, uid=secret.uid or None)
        await self.documents.commit(Delete(document.path))

    async def _find(self, person: Person, name: str) -> Document | None:
        async for document in documents_of(self.documents, person.id):
            if document.fields.get("name") == name:
                return document
        return None

    async def _begin(self, person: Person, name: str) -> Document | None:
        """The document of a new one. Raises problems."""
        known = [each async for each in documents_of(self.documents, person.id)]
        if len(known) >= MOST:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"You have {len(known)} secrets: delete one first.",
                    ko=f"비밀 값이 {len(known)}개입니다. 먼저 하나를 삭제하세요.",
                ),
            )
        path = path_of(person.id, name)
        secret = new_secret(name, self.namespace, self.clock())
        with suppress(ConflictError):
            await self.documents.commit(Put(path, secret.fields(person.id), Expected.ABSENT))
        document = await self.documents.get(path)
        if document is not None and document.fields.get(OWNER) != person.id:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en="Your guest data moved to the account that you signed in with. "
                    "Sign in to continue.",
                    ko="로그인하면서 모두 사용자 계정으로 옮겨졌습니다. 로그인하세요.",
                ),
            )
        return document


def documents_of(documents: Documents, person_id: str) -> AsyncIterator[Document]:
    """Of all secrets of a person, newest first."""
    return every(documents, Query(COLLECTION, person_id, limit=_PAGE))


def view_secret(secret: OwnSecret, uses: tuple[Use, ...]) -> SecretView:
    """What its owner sees of it."""
    return SecretView(
        name=secret.name,
        resource=secret.resource,
        keys=secret.keys,
        created_time=secret.created_at,
        used_by=tuple(each.agent for each in uses if secret.resource in each.secrets),
    )
