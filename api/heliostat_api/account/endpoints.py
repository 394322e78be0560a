"""The endpoints about all of a person's things: a table of contents, each one call."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from heliostat_api.account.zips import pack
from heliostat_api.base.person import view_person
from heliostat_api.base.views import PersonView, View
from heliostat_api.executions.commands import Accepted
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.cookies import SESSION, forget_cookie
from heliostat_api.web.dependencies import Correlation, PartsOf, PersonOf

account = APIRouter(prefix="/me", route_class=CheckedRoute)


class DeletionConfirmation(View):
    """Confirms that everything of the person is to be deleted."""

    confirm: Literal["delete everything"]


_ZIP: Final[Mapping[int | str, dict[str, object]]] = {
    200: {
        "description": "A zip archive.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@account.get("/archive", response_class=StreamingResponse, responses=dict(_ZIP))
async def read_archive(parts: PartsOf, person: PersonOf) -> StreamingResponse:
    """All of yours as one zip archive: agents, executions, transcripts, files, conversations."""
    day = parts.clock().date().isoformat()
    return StreamingResponse(
        pack(parts.archive.entries(person)),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="heliostat-{day}.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@account.delete("", status_code=HTTPStatus.ACCEPTED)
async def delete_me(
    parts: PartsOf,
    person: PersonOf,
    body: DeletionConfirmation,  # noqa: ARG001  it was said: that is all
    correlation: Correlation,
    request: Request,
    response: Response,
) -> Accepted:
    """All of yours goes, for good: runs end, sessions too, then everything is deleted."""
    await parts.erasing.begin(person.id)
    response.headers["set-cookie"] = forget_cookie(request.scope, SESSION)
    return Accepted(correlation_id=correlation)


@account.get("")
async def read_me(parts: PartsOf, person: PersonOf) -> PersonView:
    """Who you are, and what you may spend."""
    spending = await parts.money.spending.of(person)
    return view_person(person, parts.clock(), spending, can_sign_in=parts.sign_in is not None)
