"""Targets: where a webhook's deliveries go, and the secret that signs them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Documents,
    Expected,
    Put,
    Query,
)
from heliostat_api.web.vaults import Vault
from heliostat_api.webhooks.records import FOR_ALL, WEBHOOKS, Webhook, read_webhook
from heliostat_api.webhooks.trigger_keys import COLLECTION as TRIGGERS
from heliostat_api.webhooks.trigger_keys import SEALED, SEALED_WITH, open_sealed

_PAGE = 100


@dataclass(frozen=True)
class Target:
    """`secret` is None where nobody can read it any more."""

    url: str
    secret: str | None


@dataclass(frozen=True)
class Targets:
    """`for_all` is the one that the settings name."""

    documents: Documents
    vault: Vault
    clock: Callable[[], datetime]
    for_all: Target | None = None

    async def find(self, webhook_id: str) -> Target | None:
        """None for one that was deleted. Raises StoreError."""
        if webhook_id == FOR_ALL:
            return self.for_all
        document = await self.documents.get(f"{WEBHOOKS}/{webhook_id}")
        if document is None:
            return None
        return Target(read_webhook(document).url, open_sealed(self.vault, document))

    async def settle(self) -> None:
        """The store knows of the settings' webhook since when it is there, and every secret opens
        with the key that stays. May be repeated. Raises StoreError."""
        await self._settle_for_all()
        for key in self.vault.outdated:
            for collection in (TRIGGERS, WEBHOOKS):
                await self._seal_anew(collection, key)

    async def _settle_for_all(self) -> None:
        path = f"{WEBHOOKS}/{FOR_ALL}"
        document = await self.documents.get(path)
        if self.for_all is None:
            if document is not None:
                await self.documents.commit(Delete(path))
            return
        known = read_webhook(document) if document else None
        if document is not None and known is not None and known.url == self.for_all.url:
            return
        since = known.created_at if known else self.clock()
        webhook = Webhook(user_id="", created_at=since, url=self.for_all.url)
        expected = document.version if document else Expected.ABSENT
        try:
            await self.documents.commit(Put(path, webhook.fields(), expected))
        except ConflictError:
            return  # another replica did it

    async def _seal_anew(self, collection: str, key: str) -> None:
        query = Query(collection, None, {SEALED_WITH: key}, limit=_PAGE)
        for document in (await self.documents.query(query)).documents:
            secret = open_sealed(self.vault, document)
            if secret is None:
                continue
            sealed = self.vault.seal(document.path, secret)
            fields = {**document.fields, SEALED: sealed.text, SEALED_WITH: sealed.key}
            try:
                await self.documents.commit(Put(document.path, fields, document.version))
            except ConflictError:
                continue  # another replica did it
