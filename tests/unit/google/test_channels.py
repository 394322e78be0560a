"""The clients of Google's services: one channel each, whoever asks first."""

import asyncio

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials, Credentials

from heliostat_google.identity import Identity
from heliostat_google.scheduler import CloudScheduler
from heliostat_google.secret_manager import SecretManager


class SlowIdentity(Identity):
    """As where the metadata server is asked: others go on meanwhile."""

    async def found(self) -> Credentials:
        await asyncio.sleep(0)
        return AnonymousCredentials()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("client", [CloudScheduler, SecretManager])
async def test_the_first_two_callers_share_a_channel(
    client: type[CloudScheduler] | type[SecretManager],
) -> None:
    opened = client("127.0.0.1:9", SlowIdentity(trust=grpc.local_channel_credentials()))
    first, second = await asyncio.gather(opened._connected(), opened._connected())
    assert first is second
    await opened.close()
