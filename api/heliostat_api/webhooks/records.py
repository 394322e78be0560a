"""Webhooks and their deliveries as documents, and what people see of them: pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliostat_api.base.views import View
from heliostat_api.documents.port import Document, Fields

WEBHOOKS: Final = "webhooks"
DELIVERIES: Final = "deliveries"
FOR_ALL: Final = "all"
"""The id of the one webhook that the settings name, which hears of every agent."""
TOLD: Final = ("triggers", WEBHOOKS, DELIVERIES)
"""Collections of what a person takes along."""
_HIDDEN: Final = ("sealed", "sealedWith", "digest")
MOST_ATTEMPTS_KEPT: Final = 20
EventName = Literal["execution.failed", "schedule.paused", "schedule.missed", "approval.asked"]
EVENTS: Final[tuple[EventName, ...]] = (
    "execution.failed",
    "schedule.paused",
    "schedule.missed",
    "approval.asked",
)
Kind = Literal["standard", "slack"]
"""In which form events are sent: whole as Standard Webhooks say, or as one line of text that
Slack, and what is compatible with it, shows in a channel."""
State = Literal["waiting", "delivered", "failed"]


class Record(BaseModel):
    """A document."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    def fields(self) -> Fields:
        """The whole document."""
        return {**self.model_dump(by_alias=True)}


class Webhook(Record):
    """Who is told of what. `agent_id` is empty for all agents of the person. `asks_told` are the
    times of the last messages about asks, by agent: a channel gets few of them."""

    user_id: str
    created_at: datetime
    url: str
    agent_id: str = ""
    events: tuple[EventName, ...] = EVENTS
    kind: Kind = "standard"
    asks_told: Mapping[str, datetime] = {}
    sealed: str = ""
    sealed_with: str = ""

    def hears(self, event: str, agent_id: str, time: datetime) -> bool:
        """Whether it is told of this. What was before it is none of its business.

        Times of a cluster are whole seconds: what ended in the second of its making may be later.
        """
        is_of = self.agent_id in ("", agent_id)
        return event in self.events and is_of and self.created_at.replace(microsecond=0) <= time

    def having_told(self, agent_id: str, time: datetime, since: datetime) -> "Webhook":
        """The same after a message about asks of that agent; what was before `since` is left."""
        recent = {each: told for each, told in self.asks_told.items() if told > since}
        return self.model_copy(update={"asks_told": {**recent, agent_id: time}})


class Attempt(Record):
    """One time that it was sent. `status` is the answer's, None without one."""

    time: datetime
    status: int | None = None
    message: str
    milliseconds: int


class Delivery(Record):
    """One event on its way to one webhook.

    `is_open`: it is still to be sent, at `next_time`. `tries` counts those since it was last asked
    for, `attempts` are the last ones, oldest first.
    """

    user_id: str
    webhook_id: str
    agent_id: str
    event: EventName
    created_at: datetime
    body: str
    is_open: bool = True
    next_time: datetime
    state: State = "waiting"
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()


class WebhookView(View):
    """A webhook without its secret. `agent` is the id of the agent that it is about, null for all
    of yours; one that `isForEverybody` is named by the settings and hears of every agent."""

    id: str
    url: str
    agent: str | None
    events: tuple[EventName, ...]
    created_time: datetime
    kind: Kind = "standard"
    is_for_everybody: bool = False


class IssuedWebhook(WebhookView):
    """A new webhook. `secret` is told this once: it checks the signatures."""

    secret: str


class WebhookList(View):
    """Newest first. `networks` may be called beside the internet, by `http://`, too."""

    items: tuple[WebhookView, ...]
    networks: tuple[str, ...]


class NewWebhook(View):
    """Who is to be told of what. Without `agent`: of all of yours."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    agent: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=4)] = EVENTS
    kind: Kind = "standard"


class DeliveryAttemptView(View):
    """One time that it was sent: `status` of the answer, null without one; `message` in words."""

    time: datetime
    status: int | None
    message: str
    milliseconds: int


class DeliveryView(View):
    """One event on its way. `id` is its `webhook-id`, `body` all that is sent."""

    id: str
    event: EventName
    created_time: datetime
    state: State
    next_time: datetime | None
    attempts: tuple[DeliveryAttemptView, ...]
    body: str


class DeliveryPage(View):
    """Newest first. `next` is the cursor of older ones; null at the end."""

    items: tuple[DeliveryView, ...]
    next: str | None


def read_webhook(document: Document) -> Webhook:
    return Webhook.model_validate(document.fields)


def read_delivery(document: Document) -> Delivery:
    return Delivery.model_validate(document.fields)


def delivery_id(webhook_id: str, key: str) -> str:
    """The same for the same event, whoever sees it and how often."""
    return f"msg-{hashlib.sha256(f'{webhook_id} {key}'.encode()).hexdigest()[:32]}"


def view_webhook(webhook_id: str, webhook: Webhook) -> WebhookView:
    """What its owner sees; of the settings' own one an admin."""
    return WebhookView(
        id=webhook_id,
        url=webhook.url,
        agent=webhook.agent_id or None,
        events=webhook.events,
        created_time=webhook.created_at,
        kind=webhook.kind,
        is_for_everybody=webhook_id == FOR_ALL,
    )


def view_delivery(document: Document) -> DeliveryView:
    """What the webhook's owner sees."""
    found = read_delivery(document)
    return DeliveryView(
        id=document.id,
        event=found.event,
        created_time=found.created_at,
        state=found.state,
        next_time=found.next_time if found.is_open else None,
        attempts=view_attempts(found.attempts),
        body=found.body,
    )


def view_attempts(attempts: Sequence[Attempt]) -> tuple[DeliveryAttemptView, ...]:
    """Oldest first."""
    return tuple(DeliveryAttemptView(**dict(each)) for each in attempts)


def told_of(document: Document) -> Fields:
    """A document as its owner takes it along: without what nobody is told."""
    return {name: each for name, each in document.fields.items() if name not in _HIDDEN}
