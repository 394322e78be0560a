"""A model request at the scripted server: checked as the real API checks it, and understood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from heliostat_json.objects import JsonObject, object_at, parse_object
from heliostat_scripted.apis import Api
from heliostat_scripted.callers import Keys, check_headers, identify
from heliostat_scripted.checks.chat import check_chat
from heliostat_scripted.checks.gemini import check_gemini, check_gemini_count
from heliostat_scripted.checks.messages import check_messages
from heliostat_scripted.conversation import Heard, hear_messages
from heliostat_scripted.reading.chat import hear_chat
from heliostat_scripted.reading.gemini import hear_gemini, shows_thoughts
from heliostat_scripted.refusals import Refusal, RefusedError
from heliostat_scripted.rendering import Rendering
from heliostat_scripted.rendering.chat import ChatRendering
from heliostat_scripted.rendering.gemini import GeminiRendering
from heliostat_scripted.rendering.messages import MessagesRendering
from heliostat_scripted.scenario_selection import ScenarioSelection, SelectedAnswer
from heliostat_scripted.stream_events import omissions_of

_PRODUCT = re.compile(r"(?:^|\s)scripted-execution/(\S+)")


@dataclass(frozen=True)
class Incoming:
    """What came over HTTP. `model` and `stream` are Gemini's, whose path names them."""

    api: Api
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    counts_only: bool = False
    model: str = ""
    stream: bool = False


@dataclass(frozen=True)
class Understood:
    """A request that the real API would accept."""

    incoming: Incoming
    document: JsonObject
    heard: Heard
    scenario: str
    key: str  # name of the caller's key
    execution: str


def understand(incoming: Incoming, keys: Keys, selection: ScenarioSelection) -> Understood:
    """Checks the caller and the request. Raises RefusedError in the real API's words."""
    key = identify(incoming.api, incoming.headers, keys)
    check_headers(incoming.api, incoming.headers)
    document = parse_object(incoming.body)
    if document is None:
        message = "The request body is not valid JSON: it must be an object."
        raise RefusedError(Refusal(400, "invalid_request_error", message, "body"))
    document = _checked(incoming, document)
    heard = _heard(incoming, document)
    scenario = selection.name_of(heard.model)
    if scenario is None:
        raise RefusedError(_no_model(incoming.api, heard.model))
    return Understood(incoming, document, heard, scenario, key, _execution(incoming, heard))


def build_rendering(asked: Understood, played: SelectedAnswer, request_id: str) -> Rendering:
    """The dialect of the answer."""
    omissions = omissions_of(played.fault)
    if asked.incoming.api is Api.CHAT:
        options = object_at(asked.document, "stream_options")
        return ChatRendering(played.script, omissions, options.get("include_usage") is True)
    if asked.incoming.api is Api.GEMINI:
        thoughts = shows_thoughts(asked.document)
        return GeminiRendering(played.script, omissions, thoughts, request_id)
    return MessagesRendering(played.script, omissions)


def _checked(incoming: Incoming, document: JsonObject) -> JsonObject:
    if incoming.api is Api.MESSAGES:
        beta = bool(incoming.headers.get("anthropic-beta"))
        check_messages(document, beta=beta, counts_only=incoming.counts_only)
    elif incoming.api is Api.CHAT:
        check_chat(document)
    elif incoming.counts_only:
        return check_gemini_count(document)
    else:
        check_gemini(document, incoming.model)
    return document


def _execution(incoming: Incoming, heard: Heard) -> str:
    """What the bill can be asked for: a header, else Claude Code's session, else the user.

    A gateway that translates keeps none of these; the user agent it keeps.
    """
    names = ("x-scripted-execution", "x-claude-code-session-id")
    named = next((incoming.headers[name] for name in names if name in incoming.headers), "")
    product = _PRODUCT.search(incoming.headers.get("user-agent", ""))
    return named or (product.group(1) if product else heard.user)


def _heard(incoming: Incoming, document: JsonObject) -> Heard:
    if incoming.api is Api.MESSAGES:
        return hear_messages(document)
    if incoming.api is Api.CHAT:
        return hear_chat(document)
    return hear_gemini(incoming.model, document, stream=incoming.stream)


def _no_model(api: Api, model: str) -> Refusal:
    message = {
        Api.MESSAGES: f"model: {model}",
        Api.CHAT: f"The model `{model}` does not exist or you do not have access to it.",
        Api.GEMINI: f"models/{model} is not found for API version v1beta, or is not supported for "
        "generateContent.",
    }[api]
    return Refusal(404, "not_found_error", message, "model")
