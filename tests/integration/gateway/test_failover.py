"""Every fault of a chain's first provider: before output the second answers, after it an error.

Each fault x caller's dialect x streaming or not, through nine chains at once (three dialects of
the first provider x three of the second); and each time the ledger equals the providers' bill.
"""

import asyncio
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, product

import pytest

from heliostat_gateway.dialects import Dialect
from support.fake_provider import FakeProviders
from support.hearing import Heard, hear
from support.ports import free_port

from .chains import (
    FIRST,
    FIRST_TEXT,
    SECOND,
    SECOND_TEXT,
    SHOWN,
    Booked,
    Route,
    addresses,
    ask,
    lines_of,
    start_gateway,
    wait_for_equal_money,
)
from .gateway_process import GatewayProcess, Reply
from .test_providers import self_signed

CALLERS = (Dialect.MESSAGES, Dialect.CHAT)
QUICK = 1.5  # seconds, of a timeout that shall be met; the second provider has the same
PAIRS = list(product(Dialect, Dialect))
# Where each answer weighs 34 MB: each dialect once, as the first and as the second.
FEW_PAIRS = [
    (Dialect.MESSAGES, Dialect.CHAT),
    (Dialect.CHAT, Dialect.GEMINI),
    (Dialect.GEMINI, Dialect.MESSAGES),
]


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the first provider, and what becomes of it."""

    name: str
    verdict: str  # of an attempt that has shown nothing
    order: str = ""  # for the scripted server, where it is not `name`
    after: float | None = None
    shows: bool = False  # it comes after the first token of a stream
    timeouts: Mapping[str, float] = field(default_factory=dict)  # of a stream
    whole_timeouts: Mapping[str, float] = field(default_factory=dict)

    def arm(self, speakers: FakeProviders, model: str) -> None:
        speakers.arm(self.order or self.name, after=self.after, model=model)


FIRST_TOKEN = {"firstTokenSeconds": QUICK}
IDLE = {"idleSeconds": QUICK}
ALL = {"firstTokenSeconds": QUICK, "idleSeconds": QUICK, "totalSeconds": QUICK}
FAULTS = (
    Fault("429", "refused 429"),
    Fault("429-bare", "refused 429"),
    Fault("500", "refused 500"),
    Fault("529", "refused 529"),
    Fault("slow-first-token", "uncertain 504", "", 60, timeouts=FIRST_TOKEN, whole_timeouts=ALL),
    Fault("cut-before-first-byte", "uncertain 502"),
    Fault("cut-before-first-token", "uncertain 502"),
    Fault("cut-after-first-token", "uncertain 502", shows=True),
    Fault("stall", "uncertain 504", shows=True, timeouts=IDLE, whole_timeouts=IDLE),
    Fault("bad-json", "uncertain 502", shows=True),
    Fault("error-event", "refused 529", shows=True),
    Fault("huge-event", "uncertain 502", shows=True),
    Fault("wrong-content-type", "uncertain 502"),
)
# The same before anything is shown: only a stream knows the difference.
FAULTS_AT_ONCE = (
    Fault("stall-at-once", "uncertain 504", "stall", 0, timeouts=FIRST_TOKEN),
    Fault("bad-json-at-once", "uncertain 502", "bad-json", 0),
    Fault("error-event-at-once", "refused", "error-event", 0),
    Fault("huge-at-once", "uncertain 502", "huge-event", 0),
)


@dataclass(frozen=True)
class Setting:
    """One test: a fault, a caller, streaming or not."""

    fault: Fault
    caller: Dialect
    stream: bool

    @property
    def name(self) -> str:
        return f"{self.fault.name}-{self.caller}-{'stream' if self.stream else 'whole'}"

    @property
    def shows(self) -> bool:
        """Whether something of the first provider is seen."""
        return self.fault.shows and self.stream

    def routes(self) -> list[Route]:
        timeouts = self.fault.timeouts if self.stream else self.fault.whole_timeouts
        return [
            Route(f"{self.name}-{first}-{second}", first, second, timeouts)
            for first, second in (FEW_PAIRS if "huge" in self.name else PAIRS)
        ]


SETTINGS = [
    Setting(fault, caller, stream)
    for fault, caller, stream in product((*FAULTS, *FAULTS_AT_ONCE), CALLERS, (True, False))
    if stream or fault not in FAULTS_AT_ONCE
]


@pytest.fixture(scope="module")
def gateway(
    speakers: FakeProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    routes = [*LAST_WORDS, *(route for setting in SETTINGS for route in setting.routes())]
    found = start_gateway(tmp_path_factory.mktemp("gateway"), routes, addresses(speakers))
    yield found
    found.kill()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
async def test_a_fault_of_the_first_provider(
    gateway: GatewayProcess, speakers: FakeProviders, setting: Setting
) -> None:
    routes = setting.routes()
    for route in routes:
        setting.fault.arm(speakers, route.first_model)
    replies = await ask_all(gateway, setting, routes)
    for route, reply in zip(routes, replies, strict=True):
        if setting.shows:
            check_error_after_output(setting, reply)
        else:
            check_answer_of_second(setting, route, reply)
    calls = [Booked(gateway, route.model, route) for route in routes]
    bill = await wait_for_equal_money(speakers, calls)
    for route in routes:
        asked = {line.model for line in lines_of(bill, route)}
        assert (route.second_model in asked) is not setting.shows


LAST_WORDS = [
    Route(f"{fault}-{caller}-{stream}-{first}", first, Dialect.MESSAGES, {})
    for fault, caller, first in product(("no-end", "no-final-usage"), CALLERS, Dialect)
    for stream in (True, False)
    if stream or fault != "no-end"
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("fault", "stream"), [("no-end", True), ("no-final-usage", True), ("no-final-usage", False)]
)
async def test_an_answer_without_its_last_words(
    gateway: GatewayProcess, speakers: FakeProviders, caller: Dialect, fault: str, stream: bool
) -> None:
    """Without an end it is a failure, told; without usage it is an answer, and estimated."""
    prefix = f"{fault}-{caller}-{stream}-"
    routes = [route for route in LAST_WORDS if route.model.startswith(prefix)]
    for route in routes:
        speakers.arm(fault, model=route.first_model)
        reply = await ask(gateway, caller, route.model, route.model, stream=stream)
        heard = hear(caller, reply.status, reply.body, stream=stream)
        is_complete = fault == "no-final-usage"
        assert (heard.text, heard.is_complete) == (FIRST_TEXT, is_complete)
        assert bool(heard.error) is not is_complete
    await wait_for_equal_money(speakers, [Booked(gateway, r.model, r) for r in routes])


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A TLS port whose certificate nobody has signed but itself."""
    context = self_signed(tmp_path_factory.mktemp("stranger"))
    with TlsPort(("127.0.0.1", 0), context) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


UNREACHABLE = Fault("unreachable", "not_sent 502")
UNREACHABLE_ROUTES = [
    Route(f"unreachable-{caller}-{stream}-{first}-{second}", first, second, {})
    for caller, stream in product(CALLERS, (True, False))
    for first, second in product(Dialect, CALLERS)
]


@pytest.fixture(scope="module", params=["refused", "tls"])
def half_dead(
    request: pytest.FixtureRequest,
    speakers: FakeProviders,
    stranger: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[GatewayProcess]:
    """A gateway that can't reach any first provider."""
    address = stranger if request.param == "tls" else f"http://127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("half-dead")
    found = start_gateway(folder, UNREACHABLE_ROUTES, half_dead_addresses(speakers, address))
    yield found
    found.kill()


def half_dead_addresses(speakers: FakeProviders, address: str) -> dict[str, str]:
    """Settings of a gateway whose first providers are all at `address`."""
    dead = {f"HELIOSTAT_GATEWAY_{name.upper()}_BASE_URL": address for name in FIRST.values()}
    return addresses(speakers) | dead


async def test_a_first_provider_that_can_not_be_reached(
    half_dead: GatewayProcess, speakers: FakeProviders
) -> None:
    await check_unreachable([half_dead], speakers)


async def check_unreachable(gateways: list[GatewayProcess], speakers: FakeProviders) -> None:
    """Every route through the gateways in turn: the second provider answers, and it alone is
    paid."""
    settings = [Setting(UNREACHABLE, c, s) for c, s in product(CALLERS, (True, False))]
    for setting in settings:
        routes = [
            route
            for route in UNREACHABLE_ROUTES
            if route.model.startswith(f"unreachable-{setting.caller}-{setting.stream}-")
        ]
        before = len(speakers.bill())
        replies = await asyncio.gather(
            *(
                ask(gateway, setting.caller, r.model, r.model, stream=setting.stream)
                for r, gateway in zip(routes, cycle(gateways))
            )
        )
        for route, reply in zip(routes, replies, strict=True):
            check_answer_of_second(setting, route, reply)
        bill = speakers.bill()[before:]
        for route in routes:
            (line,) = lines_of(bill, route)
            assert (await gateways[-1].cost(route.model)).cost_nanos == line.cost_nanos


async def ask_all(gateway: GatewayProcess, setting: Setting, routes: list[Route]) -> list[Reply]:
    """One request through each route at once; the model's name is the execution's too."""
    return await asyncio.gather(
        *(ask(gateway, setting.caller, r.model, r.model, stream=setting.stream) for r in routes)
    )


def check_answer_of_second(setting: Setting, route: Route, reply: Reply) -> None:
    """The second provider's answer, whole, and nothing of the first."""
    assert reply.status == 200, reply.text
    assert hear(setting.caller, reply.status, reply.body, stream=setting.stream) == Heard(
        SECOND_TEXT
    )
    assert b"first provider" not in reply.body
    assert route.first_model not in reply.text
    assert reply.headers["x-heliostat-provider"] == SECOND[route.second]
    assert reply.headers["x-heliostat-attempts"] == "2"
    decision = f"{FIRST[route.first]} {setting.fault.verdict}"
    assert reply.headers["x-heliostat-decision"].startswith(decision)


def check_error_after_output(setting: Setting, reply: Reply) -> None:
    """What was shown, an error event, the end."""
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    heard = hear(setting.caller, reply.status, reply.body, stream=True)
    assert (heard.text, heard.is_complete) == (SHOWN, False)
    assert heard.error
    assert reply.headers["x-heliostat-attempts"] == "1"
    assert SECOND_TEXT[:10] not in reply.text


class TlsPort(socketserver.ThreadingTCPServer):
    """Begins to speak TLS with whoever comes."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._context = context

    def finish_request(self, request: object, client_address: object) -> None:  # noqa: ARG002
        assert isinstance(request, socket.socket)
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as wrapped:
            wrapped.recv(1)
