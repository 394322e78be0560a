"""The endpoint that tries a sample agent: it is one call."""

from fastapi import APIRouter

from heliostat_api.agents.samples import SampleAgents
from heliostat_api.executions.schemas import Accepted
from heliostat_api.samples import read_sample
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import (
    Correlation,
    IdempotencyKeyOf,
    PersonOf,
)
from heliostat_api.web.problems import NotFoundProblem
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/api", route_class=CheckedRoute)


@router.post("/samples/{name}", status_code=202)
async def try_sample(
    samples: Provided[SampleAgents],
    person: PersonOf,
    name: str,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
) -> Accepted:
    """Make one of the sample agents yours and run it: hello, sales, hurried."""
    sample = read_sample(name)
    if sample is None:
        raise NotFoundProblem("sample")
    return await samples.run(person, sample, asked, correlation)
