"""Whatever the candidates of a chain do: one complete answer or one failure told, each attempt
that may cost booked once, and never words of two providers in one answer."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.breakers import (
    CLOSED,
    Admission,
    BreakerPolicy,
    Limited,
    LocalBreakers,
    Result,
)
from heliostat_gateway.calls.chain import Allowance, Chain
from heliostat_gateway.calls.lifecycle import CallDependencies, CallLifecycle
from heliostat_gateway.calls.replies import Reply, StreamReply, WholeReply
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.telemetry import Report, Telemetry
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import CHAT_OF_KIND
from heliostat_gateway.main import build_gateway
from heliostat_gateway.money.bookings import Booking, Usage
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer, ProviderCall
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.routes.plans import Candidate, Deadlines, Plan
from heliostat_gateway.routes.table import Persona, Timeouts
from heliostat_gateway.settings import Settings
from heliostat_gateway.storage import Storage
from heliostat_json.objects import JsonObject, parse_object
from support.hearing import Heard, hear
from support.played_providers import Behaviour, Ending, PlayedProvider

RATES = FlatRates(
    {
        "input": Decimal(3),
        "output": Decimal(15),
        "cache_read": Decimal("0.3"),
        "cache_write_5m": Decimal(4),
        "cache_write_1h": Decimal(6),
    }
)
QUICK = 0.01
STATUSES = [204, 302, 400, 401, 404, 413, 422, 429, 500, 529]
PATHS = {Dialect.MESSAGES: "/v1/messages", Dialect.CHAT: "/v1/chat/completions"}


class RecordingLedger(SqliteLedger):
    """Keeps what is settled."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.settled: list[list[Booking]] = []

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:  # noqa: ARG002
        self.settled.append(bookings)


@dataclass(frozen=True)
class Desk:
    """Where exchanges are booked."""

    dependencies: CallDependencies
    ledger: RecordingLedger


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    gateway = build_gateway(Settings(data_dir=tmp_path_factory.mktemp("data"), keys_dir=Path("x")))
    ledger = RecordingLedger(gateway.storage)
    yield Desk(replace(gateway.handler.dependencies, ledger=ledger), ledger)
    gateway.storage.close()


@dataclass(frozen=True)
class World:
    """A caller and the providers of its chain."""

    caller: Dialect
    stream: bool
    acts: bool  # the request may do more than cost when it is executed twice
    providers: list[PlayedProvider]


endings = st.builds(
    Behaviour,
    ending=st.sampled_from(Ending),
    pieces=st.integers(0, 9),
    chunk=st.sampled_from([7, 150, 10_000]),
)
behaviours = st.one_of(
    st.just(Behaviour(is_refused=True)),
    st.just(Behaviour(hangs_up=True)),
    st.builds(
        Behaviour, status=st.sampled_from([204, 302, 400, 401, 404, 413, 422, 429, 500, 529])
    ),
    endings,
    endings,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to four candidates."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(Dialect), behaviours), min_size=1, max_size=4))
    providers = []
    for number, (dialect, behaviour) in enumerate(chosen):
        letter = "xyzw"[number]
        provider = PlayedProvider(f"p{number}", dialect, letter, behaviour)
        # Trouble after the last word of an answer is none.
        most = max(0, provider.pieces() - 1)
        provider.behaviour = replace(behaviour, pieces=min(behaviour.pieces, most))
        providers.append(provider)
    caller = draw(st.sampled_from([Dialect.MESSAGES, Dialect.CHAT]))
    # A container can be said in the Messages dialect only.
    can_act = {caller, *(p.dialect for p in providers)} == {Dialect.MESSAGES}
    return World(caller, draw(st.booleans()), can_act and draw(st.booleans()), providers)


class Client:
    """The other end of the connection; never goes."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.starts = 0
        self.is_over = False

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        assert not self.is_over
        if message["type"] == "http.response.start":
            self.starts += 1
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.body += message["body"]
            self.is_over = not message["more_body"]


@dataclass
class Expected:
    """What must come of it, by the rules in words (docs/gateway.md, Attempts and Money)."""

    text: str
    is_complete: bool
    asked: int
    owed: list[int]  # nano-dollars of each attempt that may cost


def expect(world: World) -> Expected:
    owed: list[int] = []
    for number, provider in enumerate(world.providers, 1):
        verdict = verdict_of(provider, is_stream=world.stream)
        told = provider.told(is_stream=world.stream)
        if verdict in ("answered", "shown", "uncertain") or told:
            usage = provider.usage(is_stream=world.stream)
            owed.append(usage.input * 3000 + usage.output * 15000 + usage.cache_read * 300)
        if verdict in ("answered", "shown"):
            text = provider.letter * sum(piece.characters for piece in told)
            return Expected(text, verdict == "answered", number, owed)
        if verdict == "rejected" or (verdict == "uncertain" and world.acts):
            return Expected("", is_complete=False, asked=number, owed=owed)
    return Expected("", is_complete=False, asked=len(world.providers), owed=owed)


def verdict_of(provider: PlayedProvider, *, is_stream: bool) -> str:
    does = provider.behaviour
    if does.is_refused:
        return "refused"
    if does.hangs_up or does.status == 204:
        return "uncertain"
    if does.status != 200:
        return "rejected" if does.status in (400, 413, 422) else "refused"
    if does.ending is Ending.WELL:
        return "answered"
    before_output = 1 if provider.dialect is not Dialect.GEMINI else 0  # pieces that show nothing
    if is_stream and does.pieces > before_output:
        return "shown"
    if does.ending is Ending.OVERLOADED:
        return "refused"
    return "rejected" if does.ending is Ending.INVALID else "uncertain"


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_one_complete_answer_or_one_failure_and_each_cost_once(desk: Desk, world: World) -> None:
    client, booked = asyncio.run(run(desk, world))
    expected = expect(world)
    heard = hear(world.caller, client.status, client.body, stream=world.stream)
    assert (client.starts, client.is_over) == (1, True)
    assert (heard.text, heard.is_complete) == (expected.text, expected.is_complete)
    assert bool(heard.error) is not heard.is_complete
    strangers = [p for p in world.providers if p.letter not in expected.text]
    assert not any(p.letter * 3 in client.body.decode() for p in strangers)
    asked = [provider.asked for provider in world.providers]
    assert asked == [1] * expected.asked + [0] * (len(asked) - expected.asked)
    assert [each.part for each in booked] == list(range(1, max(1, len(expected.owed)) + 1))
    assert [each.cost_nanos for each in booked] == (expected.owed or [0])
    if not world.stream or not expected.text:
        assert client.headers["x-heliostat-attempts"] == str(expected.asked)


async def run(
    desk: Desk, world: World, candidates: list[Candidate] | None = None
) -> tuple[Client, list[Booking]]:
    """One request through a chain; what the client got and what was booked, which is once."""
    desk.ledger.settled.clear()
    client = Client()
    reply = reply_of(desk, world, candidates=candidates)
    async with asyncio.timeout(20):
        await reply({"type": "http"}, client.receive, client.send)
    (booked,) = desk.ledger.settled
    assert not desk.dependencies.lifecycles
    return client, booked


def reply_of(
    desk: Desk,
    world: World,
    breakers: LocalBreakers | None = None,
    candidates: list[Candidate] | None = None,
    *,
    allowance: Allowance = Allowance(),  # noqa: B008  frozen
    persona: Persona | None = None,
) -> Reply:
    document: dict[str, object] = {
        "model": "m",
        "stream": world.stream,
        "messages": [{"role": "user", "content": "hi"}],
    }
    if world.caller is Dialect.MESSAGES:
        document["max_tokens"] = 100
    if world.acts:
        document["container"] = "c"
    body = json.dumps(document).encode()
    parsed = parse_object(body)
    assert parsed is not None
    caller = Caller("k", KeyKind.EXECUTION, "uid", agent="default/a", execution="uid")
    request = ModelRequest(world.caller, PATHS[world.caller], "", [], body, parsed, caller)
    plan = Plan("m", tuple(candidates or map(candidate, world.providers)), persona=persona)
    lifecycle = CallLifecycle(desk.dependencies, request, plan, {"x-heliostat-request-id": "req_1"})
    lifecycle.reserved(0)
    never = LocalBreakers(BreakerPolicy(minimum=10**6))
    chain = Chain(lifecycle, breakers or never, allowance)
    return StreamReply(lifecycle, chain, 1000) if world.stream else WholeReply(lifecycle, chain)


def candidate(provider: PlayedProvider) -> Candidate:
    stalls = provider.behaviour.ending is Ending.STALL
    timeouts = Timeouts(QUICK, QUICK, QUICK) if stalls else Timeouts()
    return Candidate(provider, NO_CREDENTIAL, "m", RATES, timeouts)


class FailingProvider(PlayedProvider):
    """Has a mistake of ours in it, before or after some output."""

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        answer = await super().send(call)
        if not self.behaviour.pieces:
            raise RuntimeError("a secret in the words of a mistake")

        async def broken() -> AsyncGenerator[bytes, None]:
            async for chunk in answer.chunks:
                yield chunk
            raise RuntimeError("a secret in the words of a mistake")

        return replace(answer, chunks=broken())


@pytest.mark.parametrize("caller", list(PATHS))
@pytest.mark.parametrize(("stream", "pieces"), [(False, 0), (True, 0), (True, 4)])
async def test_a_mistake_of_ours_is_told_without_its_words_and_booked(
    desk: Desk, caller: Dialect, stream: bool, pieces: int
) -> None:
    behaviour = Behaviour(ending=Ending.CLEAN, pieces=pieces)
    world = World(caller, stream, False, [FailingProvider("p", caller, "x", behaviour)])
    desk.ledger.settled.clear()
    client = Client()
    with pytest.raises(RuntimeError):  # for the log
        await reply_of(desk, world)({"type": "http"}, client.receive, client.send)
    heard = hear(caller, client.status, client.body, stream=stream)
    assert (client.status, client.is_over) == (200 if pieces else 500, True)
    assert (heard.is_complete, bool(heard.text)) == (False, bool(pieces))
    assert b"The gateway failed." in client.body
    assert b"secret" not in client.body
    ((booked,),) = desk.ledger.settled
    assert (booked.outcome, booked.estimated) == ("gateway_failed", True)


async def test_an_answer_that_is_complete_does_not_wait_for_its_connection(desk: Desk) -> None:
    """A provider that keeps the stream open, or cuts it, after the last word has answered."""
    for ending in (Ending.STALL, Ending.CUT):
        for dialect in Dialect:
            provider = PlayedProvider("p", dialect, "x", Behaviour(ending=ending))
            provider.behaviour = replace(provider.behaviour, pieces=provider.pieces())
            world = World(Dialect.MESSAGES, True, False, [provider])
            client, (booked,) = await run(desk, world)
            heard = hear(Dialect.MESSAGES, client.status, client.body, stream=True)
            assert heard == Heard(provider.text)
            assert (booked.outcome, booked.estimated) == ("answered", False)


async def test_a_candidate_that_rests_is_not_hidden_by_one_that_can_not_say_it(desk: Desk) -> None:
    resting = PlayedProvider("p0", Dialect.MESSAGES, "x", Behaviour())
    unable = PlayedProvider("p1", Dialect.CHAT, "y", Behaviour())
    world = World(Dialect.MESSAGES, False, True, [resting, unable])  # with a container
    breakers = LocalBreakers()
    until = time.time() + 60
    await breakers.record("p0/m/no-key", Limited(until, 529), CLOSED)
    client = Client()
    await reply_of(desk, world, breakers)({"type": "http"}, client.receive, client.send)
    assert (client.status, client.headers["x-heliostat-decision"]) == (
        529,
        "p0 rests; p1 can not say it",
    )
    assert 50 < int(client.headers["retry-after"]) <= 61


def unsent(outcome: str) -> Booking:
    """What is booked of a request that no provider was asked for."""
    return Booking("req_1", 1, "", "m", "", Usage(), 0, False, False, outcome)


@pytest.mark.parametrize("caller", list(PATHS))
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (429, 429, "rate_limit_error"),
        (529, 529, "overloaded_error"),
        (503, 503, "overloaded_error"),
        (0, 503, "overloaded_error"),  # opened by failures
    ],
)
async def test_a_request_that_open_breakers_refuse_has_the_words_of_the_limit_and_is_no_call(
    desk: Desk, caller: Dialect, stream: bool, status: int, told: int, kind: str
) -> None:
    providers = [PlayedProvider(f"p{n}", Dialect.MESSAGES, "x", Behaviour()) for n in range(2)]
    breakers = LocalBreakers()
    for number, seconds in enumerate((60, 90)):
        limited = Limited(time.time() + seconds, status)
        await breakers.record(f"p{number}/m/no-key", limited, CLOSED)
    world = World(caller, stream, False, providers)
    desk.ledger.settled.clear()
    client = Client()
    await reply_of(desk, world, breakers)({"type": "http"}, client.receive, client.send)
    heard = hear(caller, client.status, client.body, stream=stream)
    assert client.status == told
    assert heard.error == (kind if caller is Dialect.MESSAGES else CHAT_OF_KIND[kind][0])
    assert 58 <= int(client.headers["retry-after"]) <= 62
    assert client.headers["x-heliostat-attempts"] == "0"
    assert desk.ledger.settled == [[unsent("circuit_open")]]
    assert [provider.asked for provider in providers] == [0, 0]


async def test_a_request_that_no_dialect_can_say_is_no_call(desk: Desk) -> None:
    unable = PlayedProvider("p", Dialect.CHAT, "y", Behaviour())
    client, booked = await run(desk, World(Dialect.MESSAGES, False, True, [unable]))
    assert (client.status, booked) == (400, [unsent("untranslatable")])


@pytest.mark.parametrize("stream", [False, True])
async def test_an_overload_that_is_over_soon_is_waited_for(desk: Desk, stream: bool) -> None:
    """One is the probe; the others ask again, and none is refused."""
    provider = PlayedProvider("p", Dialect.MESSAGES, "x", Behaviour())
    world = World(Dialect.MESSAGES, stream, False, [provider])
    breakers = LocalBreakers(BreakerPolicy(ask_again=0.05))
    await breakers.record("p/m/no-key", Limited(time.time() + 0.3, 429), CLOSED)
    clients = [Client() for _ in range(5)]
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(
                reply_of(desk, world, breakers)({"type": "http"}, each.receive, each.send)
                for each in clients
            )
        )
    assert [each.status for each in clients] == [200] * 5
    decisions = [each.headers["x-heliostat-decision"] for each in clients]
    assert all(each.startswith("p rests; waited ") for each in decisions)
    assert all(float(each.headers["x-heliostat-overhead-ms"]) < 250 for each in clients)


@pytest.mark.parametrize(("stream", "pieces"), [(False, 0), (True, 0), (True, 4)])
async def test_an_answer_that_is_too_slow_is_an_outcome_of_its_own(
    desk: Desk, stream: bool, pieces: int
) -> None:
    slow = PlayedProvider("p", Dialect.MESSAGES, "x", Behaviour(ending=Ending.STALL, pieces=pieces))
    client, (booked,) = await run(desk, World(Dialect.MESSAGES, stream, False, [slow]))
    assert client.status == (200 if pieces else 504)
    assert (booked.outcome, booked.estimated) == ("provider_timeout", True)


async def test_silence_ends_an_attempt_only_where_somebody_else_can_be_asked(desk: Desk) -> None:
    """The first is given up for the second; the second, alone, is waited for."""
    ways = [
        PlayedProvider(f"p{n}", Dialect.MESSAGES, letter, Behaviour())
        for n, letter in enumerate("xy")
    ]
    seen: list[Deadlines] = []

    class Watching(Candidate):
        def deadlines(self, *, reasons: bool, is_last: bool) -> Deadlines:
            seen.append(super().deadlines(reasons=reasons, is_last=is_last))
            return seen[-1]

    ways[0].behaviour = Behaviour(status=529)
    candidates: list[Candidate] = [
        Watching(way, NO_CREDENTIAL, "m", RATES, Timeouts()) for way in ways
    ]
    await run(desk, World(Dialect.MESSAGES, True, False, ways), candidates)
    assert [each.first_token for each in seen] == [120, 1800]


async def test_the_outcome_of_a_refused_request_is_that_of_its_last_attempt(desk: Desk) -> None:
    refused = PlayedProvider("p", Dialect.MESSAGES, "x", Behaviour(status=529))
    world = World(Dialect.MESSAGES, False, False, [refused])
    reports: list[Report] = []

    class Telling(Telemetry):
        def tell(self, report: Report) -> None:
            reports.append(report)

    told = replace(desk.dependencies, telemetry=Telling())
    await run(replace(desk, dependencies=told), world)
    assert [each.outcome for each in reports] == ["provider_refused"]


ANSWERS = Behaviour()
HANGS_UP = Behaviour(hangs_up=True)  # it may have been paid for
REFUSES = Behaviour(status=529)  # free
CUT_WHILE_SHOWN = Behaviour(ending=Ending.CUT, pieces=4)


def in_turn(
    *behaviours: Behaviour, dialect: Dialect = Dialect.MESSAGES, stream: bool = False
) -> World:
    """Providers of one dialect, asked by a caller of Messages."""
    providers = [
        PlayedProvider(f"p{number}", dialect, "xyz"[number], behaviour)
        for number, behaviour in enumerate(behaviours)
    ]
    return World(Dialect.MESSAGES, stream, False, providers)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("behaviours", "tokens", "asked"),
    [
        ([HANGS_UP, ANSWERS], 100, [1, 0]),
        ([REFUSES, ANSWERS], 100, [1, 1]),
        ([REFUSES, HANGS_UP, ANSWERS], 100, [1, 1, 0]),
        ([REFUSES, HANGS_UP, ANSWERS], None, [1, 1, 1]),
    ],
)
async def test_a_strict_key_pays_for_one_attempt_alone(
    desk: Desk, behaviours: list[Behaviour], tokens: int | None, asked: list[int], stream: bool
) -> None:
    world = in_turn(*behaviours, stream=stream)
    reply = reply_of(desk, world, allowance=Allowance(tokens))
    await reply({"type": "http"}, Client().receive, Client().send)
    assert [provider.asked for provider in world.providers] == asked


ACTS: JsonObject = {"container": "c"}


@pytest.mark.parametrize(
    ("defaults", "acts", "asked"),
    [
        ({}, False, [1, 1]),
        ({}, True, [1, 0]),
        (ACTS, False, [1, 0]),
        ({"container": ""}, True, [1, 0]),  # the request's own word counts
    ],
)
async def test_what_a_persona_adds_can_forbid_a_second_try(
    desk: Desk, defaults: JsonObject, acts: bool, asked: list[int]
) -> None:
    world = replace(in_turn(HANGS_UP, ANSWERS), acts=acts)
    persona = Persona("persona", "Be kind.", defaults)
    reply = reply_of(desk, world, persona=persona)
    await reply({"type": "http"}, Client().receive, Client().send)
    assert [provider.asked for provider in world.providers] == asked


@pytest.mark.parametrize(
    ("behaviour", "free"),
    [
        (Behaviour(ending=Ending.OVERLOADED, pieces=1), False),  # it had begun to count
        (Behaviour(ending=Ending.OVERLOADED), True),
        (REFUSES, True),
        (HANGS_UP, False),
    ],
)
async def test_a_failed_attempt_is_free_unless_the_provider_began(
    desk: Desk, behaviour: Behaviour, free: bool
) -> None:
    world = in_turn(behaviour, ANSWERS, stream=True)
    _, booked = await run(desk, world)
    assert [each.provider for each in booked] == (["p1"] if free else ["p0", "p1"])
    assert all(each.cost_nanos for each in booked)


class CompressingProvider(PlayedProvider):
    """Compresses although nobody asked for it."""

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        answer = await super().send(call)
        return replace(answer, headers=[*answer.headers, ("content-encoding", "gzip")])


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_in_which_no_usage_can_be_read_is_not_passed_on(
    desk: Desk, stream: bool
) -> None:
    world = in_turn(ANSWERS, ANSWERS, stream=stream)
    world.providers[0] = CompressingProvider("p0", Dialect.MESSAGES, "x", ANSWERS)
    client, booked = await run(desk, world)
    heard = hear(Dialect.MESSAGES, client.status, client.body, stream=stream)
    assert heard == Heard(world.providers[1].text)
    assert [(each.provider, each.outcome, each.estimated) for each in booked] == [
        ("p0", "provider_cut", True),
        ("p1", "answered", False),
    ]


class RecordingBreakers(LocalBreakers):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(BreakerPolicy(minimum=10**6))
        self.told: list[Result | Limited] = []

    async def record(self, key: str, result: Result | Limited, admission: Admission) -> None:
        self.told.append(result)
        await super().record(key, result, admission)


@pytest.mark.parametrize(
    ("behaviour", "stream", "told"),
    [
        (ANSWERS, False, [Result.OK]),
        (ANSWERS, True, [Result.OK]),
        (Behaviour(status=400), False, [Result.OK]),
        (Behaviour(status=500), True, [Result.FAILED]),
        (CUT_WHILE_SHOWN, True, [Result.OK, Result.FAILED]),
    ],
)
async def test_a_breaker_hears_of_an_attempt_once_and_of_a_failure_after_output_too(
    desk: Desk, behaviour: Behaviour, stream: bool, told: list[Result]
) -> None:
    breakers, client = RecordingBreakers(), Client()
    reply = reply_of(desk, in_turn(behaviour, stream=stream), breakers)
    await reply({"type": "http"}, client.receive, client.send)
    assert breakers.told == told


@dataclass
class HangingProvider(PlayedProvider):
    """Never goes on after some pieces, and says when it has come so far."""

    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        told = self.told(is_stream=True)[: self.behaviour.pieces]

        async def hanging() -> AsyncGenerator[bytes, None]:
            for piece in told:
                yield piece.raw
            self.hangs.set()
            await asyncio.Event().wait()

        return replace(await super().send(call), chunks=hanging())


@pytest.mark.parametrize(("pieces", "told"), [(4, [Result.OK]), (0, [Result.UNKNOWN])])
async def test_a_call_that_is_ended_from_outside_says_nothing_of_its_provider(
    desk: Desk, pieces: int, told: list[Result]
) -> None:
    """Nor does it take back what the first output said."""
    breakers, client = RecordingBreakers(), Client()
    provider = HangingProvider("p", Dialect.MESSAGES, "x", Behaviour(pieces=pieces))
    reply = reply_of(desk, World(Dialect.MESSAGES, True, False, [provider]), breakers)
    async with asyncio.timeout(20):
        answering = asyncio.create_task(reply({"type": "http"}, client.receive, client.send))
        await provider.hangs.wait()
        await desk.dependencies.calls.end_key("k")
        await answering
    assert breakers.told == told


async def test_no_breaker_hears_of_a_scenario_that_fails_on_purpose(desk: Desk) -> None:
    world, breakers, client = in_turn(REFUSES), RecordingBreakers(), Client()
    world.providers[0].target_is_model = False
    await reply_of(desk, world, breakers)({"type": "http"}, client.receive, client.send)
    assert (client.status, breakers.told) == (529, [])
