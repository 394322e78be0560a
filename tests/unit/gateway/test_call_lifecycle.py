"""One call from admission to settlement: what it notes, what it books, and what is told of it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.lifecycle import CallDependencies, CallLifecycle, OpenCalls
from heliostat_gateway.calls.provider_attempt import ProviderAttempt
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.telemetry import Report, Telemetry
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.money.bookings import Booking
from heliostat_gateway.money.costs import DEFAULT_OUTPUT_TOKENS, OutputHistory
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.routes.table import Timeouts
from heliostat_gateway.storage import Storage
from heliostat_json.objects import JsonObject
from support.played_providers import Behaviour, PlayedProvider

RATES = FlatRates({"input": Decimal(3), "output": Decimal(15)})
AGENT, MODEL, OUTPUT = "default/a", "m", 40
REQUEST_BYTES = 400
ANSWER = json.dumps(
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": OUTPUT},
    }
).encode()


class RecordingTelemetry(Telemetry):
    """Keeps the reports."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Report] = []

    def tell(self, report: Report) -> None:
        self.reports.append(report)


class SlowLedger(SqliteLedger):
    """Settles when `goes_on` is set, and keeps what it settled."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.settled: list[list[Booking]] = []
        self.is_asked, self.goes_on, self.is_done = (asyncio.Event() for _ in range(3))
        self.goes_on.set()

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:  # noqa: ARG002
        self.is_asked.set()
        await self.goes_on.wait()
        self.settled.append(bookings)
        self.is_done.set()


@dataclass
class Desk:
    """Where calls are booked, and one call of a key."""

    ledger: SlowLedger
    history: OutputHistory = field(default_factory=OutputHistory)
    metrics: Metrics = field(default_factory=Metrics)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    calls: OpenCalls = field(default_factory=OpenCalls)

    def __post_init__(self) -> None:
        self.dependencies = CallDependencies(
            self.ledger, self.calls, self.metrics, self.history, self.telemetry
        )

    def call(self, *, reserved: bool = True, stream: bool = False) -> CallLifecycle:
        caller = Caller("k", KeyKind.EXECUTION, "uid", agent=AGENT, execution="uid")
        document: JsonObject = {"stream": True} if stream else {}
        request = ModelRequest(Dialect.MESSAGES, "/v1/messages", "", [], b"", document, caller)
        plan = Plan("m", (candidate(),))
        call = CallLifecycle(self.dependencies, request, plan, {"x-heliostat-request-id": "req_1"})
        if reserved:
            call.reserved(0)
        return call


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    storage = Storage(tmp_path)
    yield Desk(SlowLedger(storage))
    storage.close()


def candidate() -> Candidate:
    provider = PlayedProvider("p", Dialect.MESSAGES, "x", Behaviour())
    return Candidate(provider, NO_CREDENTIAL, MODEL, RATES, Timeouts())


def begin(call: CallLifecycle) -> ProviderAttempt:
    return call.begin(candidate(), REQUEST_BYTES)


async def test_what_has_changed_is_noted_once(desk: Desk) -> None:
    call = desk.call()
    first = begin(call)
    assert [each.part for each in call.changed_bookings()] == [1]
    assert call.changed_bookings() == []
    first.meter.read_message(ANSWER)
    (noted,) = call.changed_bookings()
    assert (noted.part, noted.usage.output) == (1, OUTPUT)
    begin(call)
    assert [each.part for each in call.changed_bookings()] == [2]


async def test_a_free_attempt_is_neither_noted_nor_booked_beside_one_that_costs(desk: Desk) -> None:
    call = desk.call()
    await begin(call).end("provider_refused", free=True)
    assert call.changed_bookings() == []
    begin(call).meter.read_message(ANSWER)
    assert [(each.part, each.usage.output) for each in call.changed_bookings()] == [(1, OUTPUT)]
    await call.settle("answered")
    ((booked,),) = desk.ledger.settled
    assert (booked.part, booked.usage.output, booked.cost_nanos) == (1, OUTPUT, 630_000)


async def test_an_attempt_that_still_runs_is_ended_and_paid_for(desk: Desk) -> None:
    call = desk.call()
    attempt = begin(call)
    await call.settle("client_gone")
    ((booked,),) = desk.ledger.settled
    assert (attempt.is_over, booked.outcome, booked.estimated) == (True, "client_gone", True)
    assert booked.cost_nanos == REQUEST_BYTES // 4 * 3000


async def test_a_settlement_goes_on_when_its_caller_is_cancelled(desk: Desk) -> None:
    call = desk.call()
    begin(call)
    desk.ledger.goes_on.clear()
    settling = asyncio.create_task(call.settle("answered"))
    await desk.ledger.is_asked.wait()
    settling.cancel()
    await asyncio.wait([settling])
    assert settling.cancelled()
    desk.ledger.goes_on.set()
    async with asyncio.timeout(20):
        await desk.ledger.is_done.wait()


async def test_a_call_is_settled_once_and_noted_no_more(desk: Desk) -> None:
    call = desk.call()
    begin(call)
    assert desk.dependencies.lifecycles == {call}
    await call.settle("answered")
    assert not desk.dependencies.lifecycles
    await call.settle("shutdown")
    assert [[each.outcome for each in parts] for parts in desk.ledger.settled] == [["answered"]]


async def test_what_was_never_reserved_is_not_booked_and_its_first_outcome_stays(
    desk: Desk,
) -> None:
    refused, ended = desk.call(reserved=False), desk.call(reserved=False)
    refused.refused("billing_error")
    for call in (refused, ended):
        await call.settle("client_gone")
        call.close()
    assert desk.ledger.settled == []
    assert [each.outcome for each in desk.telemetry.reports] == ["refused", "client_gone"]


async def test_a_settlement_waits_for_a_reservation_that_is_under_way(desk: Desk) -> None:
    call = desk.call(reserved=False)
    goes_on = asyncio.Event()

    async def reserve() -> None:
        await goes_on.wait()
        call.reserved(5)

    call.opening = asyncio.create_task(reserve())
    settling = asyncio.create_task(call.settle("client_gone"))
    await asyncio.sleep(0)
    goes_on.set()
    await settling
    assert [[each.outcome for each in parts] for parts in desk.ledger.settled] == [["client_gone"]]


async def test_a_reservation_that_fails_while_its_call_ends_is_booked_as_nothing(
    desk: Desk,
) -> None:
    call = desk.call(reserved=False)

    async def refuse() -> None:
        raise ValueError

    call.opening = asyncio.create_task(refuse())
    await call.settle("client_gone")
    assert desk.ledger.settled == []


@pytest.mark.parametrize(
    ("is_whole", "free", "learned"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
async def test_only_whole_answers_that_were_paid_for_teach_what_an_agent_gets(
    desk: Desk, is_whole: bool, free: bool, learned: bool
) -> None:
    call = desk.call()
    attempt = begin(call)
    if is_whole:
        attempt.meter.read_message(ANSWER)
    await attempt.end("answered", free=free)
    await call.settle("answered")
    known = desk.history.expected(AGENT, MODEL, None)
    assert known == (2 * OUTPUT if learned else DEFAULT_OUTPUT_TOKENS)


@pytest.mark.parametrize(("stream", "kind"), [(False, "whole"), (True, "stream")])
async def test_a_closed_call_is_measured_and_reported(desk: Desk, stream: bool, kind: str) -> None:
    call = desk.call(stream=stream)
    begin(call)
    assert (desk.metrics.open_calls, len(desk.calls)) == (1, 1)
    await call.settle("answered")
    call.waited(1000)  # no time of ours
    call.close()
    assert (desk.metrics.open_calls, len(desk.calls), call.call.closed.is_set()) == (0, 0, True)
    (report,) = desk.telemetry.reports
    assert (report.id, report.outcome, report.overhead_ms) == ("req_1", "answered", 0)
    shown = desk.metrics.text().decode()
    assert f'request_seconds_count{{dialect="messages",kind="{kind}"}} 1.0' in shown
    assert 'overhead_seconds_sum{dialect="messages"} 0.0' in shown


async def test_the_overhead_is_counted_in_seconds(desk: Desk) -> None:
    call = desk.call()
    await call.settle("answered")
    call.close()
    (report,) = desk.telemetry.reports
    assert report.overhead_ms > 0
    line = f'overhead_seconds_sum{{dialect="messages"}} {report.overhead_ms / 1000}'
    assert line in desk.metrics.text().decode()


async def test_a_call_that_was_not_settled_is_no_time_of_a_request(desk: Desk) -> None:
    call = desk.call()
    begin(call)
    call.close()
    assert not desk.dependencies.lifecycles
    assert (len(desk.calls), len(desk.telemetry.reports)) == (0, 1)
    assert "request_seconds_count{" not in desk.metrics.text().decode()
