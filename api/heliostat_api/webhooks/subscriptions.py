"""Webhooks of people: made, listed, deleted, and what became of each delivery."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from heliostat_api.agents.reading import Agents
from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import (
    Delete,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
    update,
)
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.web.idempotency import UNREPEATED, IdempotencyKey
from heliostat_api.web.problems import NotFoundProblem, ProblemError, refused
from heliostat_api.web.secret_replay import IssuedSecret, SecretReplay, gone
from heliostat_api.web.vaults import Vault
from heliostat_api.webhooks.addresses import AddressError, Addresses, place_of
from heliostat_api.webhooks.delivery_planner import DeliveryPlanner, webhooks_of
from heliostat_api.webhooks.records import (
    DELIVERIES,
    FOR_ALL,
    WEBHOOKS,
    Delivery,
    DeliveryPage,
    IssuedWebhook,
    NewWebhook,
    Webhook,
    WebhookList,
    WebhookView,
    read_delivery,
    read_webhook,
    view_delivery,
    view_webhook,
)
from heliostat_api.webhooks.signatures import new_secret

MOST: Final = 10
"""Webhooks of one person."""
_ID_BYTES: Final = 12
_PAGE: Final = 100


@dataclass(frozen=True)
class Subscriptions:
    """What endpoints call. An admin sees the webhook of the settings, too."""

    documents: Documents
    agents: Agents
    vault: Vault
    secret_replay: SecretReplay
    addresses: Addresses
    planner: DeliveryPlanner
    changes: Changes
    clock: Callable[[], datetime]

    async def list(self, person: Person, agent_id: str | None = None) -> WebhookList:
        """All that they see, or those that hear of one agent."""
        found = [each async for each in webhooks_of(self.documents, person.id)]
        everything = await self._find(FOR_ALL) if person.is_admin else None
        views = [view_webhook(each.id, read_webhook(each)) for each in (*found, everything) if each]
        if agent_id is None:
            return self._list_of(views)
        return self._list_of(each for each in views if each.agent in (None, agent_id))

    def _list_of(self, views: Iterable[WebhookView]) -> WebhookList:
        networks = tuple(map(str, self.addresses.networks))
        return WebhookList(items=tuple(views), networks=networks)

    async def create(
        self, person: Person, order: NewWebhook, asked: IdempotencyKey = UNREPEATED
    ) -> IssuedWebhook:
        """Raises problems."""
        if told := await self.secret_replay.before(person, asked):
            return await self._made(person, told)
        if order.agent is not None:
            await self.agents.commanded(person, order.agent)
        if person.kind is PersonKind.GUEST:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                bilingual(
                    en="A guest's agents call nobody: sign in first, then they are yours for good.",
                    ko="게스트의 에이전트는 외부를 호출하지 않습니다. 먼저 로그인하세요.",
                ),
            )
        await self._check(order.url)
        if len([each async for each in webhooks_of(self.documents, person.id)]) >= MOST:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"One person may have {MOST} webhooks: delete one first.",
                    ko=f"웹훅은 한 사람이 {MOST}개까지 가질 수 있습니다. 먼저 하나를 삭제하세요.",
                ),
            )
        webhook_id = f"hook-{secrets.token_hex(_ID_BYTES)}"
        secret = new_secret()
        sealed = self.vault.seal(path_of(webhook_id), secret)
        webhook = Webhook(
            user_id=person.id,
            created_at=self.clock(),
            url=order.url,
            agent_id=order.agent or "",
            events=tuple(dict.fromkeys(order.events)),
            kind=order.kind,
            sealed=sealed.text,
            sealed_with=sealed.key,
        )
        put = Put(path_of(webhook_id), webhook.fields(), Expected.ABSENT)
        told = await self.secret_replay.once(person, asked, IssuedSecret(webhook_id, secret), put)
        return await self._made(person, told)

    async def delete(self, person: Person, webhook_id: str) -> None:
        """Nothing is sent any more, and its deliveries go. Raises NotFoundProblem."""
        document = await self._seen(person, webhook_id)
        if webhook_id == FOR_ALL:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en="The server's settings name it: take it out there.",
                    ko="서버 설정에 있는 웹훅입니다. 설정에서 빼세요.",
                ),
            )
        await self._remove(document)
        await self.changes.tell(person.id, Changed.WEBHOOKS)

    async def forget(self, owner: str, agent_id: str) -> None:
        """The agent is gone; may be repeated."""
        async for document in webhooks_of(self.documents, owner):
            if read_webhook(document).agent_id == agent_id:
                await self._remove(document)

    async def deliveries(
        self, person: Person, webhook_id: str, cursor: str | None, limit: int
    ) -> DeliveryPage:
        """Raises NotFoundProblem, CursorError."""
        await self._seen(person, webhook_id)
        query = Query(DELIVERIES, None, {"webhookId": webhook_id}, limit=limit, after=cursor)
        page = await self.documents.query(query)
        return DeliveryPage(items=tuple(map(view_delivery, page.documents)), next=page.next)

    async def redeliver(self, person: Person, webhook_id: str, delivery_id: str) -> None:
        """It is sent again now, with the same id and content. Raises NotFoundProblem."""
        await self._seen(person, webhook_id)

        def due_again(document: Document | None) -> Fields:
            delivery = read_delivery(document) if document else None
            if delivery is None or delivery.webhook_id != webhook_id:
                raise NotFoundProblem("delivery")
            return asked_again(delivery, self.clock()).fields()

        await update(self.documents, f"{DELIVERIES}/{delivery_id}", due_again)
        self.planner.news.set()
        await self.changes.tell(person.id, Changed.DELIVERIES)

    async def _made(self, person: Person, told: IssuedSecret) -> IssuedWebhook:
        """Screens hear of it, again too: the first time may have died before."""
        document = await self._find(told.id)
        if document is None:
            raise gone(told.id)
        await self.changes.tell(person.id, Changed.WEBHOOKS)
        view = view_webhook(told.id, read_webhook(document))
        return IssuedWebhook(**dict(view), secret=told.secret)

    async def _check(self, url: str) -> None:
        """Where it leads now; each delivery looks again."""
        try:
            await self.addresses.choose(place_of(url))
        except AddressError as error:
            raise refused([FieldError(field="url", message=error.text)]) from error

    async def _seen(self, person: Person, webhook_id: str) -> Document:
        document = await self._find(webhook_id)
        if document is None or not _is_for(person, document):
            raise NotFoundProblem("webhook")
        return document

    async def _find(self, webhook_id: str) -> Document | None:
        return await self.documents.get(path_of(webhook_id))

    async def _remove(self, document: Document) -> None:
        """The webhook first: of one that is not there nothing is sent."""
        await self.documents.commit(Delete(document.path))
        query = Query(DELIVERIES, None, {"webhookId": document.id}, limit=_PAGE)
        while page := (await self.documents.query(query)).documents:
            await self.documents.commit(*(Delete(each.path) for each in page))


def asked_again(delivery: Delivery, now: datetime) -> Delivery:
    """The same, to be sent now; it is tried for as long as a new one."""
    return delivery.model_copy(
        update={"is_open": True, "state": "waiting", "next_time": now, "tries": 0}
    )


def path_of(webhook_id: str) -> str:
    """Of a webhook."""
    return f"{WEBHOOKS}/{webhook_id}"


def _is_for(person: Person, document: Document) -> bool:
    if document.id == FOR_ALL:
        return person.is_admin
    return read_webhook(document).user_id == person.id
