"""Sending: what is due goes out, signed, and what became of it is noted.

A replica takes a delivery by a write that names its next time: a lease. Whoever dies in the middle
leaves it to be sent again then, with the same `webhook-id`, by which receivers know it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Final

import httpx2

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Documents,
    Put,
    Query,
    StoreError,
)
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.people.keysets import tls
from heliostat_api.people.topics import CLUSTER, is_nobodys
from heliostat_api.web.background import repeat
from heliostat_api.webhooks.addresses import AddressError, Addresses, Place, place_of
from heliostat_api.webhooks.records import (
    DELIVERIES,
    FOR_ALL,
    MOST_ATTEMPTS_KEPT,
    Attempt,
    Delivery,
    read_delivery,
)
from heliostat_api.webhooks.signatures import sign
from heliostat_api.webhooks.targets import Targets

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Between two times that it is sent: more than a day in all."""
LEASE: Final = timedelta(minutes=1)
"""Longer than one try takes."""
KEPT: Final = timedelta(days=30)
"""How long what became of a delivery is kept."""
LOOK_SECONDS: Final = 15.0
"""How often is looked for what another replica left."""
SWEEP_SECONDS: Final = 3600.0
_TIMEOUT: Final = httpx2.Timeout(10, connect=5)
_TOTAL_SECONDS: Final = 20.0
_AT_ONCE: Final = 16
_PAGE: Final = 50
_LONGEST_MESSAGE: Final = 300
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of one try."""

    status: int | None
    message: str

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """The receiver wants nothing any more."""
        return self.status == HTTPStatus.GONE


def after(delivery: Delivery, attempt: Attempt, outcome: Outcome) -> Delivery:
    """The delivery after one more try that began at the attempt's time: pure."""
    attempts = (*delivery.attempts, attempt)[-MOST_ATTEMPTS_KEPT:]
    noted = delivery.model_copy(update={"attempts": attempts})
    if outcome.is_taken:
        return noted.model_copy(update={"is_open": False, "state": "delivered"})
    if outcome.is_final or delivery.tries > len(PAUSES):
        return noted.model_copy(update={"is_open": False, "state": "failed"})
    due = attempt.time + PAUSES[delivery.tries - 1]
    return noted.model_copy(update={"next_time": due})


def leased(delivery: Delivery, now: datetime) -> Delivery:
    """Taken by one replica, for a while."""
    return delivery.model_copy(update={"next_time": now + LEASE, "tries": delivery.tries + 1})


@dataclass(frozen=True)
class Sending:
    """Works until it is cancelled, at every replica."""

    documents: Documents
    targets: Targets
    addresses: Addresses
    changes: Changes
    news: asyncio.Event
    clock: Callable[[], datetime]

    async def run(self) -> None:
        """A store that is away is asked again later."""
        async with asyncio.TaskGroup() as group:
            send = repeat(
                self.send_due, LOOK_SECONDS, StoreError, "webhooks are sent later", self.news
            )
            group.create_task(send)
            later = "old deliveries are removed later"
            group.create_task(repeat(self._settle_and_sweep, SWEEP_SECONDS, StoreError, later))

    async def send_due(self) -> float:
        """Sends what is due; seconds until there may be more. Raises StoreError."""
        due = [each for each in await self._open() if self._is_due(each)]
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for document in due:
                group.create_task(self._one(document, slots))
        return self._wait(await self._open())

    async def sweep(self) -> None:
        """Removes what is older than is kept. Raises StoreError."""
        query = Query(DELIVERIES, None, order="createdAt", descending=False, limit=_PAGE)
        while True:
            page = (await self.documents.query(query)).documents
            old = [each for each in page if self._is_old(read_delivery(each))]
            if not old:
                return
            await self.documents.commit(*(Delete(each.path) for each in old))

    async def _settle_and_sweep(self) -> None:
        await self.targets.settle()
        await self.sweep()

    async def _open(self) -> tuple[Document, ...]:
        """Those that are due first."""
        query = Query(
            DELIVERIES, None, {"isOpen": True}, order="nextTime", descending=False, limit=_PAGE
        )
        return (await self.documents.query(query)).documents

    def _is_due(self, document: Document) -> bool:
        return read_delivery(document).next_time <= self.clock()

    def _wait(self, waiting: tuple[Document, ...]) -> float:
        if not waiting:
            return LOOK_SECONDS
        left = (read_delivery(waiting[0]).next_time - self.clock()).total_seconds()
        return min(max(left, 0.0), LOOK_SECONDS)

    def _is_old(self, delivery: Delivery) -> bool:
        return not delivery.is_open and self.clock() - delivery.created_at > KEPT

    async def _one(self, document: Document, slots: asyncio.Semaphore) -> None:
        """One that fails holds up no other."""
        async with slots:
            try:
                await self._deliver(document)
            except ConflictError:
                return  # another replica has it, or it is gone
            except StoreError as error:
                _LOG.warning("%s is sent again later: %s", document.path, error)

    async def _deliver(self, document: Document) -> None:
        taken = leased(read_delivery(document), self.clock())
        await self.documents.commit(Put(document.path, taken.fields(), document.version))
        mine = await self.documents.get(document.path)
        if mine is None or read_delivery(mine) != taken:
            return
        began, beginning = self.clock(), monotonic()
        outcome = await self._try(mine.id, taken, began)
        attempt = Attempt(
            time=began,
            status=outcome.status,
            message=outcome.message[:_LONGEST_MESSAGE],
            milliseconds=round((monotonic() - beginning) * 1000),
        )
        ended = after(taken, attempt, outcome)
        await self.documents.commit(Put(mine.path, ended.fields(), mine.version))
        await self._tell(ended)

    async def _try(self, delivery_id: str, delivery: Delivery, now: datetime) -> Outcome:
        target = await self.targets.find(delivery.webhook_id)
        if target is None:
            return Outcome(HTTPStatus.GONE, "There is no such webhook any more.")
        if target.secret is None:
            return Outcome(
                None, "Its secret can't be read any more: delete the webhook and make a new one."
            )
        body, seconds = delivery.body.encode(), int(now.timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "Heliostat",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": sign(target.secret, delivery_id, seconds, body),
        }
        try:
            place = place_of(target.url)
            address = await self.addresses.choose(place)
            async with asyncio.timeout(_TOTAL_SECONDS):
                return said(await post(place, address, headers, body))
        except AddressError as error:
            return Outcome(None, f"Its address {error}.")
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            return Outcome(None, f"No answer: {error or type(error).__name__}")

    async def _tell(self, delivery: Delivery) -> None:
        if delivery.webhook_id == FOR_ALL:
            await self.changes.tell_audience(CLUSTER, Changed.DELIVERIES)
        elif not is_nobodys(delivery.user_id):
            await self.changes.tell(delivery.user_id, Changed.DELIVERIES)


async def post(place: Place, address: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the answer; what else it says is not read. Raises HTTPError, OSError.

    The connection goes to the address, the certificate must be the name's. A redirect is an answer.
    """
    host = f"[{address}]" if ":" in address else address
    url = f"{place.scheme}://{host}:{place.port}{place.target}"
    async with (
        httpx2.AsyncClient(
            timeout=_TIMEOUT, verify=tls(), trust_env=False, follow_redirects=False
        ) as client,
        client.stream(
            "POST",
            url,
            content=body,
            headers={**headers, "host": place.authority},
            extensions={"sni_hostname": place.host},
        ) as response,
    ):
        return response.status_code


def said(status: int) -> Outcome:
    """An answer in words."""
    if 300 <= status < 400:
        return Outcome(status, "The receiver sends us elsewhere: give its real address.")
    if status == HTTPStatus.GONE:
        return Outcome(status, "The receiver wants nothing any more.")
    return Outcome(status, "Taken." if 200 <= status < 300 else "The receiver did not take it.")
