"""The endpoints about all of a person's things: a table of contents, each one call."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from heliostat_api.account.archive import Archive
from heliostat_api.account.erasing import Erasing
from heliostat_api.account.service import Account
from heliostat_api.account.zips import pack
from heliostat_api.base.views import PersonView, View
from heliostat_api.executions.schemas import Accepted
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.credentials import SESSION, forget_cookie
from heliostat_api.web.dependencies import Correlation, PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/me", route_class=CheckedRoute)
me = APIRouter(prefix="/api", route_class=CheckedRoute)


class DeletionConfirmation(View):
    """Confirms that everything of the person is to be deleted."""

    confirm: Literal["delete everything"]


_ZIP: Final[Mapping[int | str, dict[str, object]]] = {
    200: {
        "description": "A zip archive.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/archive", response_class=StreamingResponse, responses=dict(_ZIP))
async def read_archive(archive: Provided[Archive], person: PersonOf) -> StreamingResponse:
    """All of yours as one zip archive: agents, executions, transcripts, files, conversations."""
    day = archive.clock().date().isoformat()
    return StreamingResponse(
        pack(archive.entries(person)),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="heliostat-{day}.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.delete("", status_code=HTTPStatus.ACCEPTED)
async def delete_me(
    erasing: Provided[Erasing],
    person: PersonOf,
    body: DeletionConfirmation,  # noqa: ARG001  it was said: that is all
    correlation: Correlation,
    request: Request,
    response: Response,
) -> Accepted:
    """All of yours goes, for good: runs end, sessions too, then everything is deleted."""
    await erasing.begin(person.id)
    response.headers["set-cookie"] = forget_cookie(request.scope, SESSION)
    return Accepted(correlation_id=correlation)


@me.get("/me")
async def read_me(account: Provided[Account], person: PersonOf) -> PersonView:
    """Who you are, and what you may spend."""
    return await account.view(person)
