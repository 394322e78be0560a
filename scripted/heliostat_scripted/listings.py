"""The lists of models, in the shape of the dialect that asks."""

from dataclasses import dataclass

from aiohttp import web

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.apis import Api
from heliostat_scripted.callers import Keys, identify
from heliostat_scripted.refusals import RefusedError, refusal_body
from heliostat_scripted.scenario_selection import PREFIX, ScenarioSelection

_CREATED = 1_790_000_000
_CREATED_AT = "2026-09-21T13:33:20Z"
_METHODS = ["generateContent", "countTokens"]
_OUTPUT_LIMIT = 65_536
_INPUT_LIMIT = 1_000_000


@dataclass(frozen=True)
class _Listings:
    selection: ScenarioSelection
    keys: Keys

    async def models(self, request: web.Request) -> web.Response:
        """Whose list is seen by the headers: Anthropic's, Google's, else OpenAI's."""
        api = Api.CHAT
        if "anthropic-version" in request.headers:
            api = Api.MESSAGES
        elif "x-goog-api-key" in request.headers:
            api = Api.GEMINI
        return self._answer(request, api)

    async def gemini_models(self, request: web.Request) -> web.Response:
        """Google's list."""
        return self._answer(request, Api.GEMINI)

    def _answer(self, request: web.Request, api: Api) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            identify(api, headers, self.keys)
        except RefusedError as error:
            body, status = refusal_body(api, error.refusal, ""), error.refusal.status
        else:
            body, status = dump_object(self._document(api)), 200
        return web.Response(status=status, body=body, content_type="application/json")

    def _document(self, api: Api) -> JsonObject:
        names = [f"{PREFIX}{name}" for name in sorted(self.selection.scenarios)]
        if api is Api.MESSAGES:
            return {
                "data": [_messages_model(name) for name in names],
                "has_more": False,
                "first_id": names[0] if names else None,
                "last_id": names[-1] if names else None,
            }
        if api is Api.CHAT:
            return {"object": "list", "data": [_chat_model(name) for name in names]}
        return {"models": [_gemini_model(name) for name in names]}


def add_listings(app: web.Application, selection: ScenarioSelection, keys: Keys) -> None:
    """Adds the routes."""
    listings = _Listings(selection, keys)
    app.router.add_get("/v1/models", listings.models)
    app.router.add_get("/v1beta/models", listings.gemini_models)


def _messages_model(name: str) -> JsonObject:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _CREATED_AT,
        "lifecycle": "active",
        "max_input_tokens": _INPUT_LIMIT,
        "max_tokens": _OUTPUT_LIMIT,
    }


def _chat_model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "scripted"}


def _gemini_model(name: str) -> JsonObject:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "version": "1",
        "inputTokenLimit": _INPUT_LIMIT,
        "outputTokenLimit": _OUTPUT_LIMIT,
        "supportedGenerationMethods": [*_METHODS],
    }
