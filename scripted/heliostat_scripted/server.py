"""The scripted provider over HTTP: three dialects, faults on request, a bill."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from uuid import uuid4

from aiohttp import web

from heliostat_json.objects import dump_object
from heliostat_scripted.apis import Api, told_usage
from heliostat_scripted.bill import Bill, BillLine
from heliostat_scripted.callers import Keys
from heliostat_scripted.control import Control
from heliostat_scripted.conversation import build_conversation
from heliostat_scripted.faults import Asked, FaultName, Orders, UnknownFaultError
from heliostat_scripted.lengths import limited_script
from heliostat_scripted.limits import limit_headers
from heliostat_scripted.listings import add_listings
from heliostat_scripted.player import CutError, play
from heliostat_scripted.refusals import (
    Refusal,
    RefusedError,
    refusal_body,
    refusal_headers,
)
from heliostat_scripted.requests import Incoming, Understood, build_rendering, understand
from heliostat_scripted.scenario_selection import (
    ScenarioSelection,
    SelectedAnswer,
    refusal_of_order,
    refusal_of_steps,
)
from heliostat_scripted.stream_events import streamed_events, whole_events

FAULT_HEADER = "x-scripted-fault"
_REQUEST_ID = {Api.MESSAGES: "request-id", Api.CHAT: "x-request-id", Api.GEMINI: "x-request-id"}
_PREFIX = {Api.MESSAGES: "req", Api.CHAT: "req", Api.GEMINI: "gem"}
_LARGEST_BODY = 64 * 1024 * 1024
# Before a connection breaks, what was sent on it gets the time to be read: otherwise the bill and
# the reader could differ about what was shown.
_SETTLING_SECONDS = 0.1
_PAGE = b"<html><body><h1>Welcome</h1></body></html>"


@dataclass
class ScriptedServer:
    """The endpoints' collaborators."""

    selection: ScenarioSelection
    bill: Bill
    keys: Keys
    orders: Orders = field(default_factory=Orders)

    def build_app(self) -> web.Application:
        """The application; its shutdown closes the bill."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_messages)
        app.router.add_post("/v1/chat/completions", self._chat)
        for version in ("v1beta", "v1"):  # google-genai asks for v1 since 3.0
            app.router.add_post(f"/{version}/models/{{model:.+}}:{{method}}", self._gemini)
        add_listings(app, self.selection, self.keys)
        Control(self.bill, self.orders).add_to(app)
        app.on_cleanup.append(self._close)
        return app

    async def _close(self, _app: web.Application) -> None:
        self.bill.close()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, Api.MESSAGES)

    async def _count_messages(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, Api.MESSAGES, counts_only=True)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, Api.CHAT)

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method not in ("generateContent", "streamGenerateContent", "countTokens"):
            raise web.HTTPNotFound
        return await self._serve(
            request,
            Api.GEMINI,
            counts_only=method == "countTokens",
            model=request.match_info["model"],
            stream=method == "streamGenerateContent",
        )

    async def _serve(
        self,
        request: web.Request,
        api: Api,
        *,
        counts_only: bool = False,
        model: str = "",
        stream: bool = False,
    ) -> web.StreamResponse:
        """Every model request: understood or refused, then played."""
        request_id = f"{_PREFIX[api]}_scripted_{uuid4().hex[:20]}"
        names = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        incoming = Incoming(api, names, body, counts_only, model, stream)
        try:
            if stream and request.query.get("alt") != "sse":
                raise RefusedError(
                    Refusal(400, "invalid_request_error", "alt: only alt=sse streams here", "alt")
                )
            asked = understand(incoming, self.keys, self.selection)
            if counts_only:
                return _counted(asked, request_id)
            played = self._select(asked)
            return await self._answer(request, asked, played, request_id)
        except RefusedError as error:
            return _refused(api, error.refusal, request_id)

    def _select(self, asked: Understood) -> SelectedAnswer:
        """What is played, ordered faults included. Raises RefusedError."""
        incoming = asked.incoming
        who = Asked(incoming.api, asked.heard.model, asked.key, asked.execution)
        try:
            ordered = self.orders.due(who, incoming.headers.get(FAULT_HEADER, ""))
        except UnknownFaultError as error:
            raise RefusedError(
                Refusal(400, "invalid_request_error", f"{FAULT_HEADER}: {error}", FAULT_HEADER)
            ) from error
        if ordered is not None and (refusal := refusal_of_order(ordered)) is not None:
            raise RefusedError(refusal)
        characters = len(incoming.body.decode(errors="replace"))
        seen = build_conversation(asked.heard, characters)
        selected = self.selection.select(asked.scenario, seen, asked.execution or asked.key)
        if isinstance(selected, Refusal):
            raise RefusedError(selected)
        script = limited_script(selected.script, asked.heard.limit)
        script = replace(script, usage=told_usage(incoming.api, script.usage))
        played = SelectedAnswer(script, ordered or selected.fault)
        refusal = None if seen.stream else refusal_of_steps(played)
        if refusal is not None:
            raise RefusedError(refusal)
        return played

    async def _answer(
        self, request: web.Request, asked: Understood, played: SelectedAnswer, request_id: str
    ) -> web.StreamResponse:
        """Plays the answer; a break in it breaks the connection."""
        api = asked.incoming.api
        scenario = self.selection.scenarios[asked.scenario]
        line = BillLine(
            bill=self.bill,
            id=request_id,
            dialect=api,
            key=asked.key,
            execution=asked.execution,
            scenario=asked.scenario,
            model=asked.heard.model,
            prices=scenario.prices,
            request_bytes=len(asked.incoming.body),
        )
        line.write()
        headers = dict(limit_headers(api, scenario.rate_limit_headers, time.time()))
        headers[_REQUEST_ID[api]] = request_id
        fault = played.fault.name if played.fault is not None else None
        if fault is FaultName.CUT_BEFORE_FIRST_BYTE:
            return await _cut(request, web.StreamResponse())
        if fault is FaultName.WRONG_CONTENT_TYPE:
            return web.Response(body=_PAGE, content_type="text/html", headers=headers)
        rendering = build_rendering(asked, played, request_id)
        if asked.heard.stream:
            events = streamed_events(played.script, rendering, played.fault)
            chunks = play(events, played.script.usage, line, rendering.ping)
            headers["content-type"] = "text/event-stream; charset=utf-8"
            headers["cache-control"] = "no-cache"
            return await _send(request, chunks, headers, head_first=True)
        events = whole_events(played.script, rendering, played.fault)
        headers["content-type"] = "application/json"
        chunks = play(events, played.script.usage, line)
        return await _send(request, chunks, headers, head_first=False)


async def _send(
    request: web.Request,
    chunks: AsyncGenerator[bytes, None],
    headers: Mapping[str, str],
    *,
    head_first: bool,
) -> web.StreamResponse:
    """Each chunk as it comes. The head goes at once, or (a whole answer) with the first chunk."""
    response = web.StreamResponse(headers=headers)
    async with aclosing(chunks):
        try:
            if head_first:
                await response.prepare(request)
            async for chunk in chunks:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(chunk)
            await response.write_eof()
        except CutError:
            return await _cut(request, response)
        except ConnectionError:
            pass  # the client has gone: what it was shown is on the bill
    return response


async def _cut(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Breaks the connection, once what was sent had time to be read."""
    await asyncio.sleep(_SETTLING_SECONDS)
    if request.transport is not None:
        request.transport.abort()
    return response


def _counted(asked: Understood, request_id: str) -> web.Response:
    """A token for each four characters of the request, rounded up."""
    api = asked.incoming.api
    tokens = -(-len(asked.incoming.body.decode(errors="replace")) // 4)
    name = "totalTokens" if api is Api.GEMINI else "input_tokens"
    return web.Response(
        body=dump_object({name: tokens}),
        content_type="application/json",
        headers={_REQUEST_ID[api]: request_id},
    )


def _refused(api: Api, refusal: Refusal, request_id: str) -> web.Response:
    headers = dict(refusal_headers(api, refusal, time.time()))
    headers[_REQUEST_ID[api]] = request_id
    headers.setdefault("content-type", "application/json")
    return web.Response(
        status=refusal.status, body=refusal_body(api, refusal, request_id), headers=headers
    )
