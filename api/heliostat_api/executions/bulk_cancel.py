"""Bulk cancel: one request ends all runs that fit, as many single cancels would."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import Field

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import View
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import OWNER, Document, Documents, Query
from heliostat_api.documents.values import instant_in, text_in
from heliostat_api.executions.commands import cancellation
from heliostat_api.people.topics import is_nobodys
from heliostat_api.people.visibility import UNOWNED
from heliostat_api.web.idempotency import Idempotency, IdempotencyKey
from heliostat_api.web.problems import ProblemError
from heliostat_core.worlds import ConflictError, InvalidError, NotFoundError, World, WorldError

MOST_RUNS: Final = 5_000
"""One request ends at most that many; it says how many are left."""
WRITERS: Final = 32
"""So many writes are under way at once, of all requests of a replica together: reads go between."""
_PAGE: Final = 200
_COLLECTION: Final = "executions"
_LOG = logging.getLogger(__name__)
OpenPhase = Literal["Pending", "Starting", "Running", "Retrying"]


class CancelRequest(View):
    """Says which runs end: all in one of `phases`, of the Agent of that resource name where one is
    named. `dryRun` counts them and ends none. `everyone` is for admins: whoever's runs they are;
    those without an owner are cancelled where they were made."""

    phases: Annotated[tuple[OpenPhase, ...], Field(min_length=1, max_length=4)]
    agent: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    everyone: bool = False
    dry_run: bool = False


class CancelResult(View):
    """What became of it: of `matched` runs so many have their `spec.cancel` now, were `gone` or at
    their end, or `failed` because the cluster refused or was away; `remaining` are over the limit
    of one request. The same request again, under its Idempotency-Key, goes on with what is left."""

    correlation_id: str
    matched: int
    cancelled: int = 0
    gone: int = 0
    failed: int = 0
    remaining: int = 0


@dataclass(frozen=True)
class _Run:
    """Names one Execution."""

    uid: str
    namespace: str
    name: str


@dataclass
class _Outcome:
    """Counts what became of the writes."""

    cancelled: int = 0
    gone: int = 0
    errors: list[WorldError] = field(default_factory=list)


@dataclass(frozen=True)
class BulkCancel:
    """`canceller` is the world under the name that cancels."""

    documents: Documents
    canceller: World
    idempotency: Idempotency
    clock: Callable[[], datetime]
    most_runs: int = MOST_RUNS
    _writers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WRITERS))

    async def cancel(
        self, person: Person, request: CancelRequest, asked: IdempotencyKey, correlation: str
    ) -> CancelResult:
        """Ends the runs that are there when it is first asked. Raises problems, and WorldError
        where the world takes none of it."""
        if request.everyone and not person.is_admin:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                bilingual(
                    en="everyone: only an admin cancels the runs of others. Leave it out to cancel "
                    "your own.",
                    ko="everyone: 다른 사람의 실행은 관리자만 중지할 수 있습니다. 이 필드를 빼면 "
                    "자신의 실행을 중지합니다.",
                ),
            )
        if request.dry_run:
            matched = await self._count(person, request)
            return CancelResult(correlation_id=correlation, matched=matched)
        decision = {"until": self.clock().isoformat(), "correlationId": correlation}
        made = await self.idempotency.once(person, asked, decision)
        # The first time all are meant, also what a world whose clock is ahead made a moment ago.
        until = None if made == decision else datetime.fromisoformat(made["until"])
        runs = [each async for each in self._matches(person, request, until)]
        outcome = await self._write(runs[: self.most_runs])
        result = CancelResult(
            correlation_id=made["correlationId"],
            matched=len(runs),
            cancelled=outcome.cancelled,
            gone=outcome.gone,
            failed=len(outcome.errors),
            remaining=max(0, len(runs) - self.most_runs),
        )
        _LOG.info(
            "%s cancels runs: phases %s, agent %s, everyone %s: %s",
            person.id,
            ",".join(request.phases),
            request.agent or "any",
            request.everyone,
            result.model_dump_json(by_alias=True),
        )
        if outcome.errors and not outcome.cancelled:
            raise outcome.errors[0]
        return result

    async def _count(self, person: Person, request: CancelRequest) -> int:
        """How many there are: of everybody's, those without an owner are taken off."""
        total = 0
        for query in queries_of(person, request):
            total += await self.documents.count(query)
            if request.everyone:
                where = {**(query.where or {}), UNOWNED: True}
                unowned = Query(_COLLECTION, None, where)
                total -= await self.documents.count(unowned)
        return total

    async def _matches(
        self, person: Person, request: CancelRequest, until: datetime | None
    ) -> AsyncIterator[_Run]:
        seen = set[str]()  # one may change its phase between two queries
        for query in queries_of(person, request):
            async for document in every(self.documents, query):
                created = instant_in(document.fields, "createdAt")
                is_later = until is not None and created is not None and created > until
                if is_later or document.id in seen or is_nobodys(text_in(document.fields, OWNER)):
                    continue
                seen.add(document.id)
                yield _run_of(document)

    async def _write(self, runs: Iterable[_Run]) -> _Outcome:
        outcome, rest = _Outcome(), iter(runs)

        async def work() -> None:
            for run in rest:
                async with self._writers:
                    await self._write_one(run, outcome)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WRITERS):
                    group.create_task(work())
        except BaseExceptionGroup as errors:  # a fault of ours: the first one says which
            raise errors.exceptions[0] from errors
        return outcome

    async def _write_one(self, run: _Run, outcome: _Outcome) -> None:
        try:
            await self.canceller.apply(cancellation(run.uid, run.namespace, run.name))
            outcome.cancelled += 1
        except (ConflictError, InvalidError, NotFoundError):
            # Gone, perhaps made again under its name, or at its end since it was counted.
            outcome.gone += 1
        except WorldError as error:
            outcome.errors.append(error)
            if len(outcome.errors) == 1:
                _LOG.warning("run %s/%s can't be cancelled: %s", run.namespace, run.name, error)


def queries_of(person: Person, request: CancelRequest) -> list[Query]:
    """One query a phase: each has an index."""
    owner = None if request.everyone else person.id
    agent = {"agentName": request.agent} if request.agent else {}
    phases = sorted(set(request.phases))
    return [Query(_COLLECTION, owner, {**agent, "phase": each}, limit=_PAGE) for each in phases]


def _run_of(document: Document) -> _Run:
    return _Run(
        document.id, text_in(document.fields, "namespace"), text_in(document.fields, "name")
    )
