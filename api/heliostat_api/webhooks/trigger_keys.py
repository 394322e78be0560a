"""Keys of an agent's trigger: pure records, and the service that makes, finds and revokes them.

A bearer key is kept as a hash. The secret of signatures is needed again for each call, so it is
kept in the vault's way.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import StringConstraints

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import View
from heliostat_api.documents.port import (
    OWNER,
    Delete,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
)
from heliostat_api.documents.values import text_in
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.web.idempotency import UNREPEATED, IdempotencyKey
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_api.web.secret_replay import IssuedSecret, SecretReplay, gone
from heliostat_api.web.vaults import Sealed, Vault
from heliostat_api.webhooks.signatures import is_signed, is_signed_for_github, new_secret

COLLECTION: Final = "triggers"
SEALED: Final = "sealed"
SEALED_WITH: Final = "sealedWith"
MOST: Final = 10
"""Keys of one agent."""
_BEARER_PREFIX: Final = "htk_"
_ID_BYTES: Final = 12
KeyKind = Literal["bearer", "signature"]
KeyName = Annotated[str, StringConstraints(min_length=1, max_length=63, strip_whitespace=True)]


class NewTriggerKey(View):
    """What a key is for, and how callers prove that they have it."""

    name: KeyName
    kind: KeyKind = "bearer"


class TriggerKeyView(View):
    """A key without its secret."""

    id: str
    name: str
    kind: KeyKind
    created_time: datetime


class IssuedTriggerKey(TriggerKeyView):
    """A new key. `secret` is told this once."""

    secret: str


class TriggerKeyList(View):
    """Newest first."""

    items: tuple[TriggerKeyView, ...]


@dataclass(frozen=True)
class Proof:
    """What a call presents; empty where it presents nothing of that."""

    body: bytes
    bearer: str | None = None
    github: str = ""
    """`X-Hub-Signature-256`."""
    message_id: str = ""
    timestamp: str = ""
    signatures: str = ""

    @property
    def is_claimed(self) -> bool:
        """Whether the call presents anything that could vouch for it."""
        return self.bearer is not None or bool(self.github or self.signatures)

    @property
    def signs_its_id(self) -> bool:
        """Whether it is the signature of Standard Webhooks that vouches, over the id, too."""
        return self.bearer is None and not self.github


@dataclass(frozen=True)
class TriggerKeys:
    """Of all agents."""

    documents: Documents
    vault: Vault
    secret_replay: SecretReplay
    changes: Changes
    clock: Callable[[], datetime]

    async def list(self, owner: str, agent_id: str) -> TriggerKeyList:
        """Those of one agent."""
        return TriggerKeyList(items=tuple(map(view_key, await self._of(owner, agent_id))))

    async def create(
        self,
        person: Person,
        agent_id: str,
        order: NewTriggerKey,
        asked: IdempotencyKey = UNREPEATED,
    ) -> IssuedTriggerKey:
        """Raises a problem with status 409 for one too many, and as SecretReplay."""
        if told := await self.secret_replay.before(person, asked):
            return await self._made(person, told)
        if len(await self._of(person.id, agent_id)) >= MOST:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"An agent may have {MOST} keys: revoke one first.",
                    ko=f"에이전트 하나에 키는 {MOST}개까지입니다. 먼저 하나를 폐기하세요.",
                ),
            )
        key_id = f"key-{secrets.token_hex(_ID_BYTES)}"
        path = f"{COLLECTION}/{key_id}"
        secret = new_secret() if order.kind == "signature" else new_bearer()
        fields: Fields = {
            OWNER: person.id,
            "agentId": agent_id,
            "name": order.name,
            "kind": order.kind,
            "createdAt": self.clock(),
            **self._kept(path, order.kind, secret),
        }
        put = Put(path, fields, Expected.ABSENT)
        told = await self.secret_replay.once(person, asked, IssuedSecret(key_id, secret), put)
        return await self._made(person, told)

    async def revoke(self, person: Person, agent_id: str, key_id: str) -> None:
        """From now on it opens nothing. Raises NotFoundProblem."""
        document = await self.documents.get(f"{COLLECTION}/{key_id}")
        if document is None or not _is_of(document, person.id, agent_id):
            raise NotFoundProblem("key")
        await self.documents.commit(Delete(document.path))
        await self.changes.tell(person.id, Changed.TRIGGERS)

    async def opens(self, owner: str, agent_id: str, proof: Proof) -> bool:
        """Whether a key of the agent vouches for the call. All are tried, whichever fits."""
        found = await self._of(owner, agent_id)
        return any([self._vouches(each, proof) for each in found])

    async def forget(self, owner: str, agent_id: str) -> None:
        """The agent is gone; may be repeated."""
        found = await self._of(owner, agent_id)
        if found:
            await self.documents.commit(*(Delete(each.path) for each in found))

    async def _made(self, person: Person, told: IssuedSecret) -> IssuedTriggerKey:
        """Screens hear of it, again too: the first time may have died before."""
        document = await self.documents.get(f"{COLLECTION}/{told.id}")
        if document is None:
            raise gone(told.id)
        await self.changes.tell(person.id, Changed.TRIGGERS)
        return IssuedTriggerKey(**dict(view_key(document)), secret=told.secret)

    def _kept(self, path: str, kind: KeyKind, secret: str) -> Fields:
        if kind == "bearer":
            return {"digest": digest_of(secret)}
        sealed = self.vault.seal(path, secret)
        return {SEALED: sealed.text, SEALED_WITH: sealed.key}

    def _vouches(self, document: Document, proof: Proof) -> bool:
        fields = document.fields
        if fields.get("kind") == "bearer":
            given = digest_of(proof.bearer or "")
            return hmac.compare_digest(given, text_in(fields, "digest"))
        if proof.bearer is not None:
            return False  # one proof counts: what was meant as a key is none
        secret = open_sealed(self.vault, document)
        return secret is not None and _has_signature(secret, proof, self.clock())

    async def _of(self, owner: str, agent_id: str) -> tuple[Document, ...]:
        query = Query(COLLECTION, owner, {"agentId": agent_id}, limit=2 * MOST)
        return (await self.documents.query(query)).documents


def new_bearer() -> str:
    """A key that nobody guesses, so that a plain hash of it tells nothing."""
    return _BEARER_PREFIX + secrets.token_urlsafe(32)


def digest_of(bearer: str) -> str:
    return hashlib.sha256(bearer.encode()).hexdigest()


def open_sealed(vault: Vault, document: Document) -> str | None:
    """The secret of a document; None where the vault lost its key."""
    sealed = Sealed(text_in(document.fields, SEALED), text_in(document.fields, SEALED_WITH))
    return vault.open(document.path, sealed)


def view_key(document: Document) -> TriggerKeyView:
    """What its owner sees of it."""
    fields = document.fields
    return TriggerKeyView.model_validate(
        {
            "id": document.id,
            "name": fields["name"],
            "kind": fields["kind"],
            "created_time": fields["createdAt"],
        }
    )


def _is_of(document: Document, owner: str, agent_id: str) -> bool:
    fields = document.fields
    return fields.get(OWNER) == owner and fields.get("agentId") == agent_id


def _has_signature(secret: str, proof: Proof, now: datetime) -> bool:
    if proof.signs_its_id:
        message, at = proof.message_id, proof.timestamp
        return is_signed(secret, message, at, proof.signatures, proof.body, now)
    return is_signed_for_github(secret, proof.github, proof.body)
