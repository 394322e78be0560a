"""Secrets with a random value are made once where they are missing, and kept over upgrades.

A template can't make them: GitOps renders anew each time, and a new password every time would lock
everybody out.
"""

import base64
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress

from heliostat_core.keys import new_private_key
from heliostat_core.names import MANAGED_BY, MANAGED_BY_LABEL
from heliostat_core.worlds import SECRET, AlreadyExistsError, JsonObject, Ref, World
from heliostat_operator.settings import KeptSecret

_BYTES = 32


async def keep_secrets(world: World, namespace: str, wanted: Iterable[KeptSecret]) -> None:
    """Makes those that are missing; another replica may do the same."""
    for each in wanted:
        if await world.get(Ref(SECRET, namespace, each.name)) is None:
            with suppress(AlreadyExistsError):
                await world.create(build_kept_secret(namespace, each))


def build_kept_secret(namespace: str, wanted: KeptSecret) -> JsonObject:
    """A Secret with 256 random bits as text that needs no escape; a private key for `*.pem`."""
    is_key = wanted.key.endswith(".pem")
    value = new_private_key() if is_key else secrets.token_hex(_BYTES)
    return build_own_secret(namespace, wanted.name, {wanted.key: value})


def build_own_secret(namespace: str, name: str, texts: Mapping[str, str]) -> JsonObject:
    """A Secret of the operator's own."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY},
        },
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()},
    }
