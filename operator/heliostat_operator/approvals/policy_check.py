"""Finds out whether the admission policy is in force that holds people to their own names."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from heliostat_core.approvals import (
    Action,
    ActionClass,
    ApprovalSpec,
    Decision,
    ExecutionRef,
)
from heliostat_core.worlds import (
    APPROVAL,
    JsonObject,
    NamespaceTerminatingError,
    UnavailableError,
    WorldError,
)
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.controllers.base import Context

POLICY: Final = "heliostat-approvals"
_TRUSTED_SECONDS: Final = 60.0
_DIGEST: Final = "sha256:" + "0" * 64
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)

logger = logging.getLogger(__name__)


class Trials(Protocol):
    """Creates objects as a trial."""

    async def try_create(self, obj: JsonObject) -> None:
        """Raises what a creation would raise; nothing is made."""


@dataclass(frozen=True)
class _Known:
    time: float
    authority: Authority


class PolicyCheck:
    """Tries a forged decision in a namespace: who may make it has no policy."""

    def __init__(self, trials: Trials, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._trials = trials
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}

    async def authority_of(self, namespace: str) -> Authority:
        """Who vouches for names there; it is tried again after a minute. Raises
        UnavailableError or NamespaceTerminatingError."""
        now = self._monotonic()
        known = self._known.get(namespace)
        if known is not None and now - known.time < _TRUSTED_SECONDS:
            return known.authority
        found = await self._try(namespace)
        if found is Authority.API and (known is None or known.authority is not found):
            logger.error(
                "The admission policy %s is not in force in namespace %s: decisions of kubectl "
                "don't count there. Apply manifests/approvals, or upgrade the chart.",
                POLICY,
                namespace,
            )
        self._known[namespace] = _Known(now, found)
        return found

    async def _try(self, namespace: str) -> Authority:
        try:
            await self._trials.try_create(build_forged(namespace))
        except (UnavailableError, NamespaceTerminatingError):
            raise
        except WorldError as error:
            # Refused for another reason, nothing is known of the policy: it counts as missing.
            return Authority.API_SERVER if f"'{POLICY}'" in str(error) else Authority.API
        return Authority.API


def build_forged(namespace: str) -> JsonObject:
    """An ask that has expired, and on which the operator itself has decided for another."""
    spec = ApprovalSpec(
        execution_ref=ExecutionRef(name="nobody", uid="nobody"),
        action=Action(tool="Bash", class_=ActionClass.UNKNOWN, digest=_DIGEST),
        expires_time=_LONG_AGO,
        decisions=(Decision(by="nobody", decision="Approve", digest=_DIGEST),),
    )
    return {
        "apiVersion": APPROVAL.api_version,
        "kind": APPROVAL.name,
        "metadata": {"name": "heliostat-policy-check", "namespace": namespace},
        "spec": spec.to_json(),
    }


async def find_authority(context: Context, namespace: str) -> Authority:
    """Who vouches for names in a namespace. Without a check there is no API server."""
    check = context.find(PolicyCheck)
    return await check.authority_of(namespace) if check else Authority.NOBODY
