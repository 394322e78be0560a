"""Puts the api together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from starlette.types import Lifespan

from heliostat_api.account.expiring import Expiring
from heliostat_api.account.service import Account
from heliostat_api.agents.activation import AgentSuspension
from heliostat_api.app.assembly.agents import build_agents
from heliostat_api.app.assembly.entrance import build_cloud_tokens, build_entrance
from heliostat_api.app.assembly.erasing import build_erasing
from heliostat_api.app.assembly.money import build_money
from heliostat_api.app.assembly.recording import build_pod_tokens, build_recorder
from heliostat_api.app.assembly.records import build_records
from heliostat_api.app.assembly.webhooks import build_hooks, build_secret_replay, build_webhooks
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.entrance import Entrance, add_entrance
from heliostat_api.app.pages import add_pages
from heliostat_api.app.routers import ROUTERS, add_routers, name_of
from heliostat_api.chat.assembly import build_chat
from heliostat_api.events.changes import Changes
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.executions.logs import RunLogs
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.people.repository import PersonRepository
from heliostat_api.recording.backfill import Backfill
from heliostat_api.records import managers
from heliostat_api.schedules.cloud_calls import CloudCalls
from heliostat_api.web.background import Background
from heliostat_api.web.bodies import MOST_BYTES, BodyLimit
from heliostat_api.web.metrics import Counting, Metrics, TimedDocuments
from heliostat_api.web.middleware import FailureMiddleware, LanguageMiddleware
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
        generate_unique_id_function=name_of,
    )
    add_problems(app)
    add_routers(app)
    return app


def create_app(dependencies: Dependencies) -> FastAPI:
    """Puts the api together over its dependencies."""
    counted, background = Metrics(), Background()
    dependencies = replace(dependencies, documents=TimedDocuments(dependencies.documents, counted))
    documents, clock, log = dependencies.documents, dependencies.clock, dependencies.log
    register, revocations = PersonRepository(documents, clock), SessionRevocations(log, clock)
    changes, secret_replay = Changes(log, clock), build_secret_replay(dependencies)
    money = build_money(
        dependencies.gateway,
        dependencies.settings,
        register,
        revocations,
        secret_replay,
        changes,
        dependencies.owner,
        clock,
    )
    entrance = build_entrance(dependencies, register, revocations, money)
    world, records = dependencies.world(managers.APPLIER), build_records(dependencies)
    hooks = build_hooks(dependencies, records.agents, secret_replay, changes)
    recorder = build_recorder(dependencies, world, records.transcripts, register, (hooks.planner,))
    workshop = build_agents(dependencies, world, recorder, records.agents, money, hooks)
    erasing = build_erasing(dependencies, register, workshop.secrets, revocations, money)
    expiring = Expiring(register, AgentSuspension(workshop.activation), erasing)
    chat = build_chat(
        dependencies.model_connection
        or money.model_connection(dependencies.chat_model, dependencies.chat_test_seconds),
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
            Backfill(documents).run(),
            hooks.sending.run(),
            *money.work(world, dependencies.settings),
        ]
        work += [entrance.moves.run(), expiring.run()] if entrance.moves else []
        async with background.going_on(*work), chat.open(is_alone=dependencies.is_alone):
            yield
        await money.gateway.close()

    app = describe_app(lifespan)
    webhooks = build_webhooks(hooks, records.agents, entrance.access, workshop.commands)
    account = Account(money.spending.of, clock, can_sign_in=entrance.sign_in is not None)
    services = Services(
        account,
        background,
        chat,
        CloudCalls(world, build_cloud_tokens(dependencies.settings), workshop.commands.triggers),
        counted,
        revocations,
        entrance,
        entrance.access,
        entrance.leases,
        erasing,
        expiring,
        money,
        money.own_keys,
        money.usage,
        recorder,
        RunLogs(records.transcripts, world, dependencies.logs),
        *records.services,
        *workshop.services,
        *webhooks.services,
    )
    add_services(app, services, ROUTERS)
    ingest = Ingest(records.transcripts, records.files, recorder, log, clock)
    add_ingest(app, ingest, Keyring(dependencies.keys_dir), build_pod_tokens(dependencies, world))
    add_pages(app)  # last: what nothing else serves is a page
    app.add_middleware(BodyLimit, most=MOST_BYTES)
    admit(app, dependencies, entrance)
    counted.watch(lambda: records.streams.clients, recorder.lag.seconds)
    app.add_middleware(FailureMiddleware)
    app.add_middleware(LanguageMiddleware)
    app.add_middleware(Counting, counted=counted)
    return app


def admit(app: FastAPI, dependencies: Dependencies, entrance: Entrance) -> None:
    """Its doors: what stands before every endpoint, for one person or for many."""
    settings = dependencies.settings
    if settings is None:
        add_entrance(app, entrance, dependencies.hosts)
    else:
        hosts = dependencies.hosts | frozenset(settings.hosts)
        add_entrance(app, entrance, hosts, settings.public_url, settings.trusted_proxies)
