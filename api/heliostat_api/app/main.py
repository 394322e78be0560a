"""Puts the api together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from starlette.types import Lifespan

from heliostat_api.account.expiring import Expiring
from heliostat_api.account.service import Account
from heliostat_api.agents.activation import Standstill
from heliostat_api.app.assembly.agents import open_workshop
from heliostat_api.app.assembly.entrance import open_cloud_tokens, open_entrance
from heliostat_api.app.assembly.erasing import open_erasing
from heliostat_api.app.assembly.money import open_money
from heliostat_api.app.assembly.recording import open_pod_tokens, open_recorder
from heliostat_api.app.assembly.records import open_records
from heliostat_api.app.assembly.webhooks import open_hooks, open_retelling, open_webhooks
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.app.entrance import Entrance, add_entrance
from heliostat_api.app.health import health
from heliostat_api.app.pages import add_pages
from heliostat_api.app.routers import ROUTERS, api
from heliostat_api.app.signing import signing
from heliostat_api.app.stream_endpoints import stream
from heliostat_api.chat.assembly import build_chat
from heliostat_api.chat.endpoints import workspace
from heliostat_api.events.changes import Changes
from heliostat_api.events.revocations import Endings
from heliostat_api.executions.logs import RunLogs
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.people.repository import Register
from heliostat_api.recording.backfill import Adoption
from heliostat_api.records import managers
from heliostat_api.schedules.cloud_calls import CloudCalls
from heliostat_api.web.background import Work
from heliostat_api.web.bodies import MOST_BYTES, BodyLimit
from heliostat_api.web.failures import Failures
from heliostat_api.web.languages import InLanguage
from heliostat_api.web.metrics import Counting, Metrics, TimedDocuments, metrics
from heliostat_api.web.problems import DescribedApp, add_problems
from heliostat_api.web.provide import Services, add_services


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
    counted, background = Metrics(), Work()
    around = replace(around, documents=TimedDocuments(around.documents, counted))
    documents, clock, log = around.documents, around.clock, around.log
    register, endings = Register(documents, clock), Endings(log, clock)
    changes, retelling = Changes(log, clock), open_retelling(around)
    money = open_money(
        around.gateway,
        around.settings,
        register,
        endings,
        retelling,
        changes,
        around.owner,
        clock,
    )
    entrance = open_entrance(around, register, endings, money)
    world, records = around.world(managers.APPLIER), open_records(around)
    hooks = open_hooks(around, records.agents, retelling, changes)
    recorder = open_recorder(around, world, records.transcripts, register, (hooks.occasions,))
    workshop = open_workshop(around, world, recorder, records.agents, money, hooks)
    erasing = open_erasing(around, register, workshop.secrets, endings, money)
    expiring = Expiring(register, Standstill(workshop.activation), erasing)
    chat = build_chat(
        around.model_connection
        or money.model_connection(around.chat_model, around.chat_test_seconds),
        log,
        clock,
        workshop.drafts,
        workshop.previews,
        workshop.trying,
        records.executions,
        records.files,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = [recorder.run(), workshop.mending.run(), erasing.run(), chat.recovery.run()]
        work += [
            Adoption(documents).run(),
            hooks.sending.run(),
            *money.work(world, around.settings),
        ]
        work += [entrance.moves.run(), expiring.run()] if entrance.moves else []
        async with background.going_on(*work), chat.open(is_alone=around.is_alone):
            yield
        await money.gateway.close()

    app = describe_app(lifespan)
    webhooks = open_webhooks(hooks, records.agents, entrance.access, workshop.commands)
    account = Account(money.spending, clock, can_sign_in=entrance.sign_in is not None)
    services = Services(
        account,
        background,
        chat,
        CloudCalls(world, open_cloud_tokens(around.settings), workshop.commands.triggers),
        counted,
        endings,
        entrance,
        entrance.access,
        entrance.access.limits,
        erasing,
        expiring,
        money,
        money.own_keys,
        money.usage,
        recorder,
        RunLogs(records.transcripts, world, around.logs),
        *records.services,
        *workshop.services,
        *webhooks.services,
    )
    add_services(app, services, ROUTERS)
    ingest = Ingest(records.transcripts, records.files, recorder, log, clock)
    add_ingest(app, ingest, Keyring(around.keys_dir), open_pod_tokens(around, world))
    add_pages(app)  # last: what nothing else serves is a page
    app.add_middleware(BodyLimit, most=MOST_BYTES)
    admit(app, around, entrance)
    counted.watch(lambda: records.streams.clients, recorder.lag.seconds)
    app.add_middleware(Failures)
    app.add_middleware(InLanguage)
    app.add_middleware(Counting, counted=counted)
    return app


def admit(app: FastAPI, around: Surroundings, entrance: Entrance) -> None:
    """Its doors: what stands before every endpoint, for one person or for many."""
    settings = around.settings
    if settings is None:
        add_entrance(app, entrance, around.hosts)
    else:
        hosts = around.hosts | frozenset(settings.hosts)
        add_entrance(app, entrance, hosts, settings.public_url, settings.trusted_proxies)
