"""The parts of a running api, and what every request gets of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from starlette.requests import HTTPConnection

from heliostat_api.account.archive import Archive
from heliostat_api.account.erasing import Erasing
from heliostat_api.account.expiring import Expiring
from heliostat_api.account.sign_in import SignIn
from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.assembly.webhooks import Webhooks
from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.chat.sockets import Chat
from heliostat_api.documents.files import Files
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.revocations import Endings
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.logs import RunLogs
from heliostat_api.executions.reading import Executions
from heliostat_api.gateway.models import Routes
from heliostat_api.people.authentication import People
from heliostat_api.people.sessions import Sessions
from heliostat_api.schedules.cloud_calls import CloudCalls
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_api.secrets.service import Secrets
from heliostat_api.web.auth_dependency import Door
from heliostat_api.web.background import Work
from heliostat_api.web.credentials import credentials_of
from heliostat_api.web.limits import Limits
from heliostat_api.web.problems import ProblemError


@dataclass(frozen=True)
class Parts:
    """What endpoints call."""

    clock: Callable[[], datetime]
    people: People
    sessions: Sessions
    sign_in: SignIn | None
    """None where there is no provider to sign in at."""
    limits: Limits
    agents: Agents
    executions: Executions
    transcripts: Transcripts
    files: Files
    logs: RunLogs
    drafts: Drafts
    activation: Activation
    deletion: Deletion
    trying: Trying
    samples: SampleAgents
    previews: Previews
    schedules: SchedulePreviews
    cloud_calls: CloudCalls
    secrets: Secrets
    routes: Routes
    commands: Commands
    streams: Streams
    money: Money
    endings: Endings
    archive: Archive
    erasing: Erasing
    expiring: Expiring
    chat: Chat
    webhooks: Webhooks
    background: Work


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the app that serves this request, or this WebSocket."""
    parts: Parts = connection.app.state.parts
    return parts


@Door
async def person_of(connection: HTTPConnection) -> Person:
    """Whose request it is. Raises problems with status 401 and 429, and what People raises."""
    parts = parts_of(connection)
    person = await parts.people.find(credentials_of(connection.scope))
    if person is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            bilingual(
                en="No session: open / in a browser first; it starts one or leads to sign-in.",
                ko="세션이 없습니다. 먼저 첫 페이지(/)를 여세요.",
            ),
        )
    await parts.limits.check_person(person)
    return person
