"""Where the gateway finds the api's public key on a cluster: a ConfigMap that it mounts."""

from dataclasses import dataclass
from typing import Final

from heliostat_api.gateway.client import Identity
from heliostat_api.web.background import repeat
from heliostat_core.names import MANAGED_BY, MANAGED_BY_LABEL
from heliostat_core.worlds import CONFIG_MAP, World, WorldError

_AGAIN_SECONDS: Final = 10.0
_KEEP_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Publishing:
    """`address` is `namespace/name` of the ConfigMap."""

    world: World
    address: str
    identity: Identity

    async def publish(self) -> None:
        """May be repeated; a key that was there before goes. Raises WorldError."""
        namespace, _, name = self.address.partition("/")
        file, text = self.identity.published()
        await self.world.apply(
            {
                "apiVersion": CONFIG_MAP.api_version,
                "kind": CONFIG_MAP.name,
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": {MANAGED_BY_LABEL: MANAGED_BY},
                },
                "data": {file: text},
            }
        )

    async def run(self) -> None:
        """Until it is cancelled: somebody may delete it."""
        later = "the gateway does not get our public key"
        await repeat(self._publish_again, _AGAIN_SECONDS, WorldError, later)

    async def _publish_again(self) -> float:
        await self.publish()
        return _KEEP_SECONDS
