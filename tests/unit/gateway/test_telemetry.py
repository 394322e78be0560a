"""What is told of a request: one line with fixed fields, attributes by convention, no prompt."""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from pydantic import SecretStr

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.failure_classification import Verdict
from heliostat_gateway.calls.provider_attempt import ProviderAttempt
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.telemetry import (
    Report,
    Telemetry,
    attempt_attributes,
    begin_call,
    log_line,
    request_attributes,
)
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.money.bookings import Booking, Usage
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.providers.credentials import Credential
from heliostat_gateway.providers.http import AnthropicProvider, GeminiProvider
from heliostat_gateway.routes.plans import Candidate
from heliostat_gateway.routes.table import Timeouts
from heliostat_json.objects import JsonObject, dump_object
from heliostat_telemetry.lines import JsonLines
from support.routes import NoTransport
from tools.machine import ROOT

CALLER = Caller(
    key="run-7/1",
    kind=KeyKind.EXECUTION,
    account="run-7",
    user="ann",
    agent="news/zeitgeist",
    execution="run-7",
    attempt=1,
    correlation="corr-9",
)
SECRET = "sk-never-shown"
KEY = Credential("ANTHROPIC_API_KEY_2", SecretStr(SECRET))
ANTHROPIC = AnthropicProvider("https://api.anthropic.com", NoTransport())
GEMINI = GeminiProvider("http://localhost:9000/x", NoTransport())
LINE: JsonObject = {
    "time": "2026-11-21T12:00:02.500000Z",
    "level": "info",
    "logger": "heliostat_gateway.requests",
    "message": "request",
    "requestId": "req_1",
    "correlationId": "corr-9",
    "execution": "run-7",
    "attempt": 1,
    "agent": "news/zeitgeist",
    "user": "ann",
    "key": "run-7/1",
    "session": "session-3",
    "dialect": "messages",
    "stream": True,
    "askedModel": "persona/zeitgeist",
    "persona": "zeitgeist",
    "provider": "anthropic",
    "model": "claude-opus-5-5",
    "providerRequest": "req_of_anthropic",
    "outcome": "answered",
    "attempts": [
        {
            "provider": "gemini",
            "model": "gemini-3.8-flash",
            "credential": "ANTHROPIC_API_KEY_2",
            "verdict": "not_sent",
            "status": None,
            "seconds": 0.5,
        },
        {
            "provider": "anthropic",
            "model": "claude-opus-5-5",
            "credential": "ANTHROPIC_API_KEY_2",
            "verdict": "answered",
            "status": 200,
            "seconds": 1.25,
        },
    ],
    "tokens": {
        "input": 10,
        "output": 20,
        "cacheRead": 30,
        "cacheWrite5m": 40,
        "cacheWrite1h": 50,
        "thinking": 5,
        "webSearches": 1,
    },
    "costNanos": 123,
    "estimated": False,
    "unpriced": [],
    "cache": "miss",
    "seconds": 2.5,
    "overheadMs": 1.26,
}


async def no_chunks() -> AsyncGenerator[bytes, None]:
    return
    yield b""


def part(
    provider: AnthropicProvider | GeminiProvider, model: str, seconds: float
) -> ProviderAttempt:
    candidate = Candidate(provider, KEY, model, FlatRates({}), Timeouts())
    made = ProviderAttempt("req_1", model, candidate, 100)
    made.is_over, made.seconds = True, seconds
    return made


def report(document: JsonObject | None = None) -> Report:
    failed = part(GEMINI, "gemini-3.8-flash", 0.5)
    failed.verdict, failed.outcome, failed.free = Verdict.NOT_SENT, "provider_unreachable", True
    answered = part(ANTHROPIC, "claude-opus-5-5", 1.25)
    answered.outcome = "answered"
    headers = [("content-type", "text/event-stream"), ("request-id", "req_of_anthropic")]
    answered.answer = ProviderAnswer(200, headers, no_chunks())
    asked = document or {"model": "persona/zeitgeist", "stream": True}
    request = ModelRequest(
        dialect=Dialect.MESSAGES,
        path="/v1/messages",
        query="",
        headers=[("x-claude-code-session-id", "session-3")],
        body=dump_object(asked),
        document=asked,
        caller=CALLER,
    )
    usage = Usage(10, 20, 30, 40, 50, 1, 5)
    booking = Booking(
        "req_1", 1, "anthropic", "claude-opus-5-5", KEY.name, usage, 123, True, False, "answered"
    )
    return Report(
        id="req_1",
        request=request,
        asked_model="persona/zeitgeist",
        persona="zeitgeist",
        outcome="answered",
        attempts=[failed, answered],
        bookings=[booking],
        cache="miss",
        began=1795262400.0,
        began_monotonic=5.0,
        seconds=2.5,
        overhead_ms=1.2648,
    )


def test_the_line_of_a_request() -> None:
    line = log_line(report())
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == LINE


def test_every_field_is_documented() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text()
    fields = [*LINE]
    assert [name for name in fields if f"`{name}`" not in page] == []
    attributes = {*request_attributes(report()), *attempt_attributes(report().attempts[0])}
    attributes |= {"error.type", "http.response.status_code"}
    assert [name for name in sorted(attributes) if f"`{name}`" not in page] == []


@given(
    words=st.text(min_size=1),
    fields=st.dictionaries(st.sampled_from(["system", "metadata", "tools", "stop"]), st.text()),
)
def test_no_word_of_a_request_is_told(words: str, fields: dict[str, str]) -> None:
    marked = {name: f"\u2603marker {text}" for name, text in fields.items()}
    document: JsonObject = {
        "model": "persona/zeitgeist",
        "stream": True,
        "messages": [{"role": "user", "content": f"\u2603marker {words}"}],
        **marked,
    }
    found = report(document)
    told = [log_line(found).decode(), *map(str, request_attributes(found).values())]
    told += [str(value) for each in found.attempts for value in attempt_attributes(each).values()]
    assert not any("marker" in text or "\u2603" in text or SECRET in text for text in told)


def test_the_same_request_is_told_the_same_whatever_its_words() -> None:
    assert log_line(report()) == log_line(report({"stream": True, "messages": ["other"]}))


def test_a_name_that_no_utf8_says_is_told_somehow() -> None:
    found = report()._replace(asked_model="half \ud800")
    assert b"half" in log_line(found)


def test_tokens_of_all_parts_are_added_up() -> None:
    found = report()
    (booking,) = found.bookings
    twice = found._replace(bookings=[booking, replace(booking, part=2, estimated=True)])
    line = json.loads(log_line(twice))
    assert (line["costNanos"], line["estimated"]) == (246, True)
    assert line["tokens"]["cacheWrite1h"] == 100


def test_attributes_of_a_request() -> None:
    found = request_attributes(report())
    assert found["gen_ai.provider.name"] == "anthropic"
    assert found["gen_ai.response.id"] == "req_of_anthropic"
    assert found["gen_ai.usage.input_tokens"] == 130
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 90
    assert "error.type" not in found
    assert "" not in found.values()
    cut = request_attributes(report()._replace(outcome="provider_cut"))
    assert cut["error.type"] == "provider_cut"


def test_attributes_of_attempts() -> None:
    failed, answered = report().attempts
    assert attempt_attributes(failed) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "gemini-3.8-flash",
        "heliostat.verdict": "not_sent",
        "heliostat.credential": "ANTHROPIC_API_KEY_2",
        "server.address": "localhost",
        "server.port": 9000,
        "error.type": "not_sent",
    }
    found = attempt_attributes(answered)
    assert (found["server.address"], found["server.port"]) == ("api.anthropic.com", 443)
    assert found["http.response.status_code"] == 200


def test_names_are_those_of_the_convention() -> None:
    modules = (gen_ai_attributes, error_attributes, http_attributes, server_attributes)
    known = {value for module in modules for value in vars(module).values() if type(value) is str}
    names = {*request_attributes(report()), *attempt_attributes(report().attempts[0])}
    ours = {name for name in names if name.startswith("heliostat.")}
    assert names - ours - known == set()


@pytest.fixture
def enabled() -> Iterator[None]:
    logger = logging.getLogger("heliostat_gateway.requests")
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("enabled")
def test_a_report_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_line: bytes) -> None:
        raise RuntimeError("no room")

    Telemetry(write=broken).tell(report())
    assert "req_1 could not be reported" in caplog.text


def test_without_the_level_nothing_is_written() -> None:
    lines: list[bytes] = []
    Telemetry(write=lines.append).tell(report())
    assert lines == []


def test_other_lines_name_their_request() -> None:
    begin_call("req_2", CALLER)
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "it %s", ("rains",), None)
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "it rains"
    assert (line["requestId"], line["correlationId"]) == ("req_2", "corr-9")
    assert (line["level"], line["execution"]) == ("warning", "run-7")


def test_without_an_address_nothing_that_makes_spans_is_loaded(tmp_path: Path) -> None:
    # FastAPI itself imports OpenTelemetry's API, which does nothing.
    program = (
        "import sys\n"
        "from heliostat_gateway.main import create_app\n"
        "create_app()\n"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'google', 'requests')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])\n"
    )
    settings = {"HELIOSTAT_GATEWAY_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=settings, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
