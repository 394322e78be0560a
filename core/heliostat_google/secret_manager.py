"""The one module that talks to Google's Secret Manager."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1.services.secret_manager_service import (
    SecretManagerServiceAsyncClient,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)
from pydantic import SecretStr

from heliostat_core.secret_refs import ManagedSecret
from heliostat_google.identity import NOBODY, Identity
from heliostat_google.problems import SecretProblem, SecretReason, SecretUnavailableError

# At DEBUG, Google's client logs each answer whole: the value would stand in a log.
logging.getLogger("google.cloud.secretmanager_v1").setLevel(logging.INFO)

_SECONDS: Final = 5.0
_ROLES: Final = "roles/secretmanager.viewer and roles/secretmanager.secretAccessor"
_MISSING = (exceptions.NotFound, exceptions.FailedPrecondition, exceptions.InvalidArgument)
_FORBIDDEN = (exceptions.Forbidden, exceptions.Unauthenticated)

Answer = TypeVar("Answer")


class SecretManager:
    """Connects when it is first asked; `endpoint` is a host, with a port where it is not 443."""

    def __init__(self, endpoint: str, identity: Identity | None = None) -> None:
        self._endpoint = endpoint
        self._identity = identity or Identity()
        self._connecting = asyncio.Lock()
        self._client: SecretManagerServiceAsyncClient | None = None

    async def labels(self, secret: str) -> Mapping[str, str]:
        """Its labels. Raises SecretUnavailableError."""

        async def read(client: SecretManagerServiceAsyncClient) -> Mapping[str, str]:
            found = await client.get_secret(name=secret, retry=None, timeout=_SECONDS)
            return dict(found.labels)

        return await self._ask(secret, read)

    async def value(self, secret: ManagedSecret) -> SecretStr:
        """A version's value. Raises SecretUnavailableError."""

        async def read(client: SecretManagerServiceAsyncClient) -> bytes:
            found = await client.access_secret_version(
                name=str(secret), retry=None, timeout=_SECONDS
            )
            return found.payload.data

        return _text(secret, await self._ask(str(secret), read))

    async def close(self) -> None:
        """Ends the connection."""
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]

    async def _ask(
        self, name: str, read: Callable[[SecretManagerServiceAsyncClient], Awaitable[Answer]]
    ) -> Answer:
        try:
            return await read(await self._connected())
        except exceptions.ServiceUnavailable as error:
            is_refused = await self._identity.is_refused()
            problem = _nobody(name) if is_refused else judge(name, error)
        except exceptions.GoogleAPICallError as error:
            problem = judge(name, error)
        except GoogleAuthError:
            problem = _nobody(name)
        # Not `from error`: a library's words are not ours to vouch for.
        raise SecretUnavailableError(problem) from None

    async def _connected(self) -> SecretManagerServiceAsyncClient:
        async with self._connecting:  # the first two callers share one channel
            if self._client is None:
                transport = SecretManagerServiceGrpcAsyncIOTransport(
                    host=self._endpoint,
                    credentials=await self._identity.found(),
                    ssl_channel_credentials=self._identity.trust,
                    always_use_jwt_access=True,
                )
                self._client = SecretManagerServiceAsyncClient(transport=transport)
            return self._client


def _nobody(name: str) -> SecretProblem:
    return SecretProblem(SecretReason.FORBIDDEN, f"Secret {name} can't be read: {NOBODY}")


def judge(name: str, error: exceptions.GoogleAPICallError) -> SecretProblem:
    """What an error says about a secret."""
    word = error.grpc_status_code.name if error.grpc_status_code else type(error).__name__
    if isinstance(error, _MISSING):
        return SecretProblem(
            SecretReason.MISSING,
            f"Secret {name} does not exist, or that version is disabled or destroyed ({word}). "
            "Make it, or name another one.",
        )
    if isinstance(error, _FORBIDDEN):
        return SecretProblem(
            SecretReason.FORBIDDEN,
            f"Secret {name} may not be read, or does not exist ({word}). Give the service account "
            f"of this component {_ROLES} on it.",
        )
    return SecretProblem(
        SecretReason.UNREACHABLE,
        f"Secret Manager does not answer for {name} ({word}). It is asked again by itself.",
    )


def _text(secret: ManagedSecret, content: bytes) -> SecretStr:
    """A variable holds text without the character NUL."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SecretUnavailableError(
            SecretProblem(
                SecretReason.MISSING,
                f"Secret {secret} holds no text, which a variable must be. Add a version of text.",
            )
        )
    return SecretStr(text)
