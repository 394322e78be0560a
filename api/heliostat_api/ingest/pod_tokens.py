"""Tokens of pods: a projected service-account token that is bound to the api's audience.

The cluster says whose pod presents it (TokenReview), and the pod says whose attempt it is. That
is believed until shortly before the token's end.
"""

import asyncio
import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import jwt
from cachetools import TLRUCache
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heliostat_api.base.texts import plain
from heliostat_api.web.problems import ProblemError
from heliostat_core.executions import Execution
from heliostat_core.keys import ExecutionClaims, execution_claims
from heliostat_core.names import (
    ATTEMPT_LABEL,
    EXECUTION_ANNOTATION,
    EXECUTION_UID_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import EXECUTION, POD, TOKEN_REVIEW, JsonObject, Ref, World

SLACK_SECONDS: Final = 30
"""Before the token's end it is reviewed anew: by then its pod has a new one."""
_MOST_KEPT: Final = 10_000
_AT_ONCE: Final = 8
_POD = "authentication.kubernetes.io/pod-"
_ACCOUNT: Final = "system:serviceaccount:"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _User(_Part):
    username: str = ""
    extra: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def word(self, name: str) -> str:
        return next(iter(self.extra.get(name, ())), "")


class _Review(_Part):
    """The status of a TokenReview."""

    authenticated: bool = False
    audiences: tuple[str, ...] = ()
    error: str = ""
    user: _User = _User()


class _Reviewed(_Part):
    status: _Review = _Review()


class PodTokens:
    """Asks `world`, the cluster that the api runs in. `clock` is seconds since the epoch."""

    def __init__(self, world: World, audience: str, clock: Callable[[], float]) -> None:
        self._world = world
        self._audience = audience
        self._clock = clock
        self._kept: TLRUCache[str, ExecutionClaims] = TLRUCache(_MOST_KEPT, _believed_until, clock)
        self._asking = asyncio.Semaphore(_AT_ONCE)

    def may_be(self, token: str) -> bool:
        """Whether it looks like one, so that nothing else is asked about."""
        claims = _unverified(token)
        audiences = claims.get("aud")
        return isinstance(audiences, list) and "kubernetes.io" in claims

    async def claims(self, token: str) -> ExecutionClaims:
        """Whose attempt it is. Raises a problem with status 401 or 403, and WorldErrors."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        if kept := self._kept.get(digest):
            return kept
        async with self._asking:
            claims = await self._read(token)
        self._kept[digest] = claims
        return claims

    async def _read(self, token: str) -> ExecutionClaims:
        end = _unverified(token).get("exp")
        user = await self._review(token)
        namespace = user.username.removeprefix(_ACCOUNT).partition(":")[0]
        pod = await self._pod(namespace, user)
        execution = await self._execution(pod)
        return execution_claims(
            namespace=namespace,
            execution=execution.metadata.name,
            execution_uid=execution.metadata.uid,
            attempt=int(pod.labels[ATTEMPT_LABEL]),
            agent=execution.spec.agent_ref.name,
            cap_nanos=None,
            cap_tokens=None,
            correlation_id=execution.correlation_id,
            issued=_seconds(execution.metadata) or int(self._clock()),
            expires=end if isinstance(end, int) else int(self._clock()),
        )

    async def _review(self, token: str) -> _User:
        asked: JsonObject = {
            "apiVersion": TOKEN_REVIEW.api_version,
            "kind": TOKEN_REVIEW.name,
            "metadata": {},
            "spec": {"token": token, "audiences": [self._audience]},
        }
        review = _Reviewed.model_validate(await self._world.create(asked)).status
        if not review.authenticated or self._audience not in review.audiences:
            raise _refused(f"The cluster does not know this token ({review.error or 'no reason'}).")
        if not review.user.username.startswith(_ACCOUNT):
            raise _refused("This token is not a service account's.")
        return review.user

    async def _pod(self, namespace: str, user: _User) -> ObjectMeta:
        name, uid = user.word(f"{_POD}name"), user.word(f"{_POD}uid")
        if not name:
            raise _refused("This token is bound to no pod.")
        found = await self._world.get(Ref(POD, namespace, name))
        meta = ObjectHead.model_validate(found).metadata if found is not None else ObjectMeta()
        if meta.uid != uid:
            raise _refused(f"Its pod {namespace}/{name} is gone.")
        if meta.labels.get(MANAGED_BY_LABEL) != MANAGED_BY or not _is_attempt(meta):
            raise ProblemError(
                HTTPStatus.FORBIDDEN, plain(f"The pod {namespace}/{name} is not that of a run.")
            )
        return meta

    async def _execution(self, pod: ObjectMeta) -> Execution:
        """In the pod's own namespace only: no pod speaks for a run of another one."""
        name, uid = pod.annotations[EXECUTION_ANNOTATION], pod.annotations[EXECUTION_UID_ANNOTATION]
        found = await self._world.get(Ref(EXECUTION, pod.namespace, name))
        try:
            execution = Execution.model_validate(found)
        except ValidationError:
            execution = None
        if execution is None or execution.metadata.uid != uid:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                plain(f"The Execution of the pod {pod.namespace}/{pod.name} is not there."),
            )
        return execution


def _believed_until(_: str, claims: ExecutionClaims, __: float) -> float:
    return claims.exp - SLACK_SECONDS


def _is_attempt(pod: ObjectMeta) -> bool:
    number = pod.labels.get(ATTEMPT_LABEL, "")
    names = EXECUTION_ANNOTATION in pod.annotations and EXECUTION_UID_ANNOTATION in pod.annotations
    return names and number.isascii() and number.isdecimal() and 1 <= int(number[:5]) <= 9999


def _seconds(meta: ObjectMeta) -> int:
    return int(meta.creation_timestamp.timestamp()) if meta.creation_timestamp else 0


def _unverified(token: str) -> dict[str, object]:
    try:
        claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def _refused(why: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        plain(
            f"{why} Use the key that the operator gave to this attempt, or its pod's token for "
            "this api."
        ),
        headers={"WWW-Authenticate": "Bearer"},
    )
