"""The endpoints of money: a table of contents, each one call."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query

from heliostat_api.gateway.own_keys import IssuedUserKey, KeyList, KeyRequest, OwnKeys
from heliostat_api.usage.service import By, Period, Usage, UsageReport
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import IdempotencyKeyOf, PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(route_class=CheckedRoute)
KeyId = Annotated[str, Path(max_length=100)]


@router.get("/keys")
async def list_keys(keys: Provided[OwnKeys], person: PersonOf) -> KeyList:
    """Your keys, revoked ones too."""
    return await keys.list(person)


@router.post("/keys", status_code=201)
async def make_key(
    keys: Provided[OwnKeys], person: PersonOf, wanted: KeyRequest, asked: IdempotencyKeyOf
) -> IssuedUserKey:
    """A key for a program of yours. Its text is shown once, here, and to the same request again."""
    return await keys.make(person, wanted, asked)


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(keys: Provided[OwnKeys], person: PersonOf, key_id: KeyId) -> None:
    """End one of your keys: it opens nothing after five seconds, and its open streams end."""
    await keys.revoke(person, key_id)


@router.get("/usage")
async def read_usage(
    usage: Provided[Usage],
    person: PersonOf,
    by: By = "day",
    since: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    until: Annotated[date | None, Query(alias="to", description="The last day, included.")] = None,
    time_zone: Annotated[str, Query(alias="timeZone", max_length=64)] = "UTC",
) -> UsageReport:
    """What your chat, your runs and your keys cost; this month, unless you say otherwise."""
    return await usage.report(person, by, Period(since, until, time_zone))
