"""The key on which the one person of `heliostat dev` chats."""

import time
from dataclasses import dataclass

from heliostat_api.people.person import Person
from heliostat_cli.embedded.host import embedded_operator_settings
from heliostat_core.keys import execution_claims, sign_execution_key
from heliostat_core.worlds import World
from heliostat_operator.signing import ensure_signing_key

_SECONDS = 3600


@dataclass(frozen=True)
class DevKeys:
    """PersonKeys signed with this folder's own key: a conversation is booked like a run."""

    world: World

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """See PersonKeys."""
        private = await ensure_signing_key(self.world, embedded_operator_settings().namespace)
        now = int(time.time())
        claims = execution_claims(
            namespace=person.id,
            execution=conversation_id,
            execution_uid=conversation_id,
            attempt=1,
            agent="chat",
            cap_nanos=None,
            cap_tokens=None,
            correlation_id=conversation_id,
            issued=now,
            expires=now + _SECONDS,
        )
        return sign_execution_key(private, claims)
