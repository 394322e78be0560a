"""What the api counts, in a registry of its own. Every label has a bounded set of values."""

from collections.abc import Callable
from http import HTTPStatus
from itertools import product
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.base.texts import plain
from heliostat_api.documents.port import Delete, Document, Documents, Page, Put, Query
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.provide import Provided

PREFIX: Final = "heliostat_api"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HANDED_ON: Final = ("forwarded", "via", "x-forwarded-for")
"""What every ingress and load balancer of HTTP adds: the port of the pages is theirs as well."""
DECISIONS: Final = ("approve", "deny")
SHOWN: Final = ("quick", "longer", "unknown")
"""For how long a person had an ask before them: under 3 s, longer, or nobody told."""
_PAGES: Final = "pages"
"""Of whatever no route serves: the dashboard and its files, and what is not found."""


class Metrics:
    """One registry for an app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            f"{PREFIX}_requests",
            "Requests that were answered, by method, route and class of the status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.store = Histogram(
            f"{PREFIX}_store_seconds",
            "Time that the document store took, by operation.",
            ("operation",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.decisions = Counter(
            f"{PREFIX}_approval_decisions",
            "Decisions of people on asks, by what they said and for how long the ask was shown to "
            "them before: quick (under 3 s), longer, unknown.",
            ("decision", "shown"),
            registry=self.registry,
        )
        for decision, shown in product(DECISIONS, SHOWN):
            self.decisions.labels(decision, shown)

    def count_decision(self, decision: str, shown: str) -> None:
        """Counts one that was taken."""
        self.decisions.labels(decision, shown).inc()

    def watch(self, streams: Callable[[], int], lag: Callable[[], float]) -> None:
        """Reads these whenever it is asked."""
        for name, text, value in (
            ("stream_clients", "Streams that are open.", streams),
            (
                "recorder_lag_seconds",
                "For how long the recorder has not followed the world; 0 while it does.",
                lag,
            ),
        ):
            Gauge(f"{PREFIX}_{name}", text, registry=self.registry).set_function(value)


metrics = APIRouter(include_in_schema=False)


@metrics.get("/metrics")
async def read_metrics(request: Request, counted: Provided[Metrics]) -> Response:
    """Metrics in the text format of Prometheus; 404 for what a proxy hands on from outside."""
    if any(name in request.headers for name in _HANDED_ON):
        raise ProblemError(
            HTTPStatus.NOT_FOUND, plain("Metrics are read at the pod itself, not through a proxy.")
        )
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return Response(generate_latest(counted.registry), media_type=kind)


class Counting:
    """ASGI middleware: counts answers, of a WebSocket nothing."""

    def __init__(self, app: ASGIApp, counted: Metrics) -> None:
        self._app = app
        self._requests = counted.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See class."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                status = f"{message['status'] // 100}xx"
                self._requests.labels(method, route_of(scope), status).inc()
            await send(message)

        return await self._app(scope, receive, count)


def route_of(scope: Scope) -> str:
    """The template of the path: ids would be labels without end."""
    route: BaseRoute | None = scope.get("route")
    return str(getattr(route, "path", _PAGES))


class TimedDocuments:
    """Documents whose time is taken."""

    def __init__(self, documents: Documents, counted: Metrics) -> None:
        self._documents = documents
        self._seconds = counted.store

    async def get(self, path: str) -> Document | None:
        """See Documents."""
        with self._seconds.labels("get").time():
            return await self._documents.get(path)

    async def query(self, query: Query) -> Page:
        """See Documents."""
        with self._seconds.labels("query").time():
            return await self._documents.query(query)

    async def count(self, query: Query) -> int:
        """See Documents."""
        with self._seconds.labels("count").time():
            return await self._documents.count(query)

    async def commit(self, *writes: Put | Delete) -> None:
        """See Documents."""
        with self._seconds.labels("commit").time():
            await self._documents.commit(*writes)

    async def delete_tree(self, path: str) -> None:
        """See Documents."""
        with self._seconds.labels("delete_tree").time():
            await self._documents.delete_tree(path)

    async def close(self) -> None:
        """See Documents."""
        await self._documents.close()
