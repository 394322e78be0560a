"""The gateway as the api asks it, played at the transport: nothing costs anything."""

import json
from datetime import UTC, datetime

import httpx2
from pydantic import JsonValue

from heliostat_api.gateway.client import GatewayPlace
from heliostat_api.gateway.identity import Identity
from heliostat_core.agents import DEFAULT_MODEL
from heliostat_core.keys import new_private_key

_MUCH = 10**12
_NOTHING: dict[str, JsonValue] = {"key": {}, "requests": 0, "tokens": {}, "costNanos": 0}


class PlayedGateway:
    """`owners`: whose a key's text is; its id is what stands before the second underscore."""

    def __init__(self, **owners: str) -> None:
        self.owners = owners
        self.served = {DEFAULT_MODEL}
        self.place = GatewayPlace(
            "http://gateway.test",
            Identity(new_private_key(), lambda: datetime.now(UTC)),
            transport=httpx2.MockTransport(self._answer),
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        match request.url.path.split("/")[2:]:
            case ["budgets", name]:
                return httpx2.Response(200, json=self._budget(request, name))
            case ["keys", "check"]:
                text = json.loads(request.content)["key"]
                known = self._key(text) if text in self.owners else None
                return httpx2.Response(200, json={"details": known})
            case ["people", user, "keys"] if request.method == "POST":
                self.owners["hsk_new_secret"] = user
                made = {"key": "hsk_new_secret", "details": self._key("hsk_new_secret")}
                return httpx2.Response(201, json=made)
            case ["people", user, "keys"]:
                return httpx2.Response(200, json={"keys": self._keys_of(user)})
            case ["people", user, "keys", key_id]:
                own = [each["id"] for each in self._keys_of(user)]
                return httpx2.Response(200 if key_id in own else 404, json={})
            case ["usage"]:
                return httpx2.Response(200, json={"lines": [], "total": _NOTHING, "next": None})
            case ["forecast"]:
                none = {"expectedNanos": None, "lowNanos": None, "highNanos": None}
                return httpx2.Response(200, json={"total": none})
            case ["models"]:
                name = request.url.params["name"]
                served = name.startswith("scripted/") or name in self.served
                said = {"served": served, "message": f"Nobody serves {name}: name another."}
                return httpx2.Response(200, json=said)
            case ["catalog"]:
                models = [{"name": "scripted/hello", "provider": "scripted"}]
                return httpx2.Response(200, json={"models": models})
        return httpx2.Response(404, json={})

    def _budget(self, request: httpx2.Request, name: str) -> dict[str, JsonValue]:
        cap = json.loads(request.content)["capNanos"] if request.content else _MUCH
        return {
            "name": name,
            "capNanos": cap,
            "period": "day",
            "timeZone": "UTC",
            "spentNanos": 0,
            "untilMs": None,
        }

    def _keys_of(self, user: str) -> list[dict[str, JsonValue]]:
        return [self._key(text) for text, owner in self.owners.items() if owner == user]

    def _key(self, text: str) -> dict[str, JsonValue]:
        return {
            "id": text.rpartition("_")[0],
            "name": "script",
            "kind": "user",
            "user": self.owners[text],
            "scopes": ["api"],
            "createdTime": "2026-11-22T12:00:00Z",
            "lastUsedTime": None,
            "expiresTime": None,
            "revokedTime": None,
        }
