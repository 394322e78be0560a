"""The gateway as the api asks it, played at the transport: nothing costs anything."""

import json
from datetime import UTC, datetime

import httpx2
from pydantic import JsonValue

from heliostat_api.gateway.client import GatewayPlace, Identity
from heliostat_core.agents import DEFAULT_MODEL
from heliostat_core.keys import new_private_key

_MADE = "2026-11-22T12:00:00Z"
_MUCH = 10**12
_NOTHING: dict[str, JsonValue] = {"key": {}, "requests": 0, "tokens": {}, "costNanos": 0}


class PlayedGateway:
    """`owners`: whose a key's text is; its id is what stands before the second underscore."""

    def __init__(self, **owners: str) -> None:
        self.owners = owners
        self.made = 0
        self.revoked: set[str] = set()
        self.budgets: dict[str, int] = {}
        self.served = {DEFAULT_MODEL}
        self.place = GatewayPlace(
            "http://gateway.test",
            Identity(new_private_key(), lambda: datetime.now(UTC)),
            transport=httpx2.MockTransport(self.answer),
        )

    def copy(self) -> "PlayedGateway":
        """Another one that has made the same."""
        other = PlayedGateway(**self.owners)
        other.made, other.revoked, other.budgets = self.made, {*self.revoked}, {**self.budgets}
        return other

    def left(self) -> list[str]:
        """What was made there, as text."""
        keys = [f"key of {each}" for key, each in self.owners.items() if key not in self.revoked]
        return [*keys, *(f"budget {name} {cap}" for name, cap in self.budgets.items())]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Of keys and budgets here, of the rest below."""
        match request.url.path.split("/")[2:]:
            case ["budgets", name] if request.method == "DELETE":
                return httpx2.Response(200 if self.budgets.pop(name, None) else 404, json={})
            case ["budgets", name]:
                return httpx2.Response(200, json=self._budget(request, name))
            case ["users", _]:
                return httpx2.Response(200, json={"open": 0})
        return self._answer(request)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        match request.url.path.split("/")[2:]:
            case ["keys", "check"]:
                text = json.loads(request.content)["key"]
                known = self._key(text) if text in self.owners else None
                return httpx2.Response(200, json={"details": known})
            case ["people", user, "keys"] if request.method == "POST":
                text = f"hsk_new{self.made}_secret"
                self.made += 1
                self.owners[text] = user
                return httpx2.Response(201, json={"key": text, "details": self._key(text)})
            case ["people", user, "keys"]:
                return httpx2.Response(200, json={"keys": self._keys_of(user)})
            case ["people", user, "keys", key_id]:
                own = [each for each in self.owners if each.startswith(f"{key_id}_")]
                is_own = any(self.owners[each] == user for each in own)
                self.revoked |= {*own} if is_own else set()
                return httpx2.Response(200 if is_own else 404, json={})
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
        if request.method == "PUT":
            self.budgets[name] = cap
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
            "createdTime": _MADE,
            "lastUsedTime": None,
            "expiresTime": None,
            "revokedTime": _MADE if text in self.revoked else None,
        }
