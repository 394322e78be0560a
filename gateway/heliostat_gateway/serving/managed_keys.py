"""Providers' keys from Google's Secret Manager, looked at again while the gateway runs."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from pydantic import SecretStr

from heliostat_core.secret_labels import GATEWAY_USE, USE_LABEL, is_for_gateway
from heliostat_core.secret_refs import ManagedSecret
from heliostat_gateway.providers.credentials import Credential, is_one_word, pick
from heliostat_gateway.tasks import end_task
from heliostat_google.keeping import Ages, KeptAnswers
from heliostat_google.problems import SecretProblem, SecretReason, SecretUnavailableError

_LOG = logging.getLogger(__name__)
_SOONER_SECONDS = 10.0


class SecretReader(Protocol):
    """Where secrets are read; see heliostat_google.secret_manager."""

    async def labels(self, secret: str) -> Mapping[str, str]:
        """Its labels. Raises SecretUnavailableError."""
        ...

    async def value(self, secret: ManagedSecret) -> SecretStr:
        """A version's value. Raises SecretUnavailableError."""
        ...

    async def close(self) -> None:
        """Ends the connection."""
        ...


class ManagedKeys:
    """Keys by variable. Only secrets that are marked as the gateway's are taken: by that mark the
    operator keeps them from agents, so one without it might be an agent's as well."""

    def __init__(
        self,
        reader: SecretReader,
        secrets: Mapping[str, ManagedSecret],
        ages: Ages,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._secrets = secrets
        self._ages = ages
        self._labels: KeptAnswers[Mapping[str, str]] = KeptAnswers(ages, clock)
        self._values: KeptAnswers[SecretStr] = KeptAnswers(ages, clock)
        self._keys: dict[str, SecretStr] = {}
        self._problems: dict[str, SecretProblem] = {}
        self._looking: asyncio.Task[None] | None = None

    def credentials(self, variable: str) -> tuple[Credential, ...]:
        """The keys of a variable and of its numbered forms."""
        return pick(variable, self._keys)

    async def start(self) -> None:
        """Looks once, then again and again until it is closed."""
        await self.look()
        self._looking = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        """Stops looking."""
        if self._looking is not None:
            await end_task(self._looking)
        await self._reader.close()

    async def look(self) -> None:
        """Takes what is there now; says what is not, once for each change."""
        await asyncio.gather(*(self._take(*each) for each in self._secrets.items()))

    async def _keep_looking(self) -> None:
        while True:
            pause = self._ages.refresh
            await asyncio.sleep(min(pause, _SOONER_SECONDS) if self._problems else pause)
            await self.look()

    async def _take(self, variable: str, secret: ManagedSecret) -> None:
        try:
            self._keys[variable] = await self._read(secret)
        except SecretUnavailableError as error:
            self._keys.pop(variable, None)
            if self._problems.get(variable) != error.problem:
                _LOG.error("%s has no key: %s", variable, error.problem.message)
            self._problems[variable] = error.problem
        else:
            if self._problems.pop(variable, None) is not None:
                _LOG.info("%s has a key again", variable)

    async def _read(self, secret: ManagedSecret) -> SecretStr:
        labels = await self._labels.get(secret.secret, lambda: self._reader.labels(secret.secret))
        if not is_for_gateway(labels):
            raise SecretUnavailableError(
                SecretProblem(
                    SecretReason.REFUSED,
                    f"Secret {secret.secret} is not marked as the gateway's. Set its label "
                    f"{USE_LABEL}={GATEWAY_USE}, which keeps it from every agent.",
                )
            )
        value = await self._values.get(
            str(secret),
            lambda: self._reader.value(secret),
            refresh=self._ages.pinned if secret.is_pinned else None,
        )
        return _key(secret, value)


def _key(secret: ManagedSecret, value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not is_one_word(text):
        raise SecretUnavailableError(
            SecretProblem(
                SecretReason.MISSING,
                f"Secret {secret} holds no key: one word of plain characters. Add a version.",
            )
        )
    return SecretStr(text)
