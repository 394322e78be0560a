"""A receiver of OTLP over HTTP, which reads what it gets by OpenTelemetry's own schema."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from heliostat_core.traces import trace_of

Attributes = dict[str, str | int | float | bool]


@dataclass(frozen=True)
class Told:
    """A span, and the service that told it."""

    service: str
    span: Span

    @property
    def id(self) -> str:
        return self.span.span_id.hex()

    @property
    def parent(self) -> str:
        return self.span.parent_span_id.hex()

    @property
    def trace(self) -> str:
        return self.span.trace_id.hex()


@dataclass
class Collector:
    """Keeps every span that arrives."""

    url: str = ""
    told: list[Told] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        return [each.span for each in self.told]

    @property
    def services(self) -> set[str]:
        return {each.service for each in self.told}

    def named(self, name: str) -> list[Told]:
        return [each for each in self.told if each.span.name == name]

    def one(self, correlation_id: str, service: str, name: str) -> Told:
        """The first span of that name in the trace of what has this correlation id."""
        trace = f"{trace_of(correlation_id):032x}"
        found = [each for each in self.named(name) if each.trace == trace]
        assert found, (name, [each.span.name for each in self.told])
        assert {each.service for each in found} == {f"heliostat-{service}"}
        return found[0]

    def calls(self, runner: Told) -> list[Told]:
        """What a runner asked of the gateway, as far as it was told."""
        return [each for each in self.told if each.parent == runner.id]

    def check_calls(self, runner: Told) -> None:
        """What a runner asked of the gateway stands below it, and below that the provider."""
        calls = self.calls(runner)
        assert calls
        for call in calls:
            assert call.service == "heliostat-gateway"
            below = [each for each in self.told if each.parent == call.id]
            assert [attributes(each.span)["gen_ai.provider.name"] for each in below] == ["scripted"]

    def take(self, body: bytes) -> None:
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            service = next(
                each.value.string_value
                for each in resource.resource.attributes
                if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.told += [Told(service, span) for span in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a port of its own, as long as the block runs."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def attributes(span: Span) -> Attributes:
    """By name."""
    found: Attributes = {}
    for each in span.attributes:
        match each.value.WhichOneof("value"):
            case "string_value":
                found[each.key] = each.value.string_value
            case "int_value":
                found[each.key] = each.value.int_value
            case "bool_value":
                found[each.key] = each.value.bool_value
            case _:
                found[each.key] = each.value.double_value
    return found
