"""Puts the api together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from starlette.types import Lifespan

from heliostat_api.agents.activation import Activation, Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.mending import Mending
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.documents.port import Documents
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.log import EventLog
from heliostat_api.events.snapshots import Snapshots
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.reading import Executions
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.people.known import OnePerson
from heliostat_api.people.sessions import Sessions
from heliostat_api.recording.closing import Closing
from heliostat_api.recording.owners import Owners
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.trials import Trials
from heliostat_api.serving.endpoints import api, stream
from heliostat_api.serving.guards import Guard
from heliostat_api.serving.parts import Parts
from heliostat_api.serving.problems import DescribedApp, add_problems
from heliostat_api.serving.repeats import Repeats
from heliostat_api.serving.visits import Visits
from heliostat_core.worlds import Logs, World


@dataclass(frozen=True)
class Surroundings:
    """What the api works with; whoever starts it opens and closes them."""

    world: World
    canceller: World
    """The same world, written to under the name that cancels."""
    suspender: World
    """The same world, written to under the name that suspends agents."""
    marker: World
    """The same world, written to under the name that marks what is recorded."""
    logs: Logs
    keys_dir: Path
    """The operator's public keys, which tell who delivers."""
    documents: Documents
    log: EventLog
    session_secret: bytes
    hosts: frozenset[str]
    """Names that it answers to; empty: any."""
    namespace: str
    """Where the dashboard's agents live."""
    owner: str | None
    """Whose things without an owner are; None: nobody's."""
    clock: Callable[[], datetime]


def describe_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Every endpoint, with nothing behind it yet."""
    app = DescribedApp(
        title="Heliostat",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    add_problems(app)
    app.include_router(stream)
    app.include_router(api)
    return app


def create_app(around: Surroundings) -> FastAPI:
    """The api over its surroundings."""
    people = OnePerson(Sessions(around.session_secret, around.clock))
    agents, executions = Agents(around.documents), Executions(around.documents)
    snapshots = Snapshots(around.log, agents, executions, around.clock)
    transcripts = Transcripts(around.documents)
    closing = Closing(around.marker, around.logs, around.documents, transcripts, around.clock)
    owners = Owners(around.owner)
    recorder = Recorder(around.world, around.documents, around.log, owners, closing, around.clock)
    repeats = Repeats(around.documents, around.clock)
    announcer = recorder.announcer
    drafts = Drafts(around.documents, agents, announcer, repeats, around.clock, around.namespace)
    activation = Activation(around.world, around.suspender, recorder, drafts)
    deletion = Deletion(around.world, drafts, announcer)
    commands = Commands(around.world, around.canceller, recorder, repeats)
    mending = Mending(drafts, deletion, Trials(around.world), repeats)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.run()) for each in (recorder, mending)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = describe_app(lifespan)
    app.state.parts = Parts(
        people=people,
        agents=agents,
        executions=executions,
        transcripts=transcripts,
        drafts=drafts,
        activation=activation,
        deletion=deletion,
        trying=Trying(around.world, drafts, commands),
        samples=SampleAgents(drafts, activation, commands),
        previews=Previews(around.documents, agents),
        commands=commands,
        streams=Streams(around.log, snapshots.take),
    )
    ingest = Ingest(transcripts, recorder, around.log, around.clock)
    add_ingest(app, ingest, Keyring(around.keys_dir))
    app.add_middleware(Visits, sessions=people.sessions, new_person=people.welcome)
    app.add_middleware(Guard, hosts=around.hosts)
    return app
