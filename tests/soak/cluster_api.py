"""What no World does: evictions and taints, asked of the API server as its administrator."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from support.control_plane import Address

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)
_LOST = "soak.heliostat.dev/lost"


class ClusterApi:
    """False where the API server did not do it, for whatever reason: it may be away."""

    def __init__(self, address: Address) -> None:
        self._address = address
        headers = {"Authorization": f"Bearer {address.token}"}
        connector = aiohttp.TCPConnector(ssl=False)  # the server signs its certificate itself
        self._session = aiohttp.ClientSession(
            headers=headers, connector=connector, timeout=_TIMEOUT
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def evict(self, namespace: str, pod: str) -> bool:
        """As a drain does it."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        return await self._ask("POST", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", body)

    async def lose(self, node: str) -> bool:
        """Every pod of the node goes, by the controller of taints."""
        taints = [{"key": _LOST, "effect": "NoExecute"}]
        return await self._ask("PATCH", f"/api/v1/nodes/{node}", {"spec": {"taints": taints}})

    async def find(self, node: str) -> bool:
        """It takes pods again."""
        return await self._ask("PATCH", f"/api/v1/nodes/{node}", {"spec": {"taints": None}})

    async def _ask(self, method: str, path: str, body: Mapping[str, object]) -> bool:
        patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Content-Type": patch}
        try:
            async with self._session.request(
                method, f"{self._address.url}{path}", json=body, headers=headers
            ) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False
