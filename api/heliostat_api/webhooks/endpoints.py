"""The endpoints of webhooks: a table of contents, each one call."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from heliostat_api.agents.reading import Agents
from heliostat_api.executions.schemas import Accepted
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import Correlation, Cursor, IdempotencyKeyOf, Limit, PersonOf
from heliostat_api.web.provide import Provided
from heliostat_api.webhooks.calls import Call, Calls, call_of
from heliostat_api.webhooks.records import DeliveryPage, IssuedWebhook, NewWebhook, WebhookList
from heliostat_api.webhooks.subscriptions import Subscriptions
from heliostat_api.webhooks.trigger_keys import (
    IssuedTriggerKey,
    NewTriggerKey,
    TriggerKeyList,
    TriggerKeys,
)

router = APIRouter(route_class=CheckedRoute)
CallOf = Annotated[Call, Depends(call_of)]
_ANY_TEXT: Final = {
    "requestBody": {
        "description": "What the run gets as its input: text, at most 256 KiB.",
        "content": {"*/*": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/triggers/agents/{agent_id}", status_code=HTTPStatus.ACCEPTED, openapi_extra=_ANY_TEXT
)
async def call_agent(
    calls: Provided[Calls], agent_id: str, call: CallOf, correlation: Correlation
) -> Accepted:
    """Start a run by a key of this agent's trigger: as a bearer, or by a signature of the body
    (GitHub's, or Standard Webhooks'). The id of a delivery makes a repeated one the same run."""
    return await calls.take(agent_id, call, correlation)


@router.get("/agents/{agent_id}/trigger-keys")
async def list_trigger_keys(
    agents: Provided[Agents], keys: Provided[TriggerKeys], person: PersonOf, agent_id: str
) -> TriggerKeyList:
    """Keys by which other programs start this agent."""
    await agents.commanded(person, agent_id)
    return await keys.list(person.id, agent_id)


@router.post("/agents/{agent_id}/trigger-keys", status_code=HTTPStatus.CREATED)
async def create_trigger_key(
    agents: Provided[Agents],
    keys: Provided[TriggerKeys],
    person: PersonOf,
    agent_id: str,
    body: NewTriggerKey,
    asked: IdempotencyKeyOf,
) -> IssuedTriggerKey:
    """A key, told this once, and to the same request again."""
    await agents.commanded(person, agent_id)
    return await keys.create(person, agent_id, body, asked)


@router.delete(
    "/agents/{agent_id}/trigger-keys/{trigger_key_id}", status_code=HTTPStatus.NO_CONTENT
)
async def revoke_trigger_key(
    agents: Provided[Agents],
    keys: Provided[TriggerKeys],
    person: PersonOf,
    agent_id: str,
    trigger_key_id: str,
) -> None:
    """From now on it starts nothing."""
    await agents.commanded(person, agent_id)
    await keys.revoke(person, agent_id, trigger_key_id)


@router.get("/webhooks")
async def list_webhooks(
    subscriptions: Provided[Subscriptions],
    person: PersonOf,
    agent: Annotated[str | None, Query(max_length=64)] = None,
) -> WebhookList:
    """Who is told when something of yours goes wrong, or of that agent."""
    return await subscriptions.list(person, agent)


@router.post("/webhooks", status_code=HTTPStatus.CREATED)
async def create_webhook(
    subscriptions: Provided[Subscriptions],
    person: PersonOf,
    body: NewWebhook,
    asked: IdempotencyKeyOf,
) -> IssuedWebhook:
    """An address to call. Its secret is told this once, and to the same request again."""
    return await subscriptions.create(person, body, asked)


@router.delete("/webhooks/{webhook_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_webhook(
    subscriptions: Provided[Subscriptions], person: PersonOf, webhook_id: str
) -> None:
    """It is called no more; its deliveries go, too."""
    await subscriptions.delete(person, webhook_id)


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    subscriptions: Provided[Subscriptions],
    person: PersonOf,
    webhook_id: str,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """What was sent to it in the last 30 days, and what came of it."""
    return await subscriptions.deliveries(person, webhook_id, cursor, limit)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=HTTPStatus.ACCEPTED
)
async def redeliver(
    subscriptions: Provided[Subscriptions],
    person: PersonOf,
    webhook_id: str,
    delivery_id: str,
    correlation: Correlation,
) -> Accepted:
    """Send it again now, with the same id."""
    await subscriptions.redeliver(person, webhook_id, delivery_id)
    return Accepted(correlation_id=correlation)
