"""Puts the api together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from fastapi import FastAPI
from starlette.types import Lifespan

from heliostat_api.agents.activation import Activation, Deletion, Standstill
from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.mending import Mending
from heliostat_api.agents.permits import Permits
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.reading import Agents
from heliostat_api.agents.samples import SampleAgents
from heliostat_api.agents.trials import Trying
from heliostat_api.chat.assembly import Line, open_chat
from heliostat_api.chat.endpoints import workspace
from heliostat_api.chat.erasers import ErasingAnswers
from heliostat_api.chat.shelf import Shelf
from heliostat_api.documents.files import FileBounds, Files
from heliostat_api.documents.port import Documents
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.endings import Endings
from heliostat_api.events.log import EventLog
from heliostat_api.events.snapshots import Snapshots
from heliostat_api.events.stream import Streams
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.logs import RunLogs
from heliostat_api.executions.reading import Executions
from heliostat_api.gateway.assembly import Money, open_money
from heliostat_api.gateway.client import GatewayPlace
from heliostat_api.gateway.models import Routes
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.pod_tokens import PodTokens
from heliostat_api.ingest.service import Ingest
from heliostat_api.mine.archive import Archive
from heliostat_api.mine.counting import open_runs, open_schedules
from heliostat_api.mine.erasers import (
    COLLECTIONS,
    ErasingConversations,
    ErasingDocuments,
    ErasingGuests,
    ErasingReports,
    ErasingSecrets,
    WaitingForMoves,
)
from heliostat_api.mine.erasing import REST, Erasing
from heliostat_api.mine.expiring import Expiring
from heliostat_api.mine.resources import ErasingResources
from heliostat_api.people.limits import Buckets, LocalBuckets
from heliostat_api.people.moves import Moving
from heliostat_api.people.register import Register
from heliostat_api.people.resources import MovingResources
from heliostat_api.people.seals import Seals
from heliostat_api.recording import managers
from heliostat_api.recording.adoption import Adoption
from heliostat_api.recording.closing import Closing
from heliostat_api.recording.owners import Owners
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.trials import Trials
from heliostat_api.schedules.previews import SchedulePreviews
from heliostat_api.secrets.moves import MovingSecrets
from heliostat_api.secrets.service import Secrets
from heliostat_api.secrets.uses import Uses
from heliostat_api.serving.endpoints import api, stream
from heliostat_api.serving.entrance import Entrance, add_entrance, open_for_many, open_for_one
from heliostat_api.serving.health import health
from heliostat_api.serving.metrics import Counting, Metrics, TimedDocuments, metrics
from heliostat_api.serving.pages import add_pages
from heliostat_api.serving.parts import Parts
from heliostat_api.serving.problems import DescribedApp, add_problems
from heliostat_api.serving.repeats import Repeats
from heliostat_api.serving.signing import signing
from heliostat_api.settings import TRANSCRIPT_BYTES, ApiSettings
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
    chat_model: str = ""
    chat_test_seconds: int = 120
    line: Line | None = None
    """How the chat reaches a model, if not on keys of the api through its gateway."""
    is_alone: bool = False
    """Whether this is the only replica that there can be."""
    buckets: Buckets = field(default_factory=lambda: LocalBuckets(monotonic))
    """What counts requests."""


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
    app.include_router(workspace)
    app.include_router(health)
    app.include_router(metrics)
    app.include_router(signing)
    return app


def create_app(around: Surroundings) -> FastAPI:
    """The api over its surroundings."""
    counted = Metrics()
    around = replace(around, documents=TimedDocuments(around.documents, counted))
    register = Register(around.documents, around.clock)
    endings = Endings(around.log, around.clock)
    money = open_money(
        around.gateway, around.settings, register, endings, around.owner, around.clock
    )
    caps = money.caps
    entrance = open_entrance(around, register, endings, money)
    agents, executions = Agents(around.documents), Executions(around.documents)
    snapshots = Snapshots(around.log, agents, executions, around.clock)
    most = around.settings.transcript_bytes if around.settings else TRANSCRIPT_BYTES
    transcripts = Transcripts(around.documents, most)
    files = Files(around.documents, around.clock, FileBounds())
    world = around.world(managers.APPLIER)
    recorder = open_recorder(around, world, transcripts, register)
    secrets = open_secrets(around, world)
    erasing = open_erasing(around, register, secrets, endings, money)
    repeats = Repeats(around.documents, around.clock)
    announcer = recorder.announcer
    routes = Routes(money.gateway, monotonic)
    settings = around.settings
    permits = Permits(
        secrets,
        settings.images if settings else None,
        settings.allowed_hosts if settings else None,
        routes,
    )
    drafts = Drafts(
        around.documents, agents, announcer, repeats, around.clock, around.namespace, permits
    )
    kept = around.documents, around.clock, around.settings
    suspender, schedules = around.world(managers.SUSPENDER), open_schedules(*kept)
    activation = Activation(world, suspender, recorder, drafts, caps, schedules)
    expiring = Expiring(register, Standstill(activation), erasing)
    deletion = Deletion(world, drafts, announcer)
    canceller = around.world(managers.CANCELLER)
    commands = Commands(world, canceller, recorder, repeats, caps, open_runs(*kept))
    mending = Mending(drafts, deletion, Trials(world), repeats)
    trying, previews = (
        Trying(world, drafts, commands, caps),
        Previews(
            around.documents,
            agents,
            permits,
            around.clock,
            is_confined=settings is not None and settings.network_policies,
        ),
    )
    line = around.line or money.line(around.chat_model, around.chat_test_seconds)
    chat = open_chat(line, around.log, around.clock, drafts, previews, trying, executions, files)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [recorder.run(), mending.run(), erasing.run(), chat.reading.mending.run()]
        work += [Adoption(around.documents).run()]
        work += [entrance.moves.run(), expiring.run()] if entrance.moves else []
        work += money.work(world, around.settings)
        async with working(*work), chat.open(is_alone=around.is_alone):
            yield
        await money.gateway.close()

    app = describe_app(lifespan)
    app.state.parts = Parts(
        clock=around.clock,
        people=entrance.people,
        sessions=entrance.sessions,
        sign_in=entrance.sign_in,
        limits=entrance.limits,
        agents=agents,
        executions=executions,
        transcripts=transcripts,
        files=files,
        logs=RunLogs(transcripts, world, around.logs),
        drafts=drafts,
        activation=activation,
        deletion=deletion,
        trying=trying,
        samples=SampleAgents(drafts, activation, commands),
        schedules=SchedulePreviews(around.clock),
        previews=previews,
        secrets=secrets,
        routes=routes,
        commands=commands,
        streams=Streams(around.log, snapshots.take),
        endings=endings,
        archive=Archive(around.documents, transcripts, files, around.clock),
        erasing=erasing,
        expiring=expiring,
        chat=chat,
        money=money,
    )
    ingest = Ingest(transcripts, files, recorder, around.log, around.clock)
    add_ingest(app, ingest, Keyring(around.keys_dir), open_pod_tokens(around, world))
    add_pages(app)  # last: what nothing else serves is a page
    settings = around.settings
    if settings is None:
        add_entrance(app, entrance, around.hosts)
    else:
        hosts = around.hosts | frozenset(settings.hosts)
        add_entrance(app, entrance, hosts, settings.public_url, settings.trusted_proxies)
    app.state.metrics = counted
    counted.watch(lambda: app.state.parts.streams.clients, recorder.lag.seconds)
    app.add_middleware(Counting, counted=counted)
    return app


def open_pod_tokens(around: Surroundings, world: World) -> PodTokens | None:
    """None without an audience, and where no cluster vouches for anybody."""
    settings = around.settings
    if settings is None or not settings.token_audience:
        return None
    return PodTokens(world, settings.token_audience, lambda: around.clock().timestamp())


def open_recorder(
    around: Surroundings, world: World, transcripts: Transcripts, register: Register
) -> Recorder:
    """What watches the world, and closes the records of runs that ended."""
    marker = around.world(managers.MARKER)
    closing = Closing(marker, around.logs, around.documents, transcripts, around.clock)
    owners = Owners(around.owner)
    return Recorder(
        world,
        around.documents,
        around.log,
        owners,
        closing,
        around.clock,
        register.is_erasing,
    )


def open_secrets(around: Surroundings, world: World) -> Secrets:
    """Secrets in the namespace of the dashboard's agents."""
    documents = around.documents
    return Secrets(documents, world, Uses(documents), around.clock, around.namespace)


def open_movings(around: Surroundings, money: Money) -> Sequence[Moving]:
    """What a guest has in the world, which moves before its documents."""
    world = around.world(managers.MOVER)
    return MovingResources(world, money.caps), MovingSecrets(around.documents, world)


def open_erasing(
    around: Surroundings,
    register: Register,
    secrets: Secrets,
    endings: Endings,
    money: Money,
) -> Erasing:
    """What a person has, in the order in which it goes. Whoever keeps more of people adds to it."""
    documents, log = around.documents, around.log
    resources = ErasingResources(
        around.world(managers.APPLIER),
        around.world(managers.SUSPENDER),
        around.namespace,
        around.owner,
    )
    answers = ErasingAnswers(Shelf(documents, log, around.clock))
    return Erasing(
        register,
        stopping=(WaitingForMoves(register), resources, answers, *money.stopping),
        removing=(
            ErasingSecrets(secrets),
            *(ErasingDocuments(documents, each) for each in COLLECTIONS),
            ErasingConversations(documents, log),
            ErasingReports(log, register),
            *money.removing,
            ErasingGuests(register),
        ),
        endings=endings,
        rest=REST if around.settings else timedelta(seconds=1),  # `heliostat dev` is one process
    )


def open_entrance(
    around: Surroundings, register: Register, endings: Endings, money: Money
) -> Entrance:
    """For one person or for many."""
    seals = Seals(around.session_secrets, around.clock)
    if around.settings is None:
        return open_for_one(seals, register, money.api_keys)
    return open_for_many(
        around.settings,
        seals,
        register,
        open_movings(around, money),
        money.api_keys,
        endings,
        around.buckets,
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
