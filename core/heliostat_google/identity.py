"""Who we are to Google."""

import asyncio
from dataclasses import dataclass
from typing import Final

import google.auth
import grpc
from google.auth.credentials import Credentials

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


def _own_credentials() -> Credentials:
    credentials, _project = google.auth.default(scopes=[_SCOPE])
    assert isinstance(credentials, Credentials)
    return credentials
