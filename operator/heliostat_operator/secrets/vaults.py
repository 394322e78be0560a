"""Values of Secret Manager for agents: what their specs name, and their owners give them."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from heliostat_core.secret_labels import NAMESPACES_LABEL, is_for_agents, namespaces_of
from heliostat_core.secret_refs import ManagedRef, ManagedSecret
from heliostat_google.keeping import Ages, KeptAnswers
from heliostat_google.problems import SecretProblem, SecretReason, SecretUnavailableError
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets


class SecretReader(Protocol):
    """Where secrets are read; see heliostat_google.secret_manager."""

    async def labels(self, secret: str) -> Mapping[str, str]: ...

    async def value(self, secret: ManagedSecret) -> SecretStr: ...


class Vault(Protocol):
    """What a run's Secret is filled from."""

    async def look(self, namespace: str, refs: Sequence[ManagedRef]) -> ResolvedSecrets:
        """The values for an agent of that namespace. All of them, or none."""
        ...


class NoVault:
    """Where the operator reads no Secret Manager."""

    async def look(self, namespace: str, refs: Sequence[ManagedRef]) -> ResolvedSecrets:  # noqa: ARG002
        """See Vault."""
        if not refs:
            return NOTHING
        problem = SecretProblem(
            SecretReason.FORBIDDEN,
            f"Secret {refs[0].secret} can't be read: this operator reads no Secret Manager. Set "
            "HELIOSTAT_OPERATOR_SECRET_MANAGER_ENDPOINT, or take a Secret of the namespace.",
        )
        return ResolvedSecrets(problem=problem)


class SecretManagerVault:
    """Labels are judged before a value is asked for: what is refused is never read."""

    def __init__(
        self,
        reader: SecretReader,
        reserved: Collection[str],
        ages: Ages,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`reserved` are the gateway's own secrets, by their full names."""
        self._reader = reader
        self._reserved = frozenset(each.rpartition("/")[2] for each in reserved)
        self._ages = ages
        self._labels: KeptAnswers[Mapping[str, str]] = KeptAnswers(ages, clock)
        self._values: KeptAnswers[SecretStr] = KeptAnswers(ages, clock)

    async def look(self, namespace: str, refs: Sequence[ManagedRef]) -> ResolvedSecrets:
        """See Vault."""
        try:
            return ResolvedSecrets(
                {each.env_name: await self._read(namespace, each) for each in refs}
            )
        except SecretUnavailableError as error:
            return ResolvedSecrets(problem=error.problem)

    async def _read(self, namespace: str, ref: ManagedRef) -> SecretStr:
        secret = ref.secret
        # Its name says enough; nothing is asked of what is the gateway's.
        if secret.id in self._reserved:
            raise SecretUnavailableError(_is_the_gateways(secret))
        labels = await self._labels.get(secret.secret, lambda: self._reader.labels(secret.secret))
        problem = judge_labels(namespace, secret, labels)
        if problem is not None:
            raise SecretUnavailableError(problem)
        return await self._values.get(
            str(secret),
            lambda: self._reader.value(secret),
            refresh=self._ages.pinned if secret.is_pinned else None,
        )


def judge_labels(
    namespace: str, secret: ManagedSecret, labels: Mapping[str, str]
) -> SecretProblem | None:
    """Whether agents of that namespace may have it."""
    if not is_for_agents(labels):
        return _is_the_gateways(secret)
    if namespace in namespaces_of(labels):
        return None
    return SecretProblem(
        SecretReason.REFUSED,
        f"Secret {secret.secret} is not given to namespace {namespace!r}. Whoever owns it adds the "
        f"namespace to its label {NAMESPACES_LABEL}.",
    )


def _is_the_gateways(secret: ManagedSecret) -> SecretProblem:
    """The id alone counts: a project has an id and a number, and nobody here can tell that they
    are the same."""
    return SecretProblem(
        SecretReason.REFUSED,
        f"Secret {secret.secret} is kept for the gateway, as its id or its label heliostat-use "
        "says: no agent gets it. Name another secret.",
    )
