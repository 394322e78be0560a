"""What endpoints take of every request: the app's parts, the person, and how it is followed."""

from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Header, Query
from starlette.requests import HTTPConnection

from heliostat_api.app.parts import Parts, parts_of, person_of
from heliostat_api.base.person import Person
from heliostat_api.web.idempotency import Asked, asked_of
from heliostat_telemetry.lines import add_to_lines


# Coroutines all: FastAPI hops to a thread and back for a plain function.
async def serving_parts(connection: HTTPConnection) -> Parts:
    """The parts of the app that serves this request, or this WebSocket."""
    return parts_of(connection)


PartsOf = Annotated[Parts, Depends(serving_parts)]
PersonOf = Annotated[Person, Depends(person_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=1024)]
AskedOf = Annotated[Asked, Depends(asked_of)]


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
