"""Spans of a real gateway process, as a receiver of OTLP over HTTP gets them."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from heliostat_core.traces import runner_context, trace_of
from support.collector import Collector, attributes, collecting
from support.ports import free_port

from .gateway_process import GatewayProcess, small_request

DEADLINE_SECONDS = 30
TRACE = f"{trace_of('corr-1'):032x}"
FOREIGN = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
MARKER = "xylophone-of-the-prompt"
ROUTES = """
providers:
  nobody: {baseUrl: "http://127.0.0.1:9/v1"}
prices:
  nobody/x: {input: "1", output: "1"}
models:
  chained:
    chain: [{provider: nobody, model: x}, {provider: scripted, model: hello}]
    cache: {exact: true, ttlSeconds: 60}
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


async def test_a_request_and_its_attempts_are_spans_below_the_callers(
    collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "routes.yaml").write_text(ROUTES)
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    await asyncio.to_thread(
        gateway.start,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        HELIOSTAT_GATEWAY_ROUTES_FILE=str(tmp_path / "routes.yaml"),
    )
    headers = {
        "x-api-key": gateway.key("traced"),
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "x-claude-code-session-id": "session-1",
    }
    document = small_request("chained", text=MARKER)
    replies = [
        await gateway.ask("/v1/messages", document=document, headers=headers) for _ in range(2)
    ]
    foreign = {**headers, "traceparent": f"00-{FOREIGN}-{PARENT}-01"}
    replies.append(await gateway.ask("/v1/messages", document=document, headers=foreign))
    assert [reply.status for reply in replies] == [200, 200, 200], replies[0].text
    await asyncio.to_thread(gateway.stop)  # what is not sent yet is sent now

    by_request = {
        attributes(span).get("heliostat.request.id"): span
        for span in collector.spans
        if span.kind == Span.SPAN_KIND_SERVER
    }
    first, second, third = [
        by_request[reply.headers["x-heliostat-request-id"]] for reply in replies
    ]
    for span in (first, second):
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
        assert span.name == "chat chained"
    assert third.trace_id.hex() == TRACE, "a run chooses no other trace"
    run = runner_context("corr-1", "traced", 1)
    assert third.parent_span_id.hex() == f"{run.span:016x}"
    told = attributes(first)
    wanted = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "chained",
        "gen_ai.usage.input_tokens": 1350,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 1000,
        "gen_ai.conversation.id": "session-1",
        "heliostat.correlation.id": "corr-1",
        "heliostat.execution": "traced",
        "heliostat.cost_nanos": 2_400_000,
        "heliostat.cache": "miss",
        "heliostat.attempts": 2,
    }
    assert {name: told.get(name) for name in wanted} == wanted
    attempts = [span for span in collector.spans if span.parent_span_id == first.span_id]
    attempts.sort(key=lambda span: span.start_time_unix_nano)
    refused, answered = [attributes(span) for span in attempts]
    assert (refused["heliostat.verdict"], refused["server.port"]) == ("not_sent", 9)
    assert refused["error.type"] == "not_sent"
    assert (answered["heliostat.verdict"], answered["gen_ai.request.model"]) == (
        "answered",
        "hello",
    )
    for span in attempts:
        assert span.kind == Span.SPAN_KIND_CLIENT
        assert span.trace_id == first.trace_id
        assert first.start_time_unix_nano <= span.start_time_unix_nano + 10**6
        assert span.end_time_unix_nano <= first.end_time_unix_nano + 10**6
    hit = attributes(second)
    assert (hit["heliostat.cache"], hit["heliostat.attempts"]) == ("hit", 0)
    assert "gen_ai.usage.input_tokens" not in hit
    assert collector.services == {"heliostat-gateway"}
    everything = b"".join(span.SerializeToString() for span in collector.spans)
    assert MARKER.encode() not in everything


async def test_the_log_has_a_line_for_each_request_and_no_word_of_it(
    gateway: GatewayProcess,
) -> None:
    document = small_request("scripted/hello", text=MARKER)
    headers = {"x-api-key": gateway.key("logged")}
    reply = await gateway.ask("/v1/messages", document=document, headers=headers)
    capped = {"x-api-key": gateway.key("capped", cap=0)}
    refused = await gateway.ask("/v1/messages", document=document, headers=capped)
    assert (reply.status, refused.status) == (200, 402)
    await asyncio.to_thread(gateway.stop)
    text = gateway.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    told = {line["requestId"]: line for line in lines if line["message"] == "request"}
    line = told[reply.headers["x-heliostat-request-id"]]
    assert (line["outcome"], line["correlationId"], line["costNanos"]) == (
        "answered",
        "corr-1",
        2_400_000,
    )
    assert told[refused.headers["x-heliostat-request-id"]]["outcome"] == "refused"
    assert len(told) == 2
    assert MARKER not in text
    for key in (headers, capped):
        assert key["x-api-key"].split(".")[2] not in text


async def test_a_receiver_that_is_away_stops_nothing(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    await asyncio.to_thread(
        gateway.start, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}"
    )
    reply = await gateway.message(gateway.key("alone"), "scripted/hello")
    assert reply.status == 200
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await asyncio.to_thread(gateway.stop) in (0, -15)


async def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    process = gateway.spawn(OTEL_EXPORTER_OTLP_ENDPOINT="collector:4317")
    assert await asyncio.to_thread(process.wait, DEADLINE_SECONDS) == 2
    assert (
        "OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https address" in gateway.log.read_text()
    )
