"""Puts the api together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
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
from heliostat_api.documents.files import FileBounds, Files
from heliostat_api.documents.port import Documents
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.log import EventLog
from heliostat_api.events.snapshots import Snapshots
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.reading import Executions
from heliostat_api.gateway.api_keys import GatewayKeys
from heliostat_api.gateway.caps import Caps, DailyCaps
from heliostat_api.gateway.client import Gateway, GatewayPlace
from heliostat_api.gateway.keeping import Keeping
from heliostat_api.gateway.labels import Labels
from heliostat_api.gateway.own_keys import OwnKeys
from heliostat_api.gateway.person_keys import SignedPersonKeys
from heliostat_api.gateway.publishing import Publishing
from heliostat_api.gateway.spending import Spending
from heliostat_api.gateway.usage import Usage
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.people.api_keys import ApiKeys, NoApiKeys
from heliostat_api.people.register import Register
from heliostat_api.people.resources import MovingResources
from heliostat_api.people.seals import Seals
from heliostat_api.recording import managers
from heliostat_api.recording.closing import Closing
from heliostat_api.recording.owners import Owners
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.trials import Trials
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_api.serving.endpoints import api, stream
from heliostat_api.serving.entrance import Entrance, add_entrance, open_for_many, open_for_one
from heliostat_api.serving.health import health
from heliostat_api.serving.pages import add_pages
from heliostat_api.serving.parts import Parts
from heliostat_api.serving.problems import DescribedApp, add_problems
from heliostat_api.serving.repeats import Repeats
from heliostat_api.serving.signing import signing
from heliostat_api.settings import ApiSettings
from heliostat_core.worlds import Logs, World


@dataclass(frozen=True)
class Surroundings:
    """What the api works with; whoever starts it opens and closes them."""

    world: Callable[[str], World]
    """The world, written to under the name of a field manager."""
    logs: Logs
    keys_dir: Path
    """The operator's public keys, which tell who delivers."""
    documents: Documents
    log: EventLog
    session_secrets: tuple[bytes, ...]
    """The first signs; every one is believed."""
    hosts: frozenset[str]
    """Names that it answers to; empty: any."""
    namespace: str
    """Where the dashboard's agents live."""
    owner: str | None
    """Whose things without an owner are; None: nobody's."""
    clock: Callable[[], datetime]
    settings: ApiSettings | None = None
    """Of a server for many; None: one local person, as in `heliostat dev`."""
    gateway: GatewayPlace | None = None
    """Where model calls go, money and keys are kept; None: there is no gateway, and none of it."""


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
    app.include_router(health)
    app.include_router(signing)
    return app


def create_app(around: Surroundings) -> FastAPI:
    """The api over its surroundings."""
    gateway = Gateway(around.gateway)
    checked_keys = GatewayKeys(gateway)
    entrance = open_entrance(around, checked_keys if around.gateway else NoApiKeys())
    agents, executions = Agents(around.documents), Executions(around.documents)
    snapshots = Snapshots(around.log, agents, executions, around.clock)
    transcripts = Transcripts(around.documents)
    files = Files(around.documents, around.clock, FileBounds())
    world = around.world(managers.APPLIER)
    recorder = open_recorder(around, world, transcripts)
    repeats = Repeats(around.documents, around.clock)
    announcer = recorder.announcer
    drafts = Drafts(around.documents, agents, announcer, repeats, around.clock, around.namespace)
    caps = Caps(gateway, daily_caps(around), around.clock)
    keeping = Keeping(world, caps)
    activation = Activation(world, around.world(managers.SUSPENDER), recorder, drafts, caps)
    deletion = Deletion(world, drafts, announcer)
    commands = Commands(world, around.world(managers.CANCELLER), recorder, repeats, caps)
    mending = Mending(drafts, deletion, Trials(world), repeats)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [recorder.run(), mending.run(), *([entrance.moves.run()] if entrance.moves else [])]
        if around.gateway is not None:
            work += [keeping.run(), *publishing(around, around.gateway)]
        async with working(*work):
            yield
        await gateway.close()

    app = describe_app(lifespan)
    app.state.parts = Parts(
        people=entrance.people,
        sign_in=entrance.sign_in,
        limits=entrance.limits,
        agents=agents,
        executions=executions,
        transcripts=transcripts,
        files=files,
        drafts=drafts,
        activation=activation,
        deletion=deletion,
        trying=Trying(world, drafts, commands, caps),
        samples=SampleAgents(drafts, activation, commands),
        previews=Previews(around.documents, agents, around.clock),
        schedules=SchedulePreviews(around.clock),
        commands=commands,
        streams=Streams(around.log, snapshots.take),
        gateway=gateway,
        caps=caps,
        keeping=keeping,
        own_keys=OwnKeys(gateway, caps, checked_keys),
        spending=Spending(gateway, caps, around.clock),
        usage=open_usage(around, gateway, agents),
        person_keys=SignedPersonKeys(gateway, caps),
    )
    ingest = Ingest(transcripts, files, recorder, around.log, around.clock)
    add_ingest(app, ingest, Keyring(around.keys_dir))
    add_pages(app)  # last: what nothing else serves is a page
    settings = around.settings
    if settings is None:
        add_entrance(app, entrance, around.hosts)
    else:
        hosts = around.hosts | frozenset(settings.hosts)
        add_entrance(app, entrance, hosts, settings.public_url, settings.trusted_proxies)
    return app


def open_usage(around: Surroundings, gateway: Gateway, agents: Agents) -> Usage:
    """What people's calls cost."""
    return Usage(
        gateway,
        Register(around.documents, around.clock),
        Labels(around.documents, agents),
        around.owner,
        around.clock,
    )


def publishing(around: Surroundings, place: GatewayPlace) -> list[Coroutine[None, None, None]]:
    """Tells the gateway of a cluster who we are; elsewhere whoever starts us does."""
    if around.settings is None or not around.settings.public_key_map:
        return []
    world = around.world(managers.APPLIER)
    return [Publishing(world, around.settings.public_key_map, place.identity).run()]


def daily_caps(around: Surroundings) -> DailyCaps:
    """Of the settings; none for the one person of `heliostat dev`, and none without a gateway."""
    if around.settings is None or around.gateway is None:
        return DailyCaps()
    settings = around.settings
    return DailyCaps(
        guest=settings.guest_daily_micros,
        guests=settings.guests_daily_micros,
        person=settings.person_daily_micros,
    )


def open_recorder(around: Surroundings, world: World, transcripts: Transcripts) -> Recorder:
    """What watches the world, and closes the records of runs that ended."""
    marker = around.world(managers.MARKER)
    closing = Closing(marker, around.logs, around.documents, transcripts, around.clock)
    owners = Owners(around.owner)
    return Recorder(world, around.documents, around.log, owners, closing, around.clock)


def open_entrance(around: Surroundings, api_keys: ApiKeys) -> Entrance:
    """For one person or for many."""
    seals = Seals(around.session_secrets, around.clock)
    if around.settings is None:
        return open_for_one(seals, api_keys)
    return open_for_many(
        around.settings,
        seals,
        around.documents,
        MovingResources(around.world(managers.MOVER)),
        api_keys,
        around.clock,
    )


@asynccontextmanager
async def working(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """What goes on as long as the block runs."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
