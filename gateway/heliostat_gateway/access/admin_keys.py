"""`/admin/keys`: user and service keys are made, listed, rotated and revoked."""

import time
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from heliostat_gateway.access.key_documents import (
    IssuedKeyView,
    KeyList,
    KeyRequest,
    RevokedKeyView,
    RotationRequest,
    view_issued,
    view_key,
)
from heliostat_gateway.access.key_store import KeyStore
from heliostat_gateway.access.keys import (
    PREFIX,
    KeyIsRevokedError,
    ListedKey,
    NoSuchKeyError,
    split_key,
)
from heliostat_gateway.access.revokers import Revoker
from heliostat_gateway.errors import RefusalError

# Long enough for every call that began with the key before it was revoked.
_REMEMBERED_SECONDS: Final = 86400


@dataclass(frozen=True)
class KeyAdmin:
    """The endpoints' collaborators."""

    store: KeyStore
    revoker: Revoker

    def endpoints(self) -> APIRouter:
        """The routes under /admin/keys."""
        router = APIRouter(prefix="/keys")
        router.add_api_route("", self.create, name="create_key", methods=["POST"], status_code=201)
        router.add_api_route("", self.list, name="list_keys", methods=["GET"])
        router.add_api_route("/{key_id}/rotate", self.rotate, name="rotate_key", methods=["POST"])
        router.add_api_route("/{key_id}", self.revoke, name="revoke_key", methods=["DELETE"])
        return router

    async def create(self, wanted: KeyRequest) -> IssuedKeyView:
        """Makes a key. Its text is in this answer only."""
        now = int(time.time())
        issued = await self.store.create(wanted.wanted(now), now)
        return view_issued(issued, None)

    async def list(self, prefix: Annotated[str, Field(max_length=200)] = PREFIX) -> KeyList:
        """The keys whose id begins with `prefix`."""
        if not (prefix.startswith(PREFIX) or PREFIX.startswith(prefix)):
            raise RefusalError(
                400,
                "invalid_request_error",
                f"prefix: must be the beginning of a key's id, {PREFIX}...; leave it out for all.",
            )
        key_id = split_key(prefix)[0] if prefix.startswith(PREFIX) else PREFIX
        return KeyList(keys=[view_key(each) for each in await self.store.list(key_id)])

    async def rotate(self, key_id: str, wanted: RotationRequest | None = None) -> IssuedKeyView:
        """Gives a key a new secret; the old one is good for `graceSeconds` more."""
        grace = (wanted or RotationRequest()).grace_seconds
        try:
            issued = await self.store.rotate(_full(key_id), grace, int(time.time()))
        except NoSuchKeyError as error:
            raise _unknown() from error
        except KeyIsRevokedError as error:
            raise RefusalError(
                409,
                "invalid_request_error",
                f"The key {error} is revoked and stays so: make a new one.",
            ) from error
        return view_issued(issued, await self._last_used(issued.record.id))

    async def revoke(self, key_id: str) -> RevokedKeyView:
        """Ends a key and its open streams, on every replica. May be repeated."""
        now = int(time.time())
        try:
            record = await self.store.revoke(_full(key_id), now)
        except NoSuchKeyError as error:
            raise _unknown() from error
        revoked = await self.revoker.revoke(record.id, now + _REMEMBERED_SECONDS, now)
        return RevokedKeyView(
            details=view_key(ListedKey(record, await self._last_used(record.id))),
            streams_ended=revoked.streams_ended,
            everywhere=revoked.everywhere,
        )

    async def _last_used(self, key_id: str) -> int | None:
        return next((each.last_used for each in await self.store.list(key_id)), None)


def _full(key_id: str) -> str:
    """The id with its prefix, without a secret that came along by mistake."""
    return split_key(key_id)[0]


def _unknown() -> RefusalError:
    # The id is not repeated: a whole key may have been sent in its place.
    return RefusalError(
        404, "not_found_error", "There is no key with this id. GET /admin/keys lists them."
    )
