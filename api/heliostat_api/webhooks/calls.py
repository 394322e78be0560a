"""Calls of a trigger: another program starts an agent.

Who repeats a delivery gets the first answer, and no second run: what a call makes is stored under
the delivery's id before it is made.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers

from heliostat_api.agents.reading import Agents
from heliostat_api.base.person import Person
from heliostat_api.base.texts import plain
from heliostat_api.base.views import AgentView
from heliostat_api.executions.commands import Commands, Order, run_spec
from heliostat_api.executions.schemas import Accepted, RunRequest
from heliostat_api.records.annotations import AGENT_ID
from heliostat_api.web.bodies import read_body
from heliostat_api.web.credentials import read_bearer
from heliostat_api.web.dependencies import Access
from heliostat_api.web.idempotency import IdempotencyKey, Made
from heliostat_api.web.problems import ProblemError
from heliostat_api.webhooks.trigger_keys import Proof, TriggerKeys
from heliostat_core.executions import MOST_INPUT, WEBHOOK

DELIVERIES: Final = "triggered"
"""The collection of deliveries that were taken."""
KEPT: Final = timedelta(days=30)
"""How long a delivery is known again: senders try for days."""
MOST_BYTES: Final = MOST_INPUT
_TOO_LONG: Final = plain(f"The body may have {MOST_BYTES} bytes: send a link to what is larger.")
_LONGEST_ID: Final = 253
_PING: Final = "ping"
_IDS: Final = ("x-github-delivery", "webhook-id", "idempotency-key")


@dataclass(frozen=True)
class Call:
    """A request of another program. `delivery` is empty where it has no id."""

    proof: Proof
    delivery: str
    is_ping: bool
    """GitHub asks only whether somebody is there."""


async def call_of(request: Request) -> Call:
    """Raises problems with status 401, 413 and 422. Who proves nothing is not read at all."""
    headers = request.headers
    claimed = Proof(
        body=b"",
        bearer=read_bearer(headers),
        github=headers.get("x-hub-signature-256", ""),
        message_id=headers.get("webhook-id", ""),
        timestamp=headers.get("webhook-timestamp", ""),
        signatures=headers.get("webhook-signature", ""),
    )
    if not claimed.is_claimed:
        raise not_vouched()
    proof = replace(claimed, body=await read_body(request, MOST_BYTES, _TOO_LONG))
    delivery = _delivery_of(headers, proof)
    if len(delivery) > _LONGEST_ID or not delivery.isprintable():
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            plain(f"The id of a delivery must be at most {_LONGEST_ID} printable characters."),
        )
    is_ping = not proof.signs_its_id and headers.get("x-github-event") == _PING
    return Call(proof, delivery, is_ping)


def _delivery_of(headers: Headers, proof: Proof) -> str:
    """Where the id is signed, no other counts: with another one, a call that somebody overheard
    would start a run again."""
    if proof.signs_its_id:
        return proof.message_id
    named = (headers.get(each, "") for each in _IDS)
    return next(filter(None, named), "")


@dataclass(frozen=True)
class Calls:
    """`commands` remember deliveries apart from what people ask for."""

    agents: Agents
    keys: TriggerKeys
    access: Access
    commands: Commands

    async def take(self, agent_id: str, call: Call, correlation: str) -> Accepted:
        """Starts a run of the agent, which is its owner's. Raises WorldError, problems."""
        person, agent = await self._admitted(agent_id, call.proof)
        await self.access.check(person)
        asked = idempotency_key_of(agent_id, call)
        if before := await self.commands.before(person, asked):
            return before
        if call.is_ping:
            return Accepted(correlation_id=correlation)
        order = order_of(agent, text_of(call.proof.body), call.delivery)

        async def ordering(_: Made) -> Order:
            return order

        return await self.commands.start(person, ordering, asked, correlation)

    async def _admitted(self, agent_id: str, proof: Proof) -> tuple[Person, AgentView]:
        """Whose agent it is. No such agent and a wrong key answer alike."""
        found = await self.agents.find(agent_id)
        if found is not None and await self.keys.opens(found.owner, agent_id, proof):
            person = await self.access.people.acting(found.owner)
            if person is not None:
                return person, found.view
        raise not_vouched()


def not_vouched() -> ProblemError:
    """Builds the problem of a call that no key of the agent vouches for."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        plain(
            "No key of this agent's trigger vouches for the call: send `Authorization: Bearer "
            "KEY`, or a signature of the body as docs/webhooks.md says, not older than 5 "
            "minutes."
        ),
    )


def idempotency_key_of(agent_id: str, call: Call) -> IdempotencyKey:
    """One delivery of one agent is the same call, however often it comes."""
    digest = hashlib.sha256(call.proof.body).hexdigest()
    return IdempotencyKey(f"{agent_id} {call.delivery}" if call.delivery else None, digest)


def text_of(body: bytes) -> str:
    """The input of the run. Raises a problem with status 422."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            plain("The body must be text in UTF-8 without NUL: it becomes the run's input."),
        )
    return text


def order_of(agent: AgentView, text: str, delivery: str) -> Order:
    """The run. Raises a problem with status 409 for an agent that is not active."""
    if agent.status != "active":
        raise ProblemError(
            HTTPStatus.CONFLICT,
            plain(
                f"The agent is {'suspended' if agent.status == 'inactive' else 'a draft'}: nothing "
                "of it starts until it is activated in the dashboard."
            ),
        )
    return Order(
        agent.namespace,
        {
            **run_spec(agent.resource or agent.name, RunRequest(input=text)),
            "trigger": {"kind": WEBHOOK, "id": delivery},
        },
        {AGENT_ID: agent.id},
    )
