"""The endpoints of asks, a table of contents: each is one call.

Deciding has the path that the earlier platform's clients know.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from heliostat_api.approvals.reading import Approvals
from heliostat_api.approvals.schemas import (
    ApprovalPage,
    Decided,
    DecideRequest,
    DeniedAll,
    DenyAllRequest,
    ResolveRequest,
)
from heliostat_api.approvals.service import Deciding
from heliostat_api.base.ask_views import ApprovalView
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import Correlation, Cursor, Limit, PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(route_class=CheckedRoute)


@router.get("/api/approvals")
async def list_approvals(
    approvals: Provided[Approvals],
    person: PersonOf,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    execution: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ApprovalPage:
    """Asks of your runs, newest first, and those that wait for you as an approver.

    `open`: those of which it is not known yet what becomes of them, or the others. `execution` is
    the uid of a run; it goes with no other filter.
    """
    return await approvals.page(
        person, is_open=is_open, execution=execution, cursor=cursor, limit=limit
    )


@router.post("/api/approvals/deny", status_code=202)
async def deny_approvals(
    deciding: Provided[Deciding],
    person: PersonOf,
    request: DenyAllRequest,
    correlation: Correlation,
) -> DeniedAll:
    """Deny all that one run still asks for and, if you say so, suspend its agent. Needs a session,
    not a key."""
    return await deciding.deny_all(person, request, correlation)


@router.get("/api/approvals/{ask_id}")
async def read_approval(
    approvals: Provided[Approvals], person: PersonOf, ask_id: str
) -> ApprovalView:
    """One of them, with its facts whole."""
    return await approvals.get(person, ask_id)


@router.post("/approvals/{ask_id}/decide", status_code=202)
async def decide_approval(
    deciding: Provided[Deciding], person: PersonOf, ask_id: str, request: DecideRequest
) -> Decided:
    """Approve or deny what you were shown. May be repeated; needs a session, not a key.

    Reports tell what came of it, also where somebody else was first.
    """
    return await deciding.decide(person, ask_id, request)


@router.post("/approvals/{ask_id}/resolve", status_code=202)
async def resolve_approval(
    deciding: Provided[Deciding], person: PersonOf, ask_id: str, request: ResolveRequest
) -> Decided:
    """Say whether an action took place whose outcome is unknown. Needs a session, not a key."""
    return await deciding.resolve(person, ask_id, request)
