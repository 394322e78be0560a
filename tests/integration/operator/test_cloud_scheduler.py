"""Jobs of Cloud Scheduler over Google's own gRPC API, and what its calls start."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from google.cloud.scheduler_v1 import types
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_api.executions.trace_spans import TriggerSpans
from heliostat_api.people.keysets import JsonMap, KeySet
from heliostat_api.schedules.cloud_calls import CloudCalls, cloud_headers_of
from heliostat_api.schedules.cloud_tokens import CloudTokens
from heliostat_core.agents import Agent
from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Execution
from heliostat_core.names import CLOUD_FINALIZER
from heliostat_core.schedules.cloud_jobs import CloudCall
from heliostat_core.traces import SpanContext
from heliostat_core.worlds import AGENT, EVENT, EXECUTION, Ref
from heliostat_google.identity import Identity
from heliostat_google.scheduler import CloudScheduler
from heliostat_google.timer_jobs import TimerJobError
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.observability.run_spans import asked_by
from heliostat_operator.schedules.cloud_timers import LET_GO, CloudTimers
from heliostat_operator.schedules.reconcile import RECORD_SECONDS, ScheduleReconciler
from heliostat_operator.schedules.triggers import Setup, TriggerReconciler
from heliostat_operator.settings import OperatorSettings
from heliostat_telemetry.lines import subject_of_lines
from heliostat_telemetry.spans import Span
from support.builders.resources import make_agent
from support.google.accounts import ServiceAccount
from support.google.scheduler import (
    CloudRequest,
    FakeCloudScheduler,
    build_request,
    google_keys,
)
from support.google.unbound import Unbound
from support.memory_world import MemoryWorld

OPERATOR = "operator@acme.iam.gserviceaccount.com"
CALLER = "caller@acme.iam.gserviceaccount.com"
API = "https://agents.example"
LOCATION = "projects/acme/locations/asia-northeast3"
KEY = ("default", "sales")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def configured(**fields: str) -> OperatorSettings:
    given = {
        "cloud_scheduler_location": LOCATION,
        "cloud_scheduler_target": API,
        "cloud_scheduler_account": CALLER,
        **fields,
    }
    return OperatorSettings.model_validate(given)


async def keys(_: str) -> JsonMap:
    return google_keys()


@dataclass
class Told:
    """Spans that were told."""

    spans: list[Span] = field(default_factory=list)

    def tell(self, span: Span) -> SpanContext:
        self.spans.append(span)
        assert span.own is not None
        return span.own

    async def close(self) -> None:
        """Nothing is kept back."""


@dataclass
class Place:
    """One Agent, the operator's hand on Google, and the api that Google calls."""

    google: FakeCloudScheduler
    client: CloudScheduler | None
    world: MemoryWorld = field(default_factory=MemoryWorld)
    now: datetime = NOW
    setup: Setup | None = None
    spans: Told = field(default_factory=Told)
    calls: CloudCalls = field(init=False)

    def __post_init__(self) -> None:
        tokens = CloudTokens(API, CALLER, KeySet("https://keys.example", monotonic, keys))
        self.calls = CloudCalls(self.world, tokens, TriggerSpans(lambda: self.now, self.spans))
        timers = CloudTimers(self.world, self.client, configured(), lambda: self.now)
        self._triggers = TriggerReconciler(self.world, {"CloudScheduler": timers}, lambda: self.now)

    def agent(self, **schedule: object) -> None:
        """The Agent is written by a person; the operator's finalizer stays."""
        found = self.world.objects.get(Ref(AGENT, *KEY))
        timing = {"cron": "* * * * *", "trigger": "CloudScheduler", **schedule}
        made: dict[str, JsonValue] = json.loads(json.dumps(make_agent(schedule=timing).to_json()))
        if found is None:
            made.pop("status", None)
            self.world.put(made)
        else:
            self.world.put({**found, "spec": made["spec"]})

    def delete_agent(self) -> None:
        found = self.world.objects[Ref(AGENT, *KEY)]
        meta = json.loads(json.dumps(found["metadata"]))
        self.world.put({**found, "metadata": {**meta, "deletionTimestamp": self.now.isoformat()}})

    def finalizers(self) -> tuple[str, ...]:
        return Agent.model_validate(self.world.objects[Ref(AGENT, *KEY)]).metadata.finalizers

    @property
    def is_gone(self) -> bool:
        return Ref(AGENT, *KEY) not in self.world.objects

    async def keep(self) -> Setup | None:
        await self._triggers.reconcile(KEY)
        return self._triggers.setup_of(KEY)

    @property
    def jobs(self) -> list[types.Job]:
        return list(self.google.jobs.values())

    async def deliver(self, request: CloudRequest) -> str | None:
        """As the api takes it: the token, the headers, the body."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        await self.calls.check(headers["authorization"].removeprefix("Bearer "))
        said = cloud_headers_of(
            headers["x-cloudscheduler-jobname"], headers["x-cloudscheduler-scheduletime"]
        )
        body = CloudCall.model_validate_json(request.body)
        return (await self.calls.take(body, said, "c-1")).execution

    async def look(self) -> None:
        """An operator that has just started decides what is due."""
        agents, runs = KnownAgents(), ScheduledRuns()
        async for found in self.world.list(EXECUTION):
            runs.see(Execution.model_validate(found))
        reconciler = ScheduleReconciler(
            self.world, agents, runs, lambda: self.now, triggers=self._triggers.kinds
        )
        again = await reconciler.reconcile(KEY)
        while again is not None and again.seconds in (0, RECORD_SECONDS):
            again = await reconciler.reconcile(KEY)

    def executions(self) -> list[Execution]:
        found = (each for ref, each in self.world.objects.items() if ref.kind == EXECUTION)
        return [Execution.model_validate(each) for each in found]


@pytest.fixture(scope="module")
def google() -> Iterator[FakeCloudScheduler]:
    with FakeCloudScheduler({OPERATOR}) as fake:
        fake.know(ServiceAccount(OPERATOR))
        fake.know(ServiceAccount("stranger@acme.iam.gserviceaccount.com"))
        yield fake


@asynccontextmanager
async def opened(google: FakeCloudScheduler, caller: str = OPERATOR) -> AsyncIterator[Place]:
    google.jobs.clear()
    google.calls.clear()
    google.is_away = False
    identity = Identity(ServiceAccount(caller).credentials(), google.trust())
    client = CloudScheduler(google.endpoint, identity)
    try:
        yield Place(google, client)
    finally:
        await client.close()


async def test_a_job_is_made_as_the_schedule_says_and_follows_it(
    google: FakeCloudScheduler,
) -> None:
    async with opened(google) as place:
        place.agent(cron="30 8 L * *", timeZone="Asia/Seoul")
        setup = await place.keep()
        assert setup is not None
        assert setup.status == "True"
        [job] = place.jobs
        assert (job.schedule, job.time_zone) == ("30 8 28-31 * *", "Asia/Seoul")
        assert job.http_target.uri == f"{API}/api/triggers/cloud-scheduler"
        token = job.http_target.oidc_token
        assert (token.service_account_email, token.audience) == (CALLER, API)
        assert CLOUD_FINALIZER in place.finalizers()

        google.calls.clear()
        await place.keep()
        assert [method for method, _ in google.calls] == ["GetJob"]
        place.agent(frequency="daily", cron=None, suspend=True)
        await place.keep()
        [job] = place.jobs
        assert (job.schedule, job.state) == ("0 0 * * *", types.Job.State.PAUSED)
        place.agent()
        await place.keep()
        assert place.jobs[0].state == types.Job.State.ENABLED
        place.agent(trigger="Builtin")
        assert await place.keep() is None
        assert place.jobs == []
        assert place.finalizers() == ()


async def test_a_deletion_waits_for_google_but_not_for_ever(google: FakeCloudScheduler) -> None:
    async with opened(google) as place:
        place.agent()
        await place.keep()
        place.delete_agent()
        google.is_away = True
        setup = await place.keep()
        assert setup is not None
        assert (setup.status, setup.reason) == ("False", "Unreachable")
        assert CLOUD_FINALIZER in place.finalizers()
        google.is_away = False
        await place.keep()
        assert place.jobs == []
        assert place.is_gone


async def test_after_ten_minutes_the_job_is_left_behind_and_somebody_is_told(
    google: FakeCloudScheduler,
) -> None:
    async with opened(google) as place:
        place.agent()
        await place.keep()
        place.delete_agent()
        google.is_away = True
        place.now += LET_GO + MINUTE
        assert await place.keep() is None
        assert place.is_gone
        [event] = [each async for each in place.world.list(EVENT)]
        assert event["reason"] == "CloudSchedulerJobLeft"


async def test_what_is_not_configured_or_not_allowed_says_so(google: FakeCloudScheduler) -> None:
    async with opened(google, "stranger@acme.iam.gserviceaccount.com") as place:
        place.agent()
        setup = await place.keep()
        assert setup is not None
        assert (setup.status, setup.reason) == ("False", "Refused")
        assert "roles/cloudscheduler.admin" in setup.message
    place = Place(google, None)
    place.agent()
    setup = await place.keep()
    assert setup is not None
    assert (setup.status, setup.reason) == ("False", "NotConfigured")


@pytest.mark.parametrize(("is_answered", "word"), [(True, "Identity."), (False, "asked again.")])
async def test_a_pod_to_which_google_gives_no_token_is_told_so(
    google: FakeCloudScheduler, is_answered: bool, word: str
) -> None:
    identity = Identity(Unbound(is_answered=is_answered), google.trust())
    timers = CloudScheduler(google.endpoint, identity)
    with pytest.raises(TimerJobError, match=word) as told:
        await timers.remove(f"{LOCATION}/jobs/sales")
    await timers.close()
    assert told.value.may_pass is not is_answered


async def test_a_call_is_the_first_span_of_the_runs_trace(google: FakeCloudScheduler) -> None:
    async with opened(google) as place:
        place.agent()
        await place.keep()
        [job] = place.jobs
        for _ in range(2):  # the second one makes none
            await place.deliver(build_request(job, NOW + MINUTE))
        await place.deliver(build_request(job, NOW + MINUTE + timedelta(seconds=5)))
        [offered, by_hand] = place.executions()
        assert {offered.correlation_id, by_hand.correlation_id} == {"c-1"}
        asked = [asked_by(each) for each in (offered, by_hand)]
        assert [each.own for each in place.spans.spans] == asked
        assert {each.name for each in place.spans.spans} == {"ask for a run of sales"}
        assert None not in asked
        assert subject_of_lines()["correlationId"] == "c-1"


async def test_run_now_in_the_console_is_a_run_of_its_own(google: FakeCloudScheduler) -> None:
    async with opened(google) as place:
        place.agent()
        await place.keep()
        pressed = build_request(place.jobs[0], NOW + timedelta(seconds=7, microseconds=123456))
        first, again = await place.deliver(pressed), await place.deliver(pressed)
        assert first == again
        [execution] = place.executions()
        assert (execution.spec.trigger.kind, execution.is_offer) == ("Manual", False)


steps = st.lists(
    st.tuples(
        st.sampled_from(("minute", "minute", "deliver", "deliver", "look", "finish", "suspend")),
        st.integers(0, 100),  # which of the calls that are on their way
        st.booleans(),  # whether it is repeated later
    ),
    min_size=6,
    max_size=24,
)


@settings(max_examples=10, deadline=None)
@given(steps=steps, overlap=st.sampled_from(("Skip", "QueueOne", "Allow")))
def test_each_time_has_one_execution_whatever_google_does(
    google: FakeCloudScheduler, steps: list[tuple[str, int, bool]], overlap: str
) -> None:
    asyncio.run(play(google, steps, overlap))


async def play(
    google: FakeCloudScheduler, steps: list[tuple[str, int, bool]], overlap: str
) -> None:
    async with opened(google) as place:
        place.agent(overlap=overlap, catchUp="All")
        await place.keep()
        await place.look()
        on_its_way: list[CloudRequest] = []
        suspend = False
        for step, number, is_repeated in steps:
            match step:
                case "minute":
                    on_its_way += google.fired(place.now, place.now + MINUTE)
                    place.now += MINUTE
                case "deliver" if on_its_way:
                    call = on_its_way.pop(number % len(on_its_way))
                    on_its_way += [call] if is_repeated else []
                    await place.deliver(call)
                case "look":
                    await place.look()
                case "finish":
                    finish_one(place)
                case "suspend":
                    suspend = not suspend
                    place.agent(overlap=overlap, catchUp="All", suspend=suspend)
                    await place.keep()
        for call in on_its_way * 2:
            await place.deliver(call)
        place.now += MINUTE
        await place.look()
        check(place)


def finish_one(place: Place) -> None:
    """A run that may go ends; what it left in the history is cleaned away."""
    running = [each for each in place.executions() if not each.is_offer]
    if running:
        place.world.remove(Ref(EXECUTION, "default", running[0].metadata.name))


def check(place: Place) -> None:
    """Each time has one receipt; what may run is named there, everything else is stopped."""
    state = Agent.model_validate(place.world.objects[Ref(AGENT, *KEY)]).status.schedule
    assert state is not None
    ran = Counter(each.scheduled_time for each in state.recent if each.execution_name)
    assert set(ran.values()) <= {1}
    for each in place.executions():
        time = each.spec.trigger.scheduled_time
        assert time is not None
        if is_true(each.status.conditions, ExecutionCondition.DUE) or not each.is_offer:
            assert time in ran
        elif time != state.queued_time:
            assert each.status.cancellation is not None
            assert each.status.cancellation.reason == "Skipped"
