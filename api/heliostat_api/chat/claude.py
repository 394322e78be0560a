"""Calls Claude through our gateway, by the official SDK.

Importing this takes a second, so only `LazyClaude` does, when a person opens the chat.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx2
from anthropic import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncAnthropic,
    AsyncStream,
)
from anthropic.types import (
    CacheControlEphemeralParam,
    ContentBlock,
    InputJSONDelta,
    MessageParam,
    RawContentBlockDelta,
    RawMessageStreamEvent,
    TextBlock,
    TextBlockParam,
    TextDelta,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
    ToolUseBlockParam,
)
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from heliostat_api.chat.models import Block as AskedBlock
from heliostat_api.chat.models import (
    Called,
    CallOpened,
    Ended,
    Event,
    ModelError,
    Request,
    TextBegins,
    TextMore,
    ToolResultBlock,
    ToolUse,
    Turn,
)
from heliostat_api.chat.models import TextBlock as AskedText
from heliostat_api.chat.schemas import StatusCode

REQUEST_ID: Final = "x-heliostat-request-id"
_PROVIDER: Final = "x-heliostat-provider"
_INPUT: Final = TypeAdapter(dict[str, JsonValue])
_CACHED: Final[CacheControlEphemeralParam] = {"type": "ephemeral"}
_CONNECT_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 120.0
_SETTLED_TRIES: Final = 20
_SETTLED_PAUSE: Final = 0.1
_BROKEN_OFF: Final = "The answer broke off before its end."
Param = TextBlockParam | ToolUseBlockParam | ToolResultBlockParam


class Figures(BaseModel):
    """The gateway's figures of a request."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="ignore")

    open: bool
    cost_nanos: int


class Claude:
    """Implements ChatModel. No call is repeated: the person decides whether to pay again."""

    def __init__(self, gateway_url: str) -> None:
        timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        self._client = AsyncAnthropic(
            api_key="none", base_url=gateway_url, max_retries=0, timeout=timeout
        )

    async def warm(self) -> None:
        """Does nothing: importing this module has loaded the SDK."""

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, key: str, request: Request) -> AsyncGenerator[Event, None]:
        with _mapped_errors() as known:
            stream = await self._open(key, request)
            try:
                headers = stream.response.headers
                opened = CallOpened(headers.get(REQUEST_ID, ""), headers.get(_PROVIDER, ""))
                known.append(opened.request)
                yield opened
                reader = _StreamReader()
                async for event in stream:
                    for each in reader.read(event):
                        yield each
                if not reader.is_whole:
                    raise ModelError(StatusCode.UNAVAILABLE, _BROKEN_OFF, opened.request)
            finally:
                await stream.close()

    async def cost_nanos(self, key: str, request: str) -> int | None:
        """Asks again for two seconds: a call that was given up is settled a moment later."""
        client = self._client.with_options(api_key=key)
        for _ in range(_SETTLED_TRIES):
            try:
                answer = await client.get(
                    f"/v1/heliostat/requests/{request}", cast_to=httpx2.Response
                )
                figures = Figures.model_validate_json(answer.content)
            except (APIError, ValidationError):
                return None
            if not figures.open:
                return figures.cost_nanos
            await asyncio.sleep(_SETTLED_PAUSE)
        return figures.cost_nanos

    async def names(self, key: str) -> tuple[str, ...]:
        client = self._client.with_options(api_key=key)
        with _mapped_errors():
            page = await client.models.list()
            return tuple([each.id async for each in page])

    async def _open(self, key: str, request: Request) -> AsyncStream[RawMessageStreamEvent]:
        return await self._client.with_options(api_key=key).messages.create(
            model=request.model,
            max_tokens=request.max_tokens,
            system=[{"type": "text", "text": request.system, "cache_control": _CACHED}],
            tools=[_tool(each.name, each.description, each.schema) for each in request.tools],
            messages=list(_messages(request.turns)),
            metadata={"user_id": request.conversation},
            stream=True,
        )


class _StreamReader:
    """Reads the events of one answer."""

    def __init__(self) -> None:
        self.is_whole = False
        self._tool: ToolUse | None = None
        self._json = ""
        self._reason = ""

    def read(self, event: RawMessageStreamEvent) -> Iterator[Event]:
        """Translates an event of the SDK."""
        match event.type:
            case "content_block_start":
                yield from self._begin(event.content_block)
            case "content_block_delta":
                yield from self._more(event.delta)
            case "content_block_stop":
                yield from self._end()
            case "message_delta":
                self._reason = event.delta.stop_reason or ""
            case "message_stop":
                self.is_whole = True
                yield Ended(self._reason)

    def _begin(self, block: ContentBlock) -> Iterator[Event]:
        match block:
            case TextBlock(text=text):
                yield TextBegins()
                if text:
                    yield TextMore(text)
            case ToolUseBlock(id=id_, name=name):
                self._tool, self._json = ToolUse(id_, name, {}), ""

    def _more(self, delta: RawContentBlockDelta) -> Iterator[Event]:
        match delta:
            case TextDelta(text=text):
                yield TextMore(text)
            case InputJSONDelta(partial_json=piece):
                self._json += piece

    def _end(self) -> Iterator[Event]:
        tool, self._tool = self._tool, None
        if tool is None:
            return
        try:
            given = _INPUT.validate_json(self._json or "{}")
            yield Called(ToolUse(tool.id, tool.name, given))
        except ValidationError:
            yield Called(tool, "The input is no JSON object: it was cut off.")


def _tool(name: str, description: str, schema: Mapping[str, object]) -> ToolParam:
    return {"name": name, "description": description, "input_schema": dict(schema)}


def _messages(turns: Iterable[Turn]) -> Iterator[MessageParam]:
    """Marks the last block: the provider's cache of the conversation ends there."""
    turns = list(turns)
    for number, turn in enumerate(turns):
        blocks = [_param(each) for each in turn.blocks]
        if number == len(turns) - 1 and blocks:
            blocks[-1]["cache_control"] = _CACHED
        if turn.role == "user":
            yield {"role": "user", "content": blocks}
        else:
            yield {"role": "assistant", "content": blocks}


def _param(block: AskedBlock) -> Param:
    match block:
        case AskedText(text=text):
            return {"type": "text", "text": text}
        case ToolUse(id=id_, name=name, input=given):
            return {"type": "tool_use", "id": id_, "name": name, "input": dict(given)}
        case ToolResultBlock(call=call, text=text, is_error=is_error):
            return {
                "type": "tool_result",
                "tool_use_id": call,
                "content": text,
                "is_error": is_error,
            }


@contextmanager
def _mapped_errors() -> Iterator[list[str]]:
    """Raises every failure of the SDK as a ModelError; yields where a request's id is noted."""
    known: list[str] = []
    try:
        yield known
    except APIStatusError as error:
        request = error.response.headers.get(REQUEST_ID, "")
        raise ModelError(_code_of(error), _message_in(error), request) from error
    except APIConnectionError as error:
        raise ModelError(
            StatusCode.UNAVAILABLE, f"The gateway does not answer: {error}", "".join(known)
        ) from error
    except (APIError, httpx2.HTTPError, json.JSONDecodeError) as error:
        raise ModelError(StatusCode.UNAVAILABLE, _BROKEN_OFF, "".join(known)) from error


def _code_of(error: APIStatusError) -> StatusCode:
    """A limit of the gateway says that a retry does not help; a provider's limit passes."""
    kind, status = _error_in(error).get("type"), error.status_code
    is_final = error.response.headers.get("x-should-retry") == "false"
    if kind == "billing_error" or status == 402 or (status == 429 and is_final):
        return StatusCode.CAP_REACHED
    if status in (429, 500, 502, 503, 529) or status == 200:
        return StatusCode.UNAVAILABLE
    return StatusCode.FAILED


def _message_in(error: APIStatusError) -> str:
    said = _error_in(error).get("message")
    return said if isinstance(said, str) and said else error.message


def _error_in(error: APIStatusError) -> Mapping[str, object]:
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}
