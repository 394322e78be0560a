"""The backfill gives documents of others the fields by which lists find them, once.

No store finds a document by a field that it lacks, so a list can't ask for those of the earlier
platform, which has only P8's. Its runs name their agent and no person: they are whose agent it is,
and found by when they started. How far this came is kept: a start goes on where the last one ended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Fields,
    PathError,
    Put,
    Query,
    StoreError,
    UnavailableError,
    collection_of,
)
from heliostat_api.documents.values import instant_in, text_in
from heliostat_api.people.topics import is_nobodys, owner_field
from heliostat_api.people.visibility import UNOWNED
from heliostat_api.records.executions import view_execution
from heliostat_api.records.fields import SHOWN

PAUSE_SECONDS: Final = 60.0
_PROGRESS: Final = "adoptions"
_PAGE: Final = 100
_DATED: Final = ("agents", "executions", "conversations")
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_LOG = logging.getLogger(__name__)
Lacking = Callable[[Document], Awaitable[Fields]]


@dataclass(frozen=True)
class _Kind:
    """Documents that are gone through by a field that each of them has."""

    name: str
    collection: str
    lacking: Lacking
    order: str = "createdAt"

    def query(self, after: str | None) -> Query:
        descending = self.order == "createdAt"
        return Query(
            self.collection,
            None,
            order=self.order,
            descending=descending,
            limit=_PAGE,
            after=after,
        )


@dataclass(frozen=True)
class Backfill:
    """Runs the backfill; several replicas may do so at once."""

    documents: Documents

    async def run(self) -> None:
        """Until all of it is done."""
        while True:
            try:
                return await self.adopt()
            except StoreError as error:
                _LOG.warning("earlier documents are looked at again in a moment: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def adopt(self) -> None:
        """Raises StoreError."""
        for kind in (
            _Kind("agents", "agents", lacking_of_agent),
            _Kind("early-executions", "executions", self._lacking_of_early_run, "startTime"),
            _Kind("executions", "executions", lacking_of_execution),
            *(_Kind(f"instants-of-{each}", each, lacking_instant) for each in _DATED),
        ):
            await self._adopt(kind)

    async def _adopt(self, kind: _Kind) -> None:
        path = f"{_PROGRESS}/{kind.name}"
        known = await self.documents.get(path)
        fields: Fields = known.fields if known else {}
        cursor = fields.get("after")
        while fields.get("isDone") is not True:
            after = cursor if isinstance(cursor, str) else None
            page = await self.documents.query(kind.query(after))
            for document in page.documents:
                await self._complete_alone(document, kind.lacking)
            cursor = page.next
            fields = {"after": cursor, "isDone": cursor is None}
            await self.documents.commit(Put(path, fields))

    async def _complete_alone(self, found: Document, lacking: Lacking) -> None:
        """The same, but nothing that others wrote into one document ends it for all others."""
        try:
            await self._complete(found, lacking)
        except UnavailableError:
            raise
        except StoreError as error:
            _LOG.warning("%s stays as it is: %s", found.path, error)

    async def _complete(self, found: Document, lacking: Lacking) -> None:
        document: Document | None = found
        while document is not None and (missing := await lacking(document)):
            whole: Fields = {**document.fields, **missing}
            with suppress(ConflictError):
                await self.documents.commit(Put(document.path, whole, document.version))
                return
            document = await self.documents.get(document.path)

    async def _lacking_of_early_run(self, document: Document) -> Fields:
        """When it began, and whose it is: its agent's, or nobody's, whom admins look after."""
        if "createdAt" in document.fields:
            return {}
        agent = await self._agent_of(document)
        owner = str(agent.fields.get(OWNER, "")) if agent else ""
        wanted: Fields = {
            "createdAt": instant_in(document.fields, "startTime") or _EPOCH,
            OWNER: owner_field(owner, ""),
        }
        missing = _without(wanted, document)
        dated = replace(document, fields={**document.fields, **missing})
        return {**missing, **await lacking_of_execution(dated)}

    async def _agent_of(self, document: Document) -> Document | None:
        """None also where what is named can be no agent."""
        try:
            found = await self.documents.get(f"agents/{text_in(document.fields, 'agentId')}")
        except PathError:
            return None
        return found if found and collection_of(found.path) == "agents" else None


async def lacking_of_agent(document: Document) -> Fields:
    """What lists of agents ask for and this one has not."""
    wanted: Fields = {SHOWN: True, **_unowned(document)}
    return _without(wanted, document)


async def lacking_of_execution(document: Document) -> Fields:
    """What lists of runs ask for and this one has not."""
    if {"agentName", "phase", "isFinished"} <= document.fields.keys():
        return _without(_unowned(document), document)
    view = view_execution(document)
    wanted: Fields = {
        "agentName": view.agent,
        "phase": view.phase,
        "isFinished": view.is_finished,
        **_unowned(document),
    }
    return _without(wanted, document)


async def lacking_instant(document: Document) -> Fields:
    """When it was made, where that is text: stores order texts behind all instants."""
    made = instant_in(document.fields, "createdAt")
    is_text = isinstance(document.fields.get("createdAt"), str)
    return {"createdAt": made} if is_text and made else {}


def _unowned(document: Document) -> Fields:
    return {UNOWNED: True} if is_nobodys(str(document.fields.get(OWNER, ""))) else {}


def _without(wanted: Fields, document: Document) -> Fields:
    return {name: each for name, each in wanted.items() if name not in document.fields}
