"""The endpoints of agents: a table of contents, each one call."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts, Saved
from heliostat_api.agents.edits import (
    AgentPatch,
    NewAgent,
    NewName,
    WholeAgent,
    content_of,
    edit_of,
    whole_of,
)
from heliostat_api.agents.previews import PreviewRequest, Previews, PreviewView
from heliostat_api.agents.reading import AgentPage, Agents
from heliostat_api.agents.tags import IfMatch, required, tag_of
from heliostat_api.base.views import AgentDetailView, RevisionDetailView
from heliostat_api.records.revisions import RevisionPage
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import (
    Correlation,
    Cursor,
    IdempotencyKeyOf,
    Limit,
    PersonOf,
)
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/agents", route_class=CheckedRoute)
Number = Annotated[int, Path(ge=1, le=999_999)]


@router.get("")
async def list_agents(
    agents: Provided[Agents], person: PersonOf, cursor: Cursor = None, limit: Limit = 50
) -> AgentPage:
    """Your agents, newest first, and those without an owner where you operate."""
    return await agents.page(person, cursor, limit)


@router.post("", status_code=HTTPStatus.CREATED)
async def create_agent(
    drafts: Provided[Drafts],
    person: PersonOf,
    body: NewAgent,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
    response: Response,
) -> Saved:
    """A draft from its fields or from YAML. It may be incomplete."""
    saved = await drafts.create(person, content_of(body), asked, correlation)
    return _tagged(saved, response)


@router.post("/preview")
async def preview_agent(
    previews: Provided[Previews], person: PersonOf, body: PreviewRequest
) -> PreviewView:
    """What an agent, an edit or an activation would cost, touch and change. Stores nothing."""
    return await previews.look(person, body)


@router.get("/{agent_id}")
async def read_agent(
    agents: Provided[Agents], person: PersonOf, agent_id: str, response: Response
) -> AgentDetailView:
    """One of your agents. Its ETag is what an edit sends as If-Match."""
    detail = await agents.detail(person, agent_id)
    if detail.revision is not None:
        response.headers["ETag"] = tag_of(detail.revision)
    return detail


@router.put("/{agent_id}")
async def replace_agent(
    drafts: Provided[Drafts],
    person: PersonOf,
    agent_id: str,
    body: WholeAgent,
    correlation: Correlation,
    response: Response,
    if_match: IfMatch = None,
) -> Saved:
    """Save it, from fields or YAML, as a new revision. What runs changes with the next
    activation."""
    saved = await drafts.edit(person, agent_id, whole_of(body), required(if_match), correlation)
    return _tagged(saved, response)


@router.patch("/{agent_id}")
async def patch_agent(
    drafts: Provided[Drafts],
    person: PersonOf,
    agent_id: str,
    body: AgentPatch,
    correlation: Correlation,
    response: Response,
    if_match: IfMatch = None,
) -> Saved:
    """Save some fields as a new revision; `spec` is a JSON merge patch."""
    saved = await drafts.edit(person, agent_id, edit_of(body), required(if_match), correlation)
    return _tagged(saved, response)


@router.delete("/{agent_id}")
async def delete_agent(
    deletion: Provided[Deletion],
    person: PersonOf,
    agent_id: str,
    correlation: Correlation,
    if_match: IfMatch = None,
) -> Saved:
    """The agent, its revisions and its resource go; records of its runs stay."""
    return await deletion.delete(person, agent_id, if_match, correlation)


@router.post("/{agent_id}/duplicate", status_code=HTTPStatus.CREATED)
async def duplicate_agent(
    drafts: Provided[Drafts],
    person: PersonOf,
    agent_id: str,
    body: NewName,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
    response: Response,
) -> Saved:
    """A draft of its own with the same content; of an agent made by kubectl, too."""
    saved = await drafts.duplicate(person, agent_id, body.name, asked, correlation)
    return _tagged(saved, response)


@router.post("/{agent_id}/activate", status_code=HTTPStatus.ACCEPTED)
async def activate_agent(
    activation: Provided[Activation],
    person: PersonOf,
    agent_id: str,
    correlation: Correlation,
    if_match: IfMatch = None,
) -> Saved:
    """The newest revision becomes the Agent resource. Whether it is ready is reported."""
    return await activation.activate(person, agent_id, if_match, correlation)


@router.post("/{agent_id}/deactivate", status_code=HTTPStatus.ACCEPTED)
async def deactivate_agent(
    activation: Provided[Activation], person: PersonOf, agent_id: str, correlation: Correlation
) -> Saved:
    """No run of it starts any more; those that run go on."""
    return await activation.deactivate(person, agent_id, correlation)


@router.get(
    "/{agent_id}/yaml",
    response_class=Response,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "object"}}}}},
)
async def export_agent(agents: Provided[Agents], person: PersonOf, agent_id: str) -> Response:
    """The manifest: `kubectl apply -f` takes it as it is, `POST /api/agents` takes it back."""
    detail = await agents.detail(person, agent_id)
    return Response(detail.yaml, media_type="application/yaml")


@router.get("/{agent_id}/revisions")
async def list_revisions(
    drafts: Provided[Drafts],
    person: PersonOf,
    agent_id: str,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RevisionPage:
    """Everything that was saved, newest first."""
    return await drafts.revisions(person, agent_id, cursor, limit)


@router.get("/{agent_id}/revisions/{number}")
async def read_revision(
    drafts: Provided[Drafts], person: PersonOf, agent_id: str, number: Number
) -> RevisionDetailView:
    """One saved state, and what changed since the one before."""
    return await drafts.revision(person, agent_id, number)


@router.post("/{agent_id}/revisions/{number}/restore")
async def restore_revision(
    drafts: Provided[Drafts],
    person: PersonOf,
    agent_id: str,
    number: Number,
    correlation: Correlation,
    response: Response,
    if_match: IfMatch = None,
) -> Saved:
    """What was saved then becomes the newest revision."""
    saved = await drafts.restore(person, agent_id, number, if_match, correlation)
    return _tagged(saved, response)


def _tagged(saved: Saved, response: Response) -> Saved:
    response.headers["ETag"] = tag_of(saved.revision)
    return saved
