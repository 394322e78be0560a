"""The client of the gateway's REST: the only module of the api that asks it over HTTP.

The api is known there by a key pair of its own, made once and kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import httpx2
from pydantic import JsonValue, ValidationError

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.gateway.documents import (
    Answer,
    Budget,
    Catalog,
    CheckedKey,
    Forgotten,
    IssuedKey,
    Key,
    Keys,
    Model,
    ModelStatus,
    Month,
    Nothing,
    Refusal,
    UsageLine,
    UsagePage,
)
from heliostat_api.people.keysets import tls
from heliostat_api.people.secrets import keep_first
from heliostat_core.keys import (
    ADMIN_TOKEN_SECONDS,
    new_private_key,
    person_claims,
    public_key_id,
    public_pem,
    sign_api_token,
    sign_person_key,
)

_TIMEOUT: Final = httpx2.Timeout(5, connect=1)
_PROBE_TIMEOUT: Final = httpx2.Timeout(1)  # a kubelet waits 5 s for the api's own answer
_REPORTS_TIMEOUT: Final = httpx2.Timeout(25, connect=1)  # the gateway gives up after 20
_LONGEST_WORDS: Final = 300
PERSON_KEY_SECONDS: Final = 3600
"""A key lasts for one answer with all of its steps: it is checked when a call begins."""
Read = TypeVar("Read", bound=Answer)


class SigningKeyError(Exception):
    """The file can't serve; the text names it, and never what is in it."""


def read_signing_key(path: Path, *, makes: bool) -> str:
    """The private key of a file as PEM; made where there is none, if wanted.

    Raises SigningKeyError.
    """
    if makes:
        keep_first(path, new_private_key().encode)
    try:
        pem = path.read_text(encoding="ascii")
        public_pem(pem)
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"{path} must hold an Ed25519 private key in PEM form") from error
    return pem


class Identity:
    """Signs in the api's name."""

    def __init__(self, private_pem: str, clock: Callable[[], datetime]) -> None:
        self._private_pem = private_pem
        self._clock = clock
        self._admin_token = ("", 0)

    def admin_token(self) -> str:
        """One that is good for half its life at least; signing costs half a millisecond."""
        token, signed = self._admin_token
        now = self._now()
        if not 0 <= now - signed < ADMIN_TOKEN_SECONDS / 2:
            token = sign_api_token(self._private_pem, now)
            self._admin_token = token, now
        return token

    def person_key(self, person: str, conversation: str, budgets: tuple[str, ...]) -> str:
        """A key on which calls are charged to a person, and count on those budgets."""
        now = self._now()
        claims = person_claims(
            person=person,
            conversation=conversation,
            budgets=budgets,
            correlation_id=conversation,
            issued=now,
            expires=now + PERSON_KEY_SECONDS,
        )
        return sign_person_key(self._private_pem, claims)

    def published(self) -> tuple[str, str]:
        """Name and text of the file in which the gateway finds the public half."""
        public = public_pem(self._private_pem)
        return f"{public_key_id(public)}.pem", public

    def _now(self) -> int:
        return int(self._clock().timestamp())


@dataclass(frozen=True)
class Users:
    """Whose calls are asked for: at least one, for nobody named would be everybody."""

    first: str
    more: tuple[str, ...] = ()

    def parameters(self) -> list[tuple[str, str]]:
        """As the gateway takes them."""
        return [("user", each) for each in (self.first, *self.more)]


@dataclass(frozen=True)
class UsageQuestion:
    """Sums by one dimension (none: only the total) over whole days of a time zone."""

    users: Users
    by: str
    first: date
    last: date
    time_zone: str

    def parameters(self) -> list[tuple[str, str]]:
        """As the gateway takes them: its last day is not included."""
        return [
            ("by", self.by),
            ("from", self.first.isoformat()),
            ("to", (self.last + timedelta(days=1)).isoformat()),
            ("timeZone", self.time_zone),
            ("limit", "1000"),
            *self.users.parameters(),
        ]


@dataclass(frozen=True)
class GatewayPlace:
    """Where the gateway is, and who the api is there."""

    url: str
    identity: Identity
    reports_url: str = ""
    """Where reports are asked for, if that is somewhere else: the writer of a shared ledger."""
    transport: httpx2.AsyncBaseTransport | None = None
    """How it is reached; None: over the network."""


class Gateway:
    """Each call raises GatewayAwayError, and all do where there is no place to ask."""

    def __init__(self, place: GatewayPlace | None) -> None:
        self._place = place
        self._client: httpx2.AsyncClient | None = None
        self._was_let_in = False

    async def refuses_us(self) -> bool:
        """Whether the gateway does not know the api's public key yet.

        It mounts the key, and a kubelet brings a new file within a minute or two. False once it
        let the api in, and while it gives no answer.
        """
        if self._place is None or self._was_let_in:
            return False
        try:
            url = f"{self._place.url}/admin/budgets/none"
            response = await self._send("GET", url, None, _PROBE_TIMEOUT)
        except httpx2.HTTPError:
            return False
        self._was_let_in = response.status_code != HTTPStatus.UNAUTHORIZED
        return not self._was_let_in

    async def budget(self, name: str) -> Budget | None:
        """One budget; None for one that is not defined."""
        return await self._find(Budget, "GET", f"/admin/budgets/{quote(name, safe='')}")

    async def put_budget(self, name: str, cap_nanos: int, period: str) -> Budget:
        """Defines it, or defines it anew: what is spent stays spent."""
        body: dict[str, JsonValue] = {"capNanos": cap_nanos, "period": period, "timeZone": "UTC"}
        return await self._ask(Budget, "PUT", f"/admin/budgets/{quote(name, safe='')}", body)

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""
        path = f"/admin/budgets/{quote(name, safe='')}"
        return await self._find(Nothing, "DELETE", path) is not None

    async def models(self) -> tuple[Model, ...]:
        """Every model that is served now."""
        return (await self._ask(Catalog, "GET", "/admin/catalog")).models

    async def model(self, name: str) -> ModelStatus:
        """Whether a model would be served now, whatever its name."""
        return await self._ask(ModelStatus, "GET", f"/admin/models?{urlencode({'name': name})}")

    async def usage(self, asked: UsageQuestion) -> tuple[tuple[UsageLine, ...], UsageLine]:
        """Every line, and the sum over all of them."""
        lines: list[UsageLine] = []
        parameters = asked.parameters()
        while True:
            page = await self._report(UsagePage, f"/admin/usage?{urlencode(parameters)}")
            lines += page.lines
            if page.next is None:
                return tuple(lines), page.total
            parameters = [*asked.parameters(), ("cursor", page.next)]

    async def month(self, users: Users, time_zone: str) -> Month:
        """What those users will have spent in the month that is going on."""
        parameters = [("timeZone", time_zone), ("limit", "1"), *users.parameters()]
        return await self._report(Month, f"/admin/forecast?{urlencode(parameters)}")

    async def forget(self, user: str) -> bool:
        """Takes the name out of what is booked; False while calls of theirs are open."""
        path = f"/admin/users/{quote(user, safe='')}"
        return (await self._report(Forgotten, path, "DELETE")).open == 0

    async def keys(self, person: str) -> tuple[Key, ...]:
        """A person's keys, oldest first, revoked ones too."""
        return (await self._ask(Keys, "GET", _keys_of(person))).keys

    async def make_key(self, person: str, wanted: Mapping[str, JsonValue]) -> IssuedKey:
        """A new key of that person."""
        return await self._ask(IssuedKey, "POST", _keys_of(person), wanted)

    async def revoke_key(self, person: str, key_id: str) -> bool:
        """Ends a key; False when the person has no such one."""
        path = f"{_keys_of(person)}/{quote(key_id, safe='')}"
        return await self._find(Nothing, "DELETE", path) is not None

    async def check_key(self, key: str) -> Key | None:
        """Whose key this is; None for one that is no good."""
        return (await self._ask(CheckedKey, "POST", "/admin/keys/check", {"key": key})).details

    def person_key(self, person: str, conversation: str, budgets: tuple[str, ...]) -> str:
        """A key on which calls are charged to a person, and count on those budgets."""
        return self._known_place().identity.person_key(person, conversation, budgets)

    @property
    def url(self) -> str:
        """Where model calls go."""
        return self._known_place().url

    async def close(self) -> None:
        """Ends its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _report(self, read: type[Read], path: str, method: str = "GET") -> Read:
        found = await self._find(read, method, path, is_report=True)
        if found is None:
            raise GatewayAwayError(
                "The gateway makes no reports: HELIOSTAT_API_REPORTS_URL must be the writer of its "
                "shared ledger."
            )
        return found

    async def _ask(
        self,
        read: type[Read],
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None = None,
    ) -> Read:
        found = await self._find(read, method, path, body)
        if found is None:
            raise GatewayAwayError(f"The gateway knows no {method} {path}: is it an older one?")
        return found

    async def _find(
        self,
        read: type[Read],
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None = None,
        *,
        is_report: bool = False,
    ) -> Read | None:
        """None for a 404."""
        place = self._known_place()
        url = place.reports_url or place.url if is_report else place.url
        timeout = _REPORTS_TIMEOUT if is_report else _TIMEOUT
        try:
            response = await self._send(method, f"{url}{path}", body, timeout)
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            if not response.is_success:
                raise GatewayAwayError(_words(response))
            return read.model_validate_json(response.content or b"{}")
        except (httpx2.HTTPError, ValidationError) as error:
            raise GatewayAwayError(f"The gateway gave no answer that helps: {error!r}") from error

    async def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, JsonValue] | None,
        timeout: httpx2.Timeout,
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self._known_place().identity.admin_token()}"}
        return await self._connections().request(
            method, url, json=body, headers=headers, timeout=timeout
        )

    def _known_place(self) -> GatewayPlace:
        if self._place is None:
            raise GatewayAwayError("This api knows no gateway.")
        return self._place

    def _connections(self) -> httpx2.AsyncClient:
        if self._client is None:
            transport = self._known_place().transport
            self._client = httpx2.AsyncClient(
                timeout=_TIMEOUT, verify=tls(), trust_env=False, transport=transport
            )
        return self._client


def _keys_of(person: str) -> str:
    return f"/admin/people/{quote(person, safe='')}/keys"


def _words(response: httpx2.Response) -> str:
    try:
        said = Refusal.model_validate_json(response.content).error.message
    except ValidationError:
        said = response.text
    return f"The gateway answered {response.status_code}: {said[:_LONGEST_WORDS]}"
