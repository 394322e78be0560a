"""The exact cache of a route: its chain is asked only when no kept answer is there."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from hashlib import sha256
from typing import Final

from heliostat_gateway.caching.answers import AnswerCache, CachedAnswer, Leader
from heliostat_gateway.caching.cache import CacheFlags, Recording, cache_key, is_cacheable
from heliostat_gateway.calls.attempt import Whole
from heliostat_gateway.calls.chain import Chain
from heliostat_gateway.calls.failure_classification import AttemptFailedError, Failure, Verdict
from heliostat_gateway.calls.lifecycle import CallLifecycle
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.headers import Headers
from heliostat_gateway.routes.plans import Plan
from heliostat_gateway.routes.table import CachePolicy
from heliostat_gateway.storage import StorageError
from heliostat_json.objects import dump_object

_LARGEST: Final = 1024 * 1024  # of one answer, in bytes
# What of our own headers is as true of a kept answer as of the first one.
_KEPT: Final = ("x-heliostat-provider", "x-heliostat-dropped")
# Features and versions of a dialect that a caller names outside of the body.
_VERSIONS: Final = ("anthropic-", "openai-")


def may_be_kept(request: ModelRequest, plan: Plan) -> bool:
    """Whether the answer to this request may come from the cache, with what a persona adds."""
    defaults = plan.persona.defaults if plan.persona is not None else {}
    flags = CacheFlags(opted_in=plan.cache is not None)
    return is_cacheable({**defaults, **request.document}, request.dialect, flags)


def key_of(request: ModelRequest, plan: Plan) -> str:
    """The key of a request: who asks, what is asked, and what the route makes of it."""
    return cache_key(
        request.caller,
        request.dialect,
        stream=request.is_stream,
        body=request.body,
        versions=_versions(request, plan),
    )


class Cached:
    """Answers one request from the cache, or asks and keeps the answer.

    All who ask the same at once wait for one of them. Nothing is reserved before it is known that
    a provider must be asked; a hit has no row in the ledger.
    """

    def __init__(
        self,
        lifecycle: CallLifecycle,
        answers: AnswerCache,
        policy: CachePolicy,
        open_chain: Callable[[], Awaitable[Chain]],
    ) -> None:
        self._lifecycle = lifecycle
        self._answers = answers
        self._policy = policy
        self._open_chain = open_chain

    async def whole(self) -> Whole:
        """The answer in one piece. Raises AttemptFailedError."""
        found = await self._look()
        match found:
            case CachedAnswer():
                return Whole(200, self._take(found), b"".join(found.chunks))
            case Leader():
                async with found:
                    whole = await (await self._open()).whole()
                    recording = self._record()
                    recording.add(whole.body)
                    await self._keep(found, recording, whole.headers)
                    return whole
            case None:
                return await (await self._open()).whole()

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Whole events. Raises AttemptFailedError, also in the middle."""
        found = await self._look()
        match found:
            case CachedAnswer():
                self._lifecycle.stream_headers = self._take(found)
                yield b"".join(found.chunks)
            case Leader():
                async with found, aclosing(self._recorded(found)) as pieces:
                    async for piece in pieces:
                        yield piece
            case None:
                async with aclosing((await self._open()).stream()) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _look(self) -> CachedAnswer | Leader | None:
        request, plan = self._lifecycle.request, self._lifecycle.plan
        found = await self._answers.lookup(key_of(request, plan))
        if found is None:
            self._lifecycle.cached("off")
        elif isinstance(found, Leader):
            self._lifecycle.cached("miss")
        return found

    async def _recorded(self, leader: Leader) -> AsyncGenerator[bytes, None]:
        recording = self._record()
        async with aclosing((await self._open()).stream()) as pieces:
            async for piece in pieces:
                recording.add(piece)
                yield piece
        await self._keep(leader, recording, self._lifecycle.stream_headers)

    async def _keep(self, leader: Leader, recording: Recording, headers: Headers) -> None:
        """Gives the answer to those who wait, and keeps it, if it is whole and good."""
        chunks = recording.whole()
        if chunks is None:
            await leader.refuse()
            return
        own = self._lifecycle.headers
        kept = [(name, value) for name, value in headers if name == "content-type"]
        kept += [(name, own[name]) for name in _KEPT if name in own]
        await leader.store(CachedAnswer(tuple(kept), chunks, time.time()), self._policy.ttl_seconds)

    def _take(self, found: CachedAnswer) -> Headers:
        """Tells the caller of a hit; returns the headers of the answer."""
        self._lifecycle.cached("hit")
        for name, value in found.headers:
            if name in _KEPT:
                self._lifecycle.headers[name] = value
        headers = [(name, value) for name, value in found.headers if name not in _KEPT]
        return [*headers, ("age", str(max(0, int(time.time() - found.stored))))]

    async def _open(self) -> Chain:
        """The chain, once the reservation is made. Raises AttemptFailedError for a refusal."""
        # Whoever is cancelled: a reservation that was begun is known, and settled.
        opening = asyncio.ensure_future(self._open_chain())
        self._lifecycle.opening = opening
        try:
            return await asyncio.shield(opening)
        except RefusalError as error:
            raise self._refusal(error) from error
        except StorageError as error:
            raise self._refusal(RefusalError(503, "api_error", str(error))) from error

    def _refusal(self, refused: RefusalError) -> AttemptFailedError:
        self._lifecycle.refused(refused.kind)
        headers = tuple(refused.headers.items())
        return AttemptFailedError(
            Failure(Verdict.REJECTED, refused.status, refused.kind, refused.message, headers)
        )

    def _record(self) -> Recording:
        request = self._lifecycle.request
        return Recording(request.dialect, stream=request.is_stream, largest=_LARGEST)


def _versions(request: ModelRequest, plan: Plan) -> str:
    """Whatever changes the answer and is not in the body."""
    named = sorted(
        f"{name}: {value}"
        for name, value in request.headers
        if name.startswith(_VERSIONS) and value
    )
    asked = [f"{each.provider.name}/{each.target}" for each in plan.candidates]
    persona: Mapping[str, str] = {}
    if plan.persona is not None:
        added = dump_object({"system": plan.persona.system, "defaults": plan.persona.defaults})
        persona = {plan.persona.name: sha256(added).hexdigest()}
    # Keys of one provider take turns: the order of its candidates says nothing.
    return repr((request.path, request.query, named, list(dict.fromkeys(asked)), persona))
