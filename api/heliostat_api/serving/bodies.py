"""Bodies of requests, read no further than they may be long."""

from http import HTTPStatus

from fastapi import Request

from heliostat_api.serving.problems import ProblemError
from heliostat_api.texts import Text


async def read_body(request: Request, most: int, refusal: Text) -> bytes:
    """At most so many bytes. Raises a problem with status 413, in the words of `refusal`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal)
    return bytes(body)
