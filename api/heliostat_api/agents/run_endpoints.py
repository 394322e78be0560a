"""The endpoints that start runs of an agent, a table of contents: each is one call."""

from http import HTTPStatus

from fastapi import APIRouter

from heliostat_api.agents.reading import Agents
from heliostat_api.agents.trials import Trying
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.schemas import Accepted, RunRequest
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import (
    Correlation,
    IdempotencyKeyOf,
    PersonOf,
)
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/agents", route_class=CheckedRoute)


@router.post("/{agent_id}/run", status_code=HTTPStatus.ACCEPTED)
async def run_agent(
    commands: Provided[Commands],
    agents: Provided[Agents],
    person: PersonOf,
    agent_id: str,
    body: RunRequest,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
) -> Accepted:
    """Start a run now. What comes of it is reported."""
    if before := await commands.before(person, asked):
        return before
    agent = await agents.commanded(person, agent_id)
    return await commands.run(person, agent, body, asked, correlation)


@router.post("/{agent_id}/test", status_code=HTTPStatus.ACCEPTED)
async def test_agent(
    trying: Provided[Trying],
    person: PersonOf,
    agent_id: str,
    body: RunRequest,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
) -> Accepted:
    """Run the newest revision once, active or not."""
    return await trying.test(person, agent_id, body, asked, correlation)
