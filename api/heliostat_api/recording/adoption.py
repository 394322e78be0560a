"""Documents that others wrote get the fields by which lists find them: once, beside everything.

No store finds a document by a field that it lacks, so a list can't ask for those of the earlier
platform, which has only P8's. How far this came is kept: a start goes on where the last one ended.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from heliostat_api.documents.executions import view_execution
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Fields,
    Put,
    Query,
    StoreError,
)
from heliostat_api.events.audiences import is_nobodys
from heliostat_api.people.sight import UNOWNED
from heliostat_api.recording.subjects import SHOWN

PAUSE_SECONDS: Final = 60.0
_PROGRESS: Final = "adoptions"
_PAGE: Final = 100
_LOG = logging.getLogger(__name__)
Lacking = Callable[[Document], Fields]


@dataclass(frozen=True)
class Adoption:
    """May be run by several replicas at once."""

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
        await self._adopt("agents", lacking_of_agent)
        await self._adopt("executions", lacking_of_execution)

    async def _adopt(self, collection: str, lacking: Lacking) -> None:
        path = f"{_PROGRESS}/{collection}"
        known = await self.documents.get(path)
        fields: Fields = known.fields if known else {}
        cursor = fields.get("after")
        while fields.get("isDone") is not True:
            after = cursor if isinstance(cursor, str) else None
            page = await self.documents.query(Query(collection, None, limit=_PAGE, after=after))
            for document in page.documents:
                await self._complete(document, lacking)
            cursor = page.next
            fields = {"after": cursor, "isDone": cursor is None}
            await self.documents.commit(Put(path, fields))

    async def _complete(self, found: Document, lacking: Lacking) -> None:
        document: Document | None = found
        while document is not None and (missing := lacking(document)):
            whole: Fields = {**missing, **document.fields}
            with suppress(ConflictError):
                await self.documents.commit(Put(document.path, whole, document.version))
                return
            document = await self.documents.get(document.path)


def lacking_of_agent(document: Document) -> Fields:
    """What lists of agents ask for and this one has not."""
    wanted: Fields = {SHOWN: True, **_unowned(document)}
    return _without(wanted, document)


def lacking_of_execution(document: Document) -> Fields:
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


def _unowned(document: Document) -> Fields:
    return {UNOWNED: True} if is_nobodys(str(document.fields.get(OWNER, ""))) else {}


def _without(wanted: Fields, document: Document) -> Fields:
    return {name: each for name, each in wanted.items() if name not in document.fields}
