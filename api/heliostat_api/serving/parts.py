"""The parts of a running api, and what every request gets of them."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request

from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.reading import Executions
from heliostat_api.people.known import People
from heliostat_api.people.person import Person
from heliostat_api.serving.problems import ProblemError
from heliostat_api.serving.visits import read_cookie


@dataclass(frozen=True)
class Parts:
    """What endpoints call."""

    people: People
    agents: Agents
    executions: Executions
    transcripts: Transcripts
    drafts: Drafts
    activation: Activation
    deletion: Deletion
    trying: Trying
    samples: SampleAgents
    previews: Previews
    commands: Commands
    streams: Streams


def parts_of(request: Request) -> Parts:
    """The parts of the app that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


def person_of(request: Request) -> Person:
    """Whose request it is. Raises a problem with status 401."""
    person = parts_of(request).people.find(read_cookie(request.headers))
    if person is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED, "No session: open the page / first, which begins one."
        )
    return person
