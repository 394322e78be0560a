"""What endpoints take of every request: the person, the place in a list, and how it is followed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Header, Query
from starlette.requests import HTTPConnection

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.people.credentials import People
from heliostat_api.web.auth_dependency import auth_dependency
from heliostat_api.web.credentials import credentials_of
from heliostat_api.web.idempotency import IdempotencyKey, idempotency_key_of
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.provide import service_of
from heliostat_telemetry.lines import add_to_lines


@dataclass(frozen=True)
class Access:
    """Knows the people, and counts their requests."""

    people: People
    check: Callable[[Person], Awaitable[None]]
    """Counts a request. Raises a problem with status 429 for who asks too often."""


@auth_dependency(Access)
async def person_of(connection: HTTPConnection) -> Person:
    """Whose request it is. Raises problems with status 401 and 429, and what People raises."""
    access = service_of(connection, Access)
    person = await access.people.find(credentials_of(connection.scope))
    if person is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            bilingual(
                en="No session: open / in a browser first; it starts one or leads to sign-in.",
                ko="세션이 없습니다. 먼저 첫 페이지(/)를 여세요.",
            ),
        )
    await access.check(person)
    return person


PersonOf = Annotated[Person, Depends(person_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=1024)]
IdempotencyKeyOf = Annotated[IdempotencyKey, Depends(idempotency_key_of)]


# A coroutine: FastAPI hops to a thread and back for a plain function.
async def correlation_of(
    x_correlation_id: Annotated[
        str | None, Header(max_length=128, pattern=r"^[A-Za-z0-9._:/-]+$")
    ] = None,
) -> str:
    """The caller's own correlation id, else a new one. Log lines say it from now on."""
    found = x_correlation_id or f"dash-{uuid4()}"
    add_to_lines(correlationId=found)
    return found


Correlation = Annotated[str, Depends(correlation_of)]
