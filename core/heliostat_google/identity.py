"""Who we are to Google."""

import asyncio
from dataclasses import dataclass
from typing import Final

import google.auth
import grpc
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

NOBODY: Final = "this pod has no Google identity. Bind its service account by Workload Identity."
_SECONDS: Final = 5.0
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Identity:
    """Whose rights count. By default those of the process: Workload Identity in a cluster."""

    credentials: Credentials | None = None
    trust: grpc.ChannelCredentials | None = None

    async def found(self) -> Credentials:
        """Asks the metadata server, and waits for it, where none are given. Raises
        GoogleAuthError."""
        if self.credentials is not None:
            return self.credentials
        return await asyncio.to_thread(_own_credentials)

    async def is_refused(self) -> bool:
        """Whether Google gives this pod no token, as while Workload Identity is not bound. False
        where nobody answers.

        To be asked after UNAVAILABLE: so gRPC calls both, and a service that is away.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                await asyncio.to_thread(_renew, await self.found())
        except RefreshError as error:
            return not (error.retryable or _is_unanswered(error.__cause__))
        except (GoogleAuthError, TimeoutError):
            return False
        return False


def _renew(credentials: Credentials) -> None:
    # A key of a service account signs its tokens itself.
    if not credentials.valid and not isinstance(credentials, service_account.Credentials):
        credentials.refresh(Request())  # type: ignore[no-untyped-call]


def _is_unanswered(cause: BaseException | None) -> bool:
    """The metadata server's answer, where there is one, comes after the words."""
    return isinstance(cause, TransportError) and len(cause.args) < 2


def _own_credentials() -> Credentials:
    credentials, _project = google.auth.default(scopes=[_SCOPE])
    assert isinstance(credentials, Credentials)
    return credentials
