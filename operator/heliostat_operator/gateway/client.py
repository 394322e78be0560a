"""The operator's client of the gateway's REST; the only module that speaks HTTP to it."""

from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError

from heliostat_core.resources import Part
from heliostat_operator.gateway.ledgers import (
    AgentSum,
    GatewayUnavailableError,
    LedgerSum,
    ModelAnswer,
)

_TIMEOUT = aiohttp.ClientTimeout(total=3, connect=1)
Answer = TypeVar("Answer", bound=BaseModel)


class _Revoked(Part):
    revoked: bool


class TokenSource(Protocol):
    """Makes a fresh admin token; see heliostat_core.keys.sign_admin_token."""

    def admin_token(self) -> str: ...


class HttpGateway:
    """Implements heliostat_operator.gateway.ledgers.Gateway over HTTP."""

    def __init__(self, url: str | Callable[[], str], tokens: TokenSource) -> None:
        self._url = url
        self._tokens = tokens
        self._session: aiohttp.ClientSession | None = None

    async def revoke(self, execution_uid: str, attempt: int, expires: int) -> None:
        body: dict[str, str | int] = {
            "execution": execution_uid,
            "attempt": attempt,
            "expires": expires,
        }
        answer = await self._ask(_Revoked, "POST", "/admin/revocations", body)
        if not answer.revoked:
            raise GatewayUnavailableError("The gateway did not confirm the revocation.")

    async def execution_sum(self, execution_uid: str) -> LedgerSum:
        return await self._ask(LedgerSum, "GET", f"/admin/executions/{quote(execution_uid)}")

    async def agent_sum(self, namespace: str, name: str) -> AgentSum:
        return await self._ask(AgentSum, "GET", f"/admin/agents/{quote(namespace)}/{quote(name)}")

    async def model(self, name: str) -> ModelAnswer:
        return await self._ask(ModelAnswer, "GET", f"/admin/models?name={quote(name, safe='')}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(
        self,
        answer: type[Answer],
        method: str,
        path: str,
        body: dict[str, str | int] | None = None,
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        url = self._url if isinstance(self._url, str) else self._url()
        headers = {"Authorization": f"Bearer {self._tokens.admin_token()}"}
        try:
            async with self._session.request(
                method, f"{url}{path}", json=body, headers=headers
            ) as response:
                text = await response.text()
                if response.status != 200:
                    raise GatewayUnavailableError(
                        f"The gateway answered {response.status}: {text[:300]}"
                    )
                return answer.model_validate_json(text)
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            raise GatewayUnavailableError(f"The gateway did not answer: {error!r}") from error
