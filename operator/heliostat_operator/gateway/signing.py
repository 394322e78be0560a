"""The operator's key pair: made on first start and kept in a Secret, the public half in another."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from heliostat_core.egress import Domain, Network
from heliostat_core.executions import Attempt, Execution
from heliostat_core.keys import (
    ADMIN_TOKEN_SECONDS,
    execution_claims,
    public_key_id,
    public_pem,
    sign_admin_token,
    sign_execution_key,
)
from heliostat_core.worlds import SECRET, JsonObject, Ref, World
from heliostat_operator.model.effects import StartAttempt
from heliostat_operator.secrets.generated_secrets import build_own_secret, keep_secrets
from heliostat_operator.settings import KeptSecret

PRIVATE_SECRET = "heliostat-signing-key"
PUBLIC_SECRET = "heliostat-gateway-keys"
_PRIVATE_KEY = "private.pem"
_NANOS_PER_MICRO = 1000


class Signer:
    """Signs execution keys and admin tokens with one private key."""

    def __init__(self, private_pem: str, clock: Callable[[], datetime]) -> None:
        self._private_pem = private_pem
        self._clock = clock
        self._admin_token = ("", 0)

    def admin_token(self) -> str:
        """One that is good for half its life at least; signing costs half a millisecond."""
        token, signed = self._admin_token
        now = int(self._clock().timestamp())
        if not 0 <= now - signed < ADMIN_TOKEN_SECONDS / 2:
            token = sign_admin_token(self._private_pem, now)
            self._admin_token = token, now
        return token

    def execution_key(
        self, execution: Execution, start: StartAttempt, never: Sequence[Network] = ()
    ) -> str:
        """The key of an attempt; its caps are those of the whole Execution.

        Of its hosts only the domains: they alone lead through the proxy, and not to `never`.
        """
        attempt: Attempt = start.attempt
        limits, egress = start.frozen.limits, start.frozen.workspace.egress
        claims = execution_claims(
            namespace=execution.metadata.namespace,
            execution=execution.metadata.name,
            execution_uid=execution.metadata.uid,
            attempt=attempt.number,
            agent=execution.spec.agent_ref.name,
            cap_nanos=limits.max_cost_micros * _NANOS_PER_MICRO,
            cap_tokens=limits.max_tokens,
            correlation_id=execution.correlation_id,
            issued=int(self._clock().timestamp()),
            expires=int(attempt.key_expires_time.timestamp()),
            user=start.charge.user,
            budgets=start.charge.budgets,
            egress=[(each.host, each.ports) for each in egress if isinstance(each.target, Domain)],
            refused=tuple(map(str, never)),
        )
        return sign_execution_key(self._private_pem, claims)

    def reading_key(self, execution: Execution, attempt: int) -> str:
        """A key of the run for the operator's own reading at the api; it pays for no call."""
        now = int(self._clock().timestamp())
        claims = execution_claims(
            namespace=execution.metadata.namespace,
            execution=execution.metadata.name,
            execution_uid=execution.metadata.uid,
            attempt=attempt,
            agent=execution.spec.agent_ref.name,
            cap_nanos=0,
            cap_tokens=0,
            correlation_id=execution.correlation_id,
            issued=now,
            expires=now + ADMIN_TOKEN_SECONDS,
        )
        return sign_execution_key(self._private_pem, claims)


async def ensure_signing_key(world: World, namespace: str) -> str:
    """The private key as PEM, made if there is none; the public Secret follows it."""
    private = await _private_key(world, namespace)
    public = public_pem(private)
    await _ensure_public(world, namespace, public)
    return private


async def _private_key(world: World, namespace: str) -> str:
    await keep_secrets(world, namespace, [KeptSecret(name=PRIVATE_SECRET, key=_PRIVATE_KEY)])
    return _decoded(await world.get(Ref(SECRET, namespace, PRIVATE_SECRET)), _PRIVATE_KEY)


async def _ensure_public(world: World, namespace: str, public: str) -> None:
    name = f"{public_key_id(public)}.pem"
    found = await world.get(Ref(SECRET, namespace, PUBLIC_SECRET))
    if found is not None and name in (_data(found)):
        return
    await world.apply(build_own_secret(namespace, PUBLIC_SECRET, {name: public}))


def _data(secret: JsonObject) -> dict[str, str]:
    data = secret.get("data")
    return {key: str(text) for key, text in data.items()} if isinstance(data, dict) else {}


def _decoded(secret: JsonObject | None, key: str) -> str:
    text = _data(secret).get(key) if secret else None
    if text is None:
        raise RuntimeError(f"Secret {PRIVATE_SECRET!r} has no {key!r}. Delete the Secret.")
    return base64.b64decode(text).decode()
