"""What a crash left half done is finished, and what has had its time goes."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.agents.activation import Deletion
from heliostat_api.agents.drafts import Drafts
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import Document, Query, StoreError
from heliostat_api.recording.announcing import DELETING, UNTOLD
from heliostat_api.recording.trials import Trials
from heliostat_api.records.drafts import read_draft
from heliostat_api.web.background import repeat
from heliostat_api.web.idempotency import Idempotency
from heliostat_core.worlds import WorldError

SECONDS: Final = 30.0
REST: Final = timedelta(minutes=10)
"""How long the document of a deleted agent keeps its resource's last changes from being news."""
_PAGE: Final = 200
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mending:
    """Runs beside the recorder; all of it may be repeated, by several replicas at once."""

    drafts: Drafts
    deletion: Deletion
    trials: Trials
    idempotency: Sequence[Idempotency]

    async def run(self) -> None:
        """Until it is cancelled."""
        await repeat(self.mend, SECONDS, (WorldError, StoreError), "mending goes on later")

    async def mend(self) -> None:
        """Once."""
        async for document in self._marked(UNTOLD):
            await self._one(document, self._tell)
        async for document in self._marked(DELETING):
            await self._one(document, self._bury)
        await self.trials.sweep(self.drafts.namespace, self.drafts.clock())
        for each in self.idempotency:
            await each.forget()

    async def _one(self, document: Document, mend: Callable[[Document], Awaitable[None]]) -> None:
        """What can't be mended now holds up nothing else."""
        try:
            await mend(document)
        except (WorldError, StoreError) as error:
            _LOG.warning("%s is mended later: %s", document.path, error)

    async def _tell(self, document: Document) -> None:
        draft = read_draft(document)
        if draft is not None and draft.deleting:
            await self.deletion.finish(document.path, draft)
        else:
            await self.drafts.announcer.announce(document.path)

    async def _bury(self, document: Document) -> None:
        ended = document.fields.get("deletedAt")
        draft = read_draft(document)
        if draft is None or not isinstance(ended, datetime):
            return
        if self.drafts.clock() - ended > REST:
            await self.deletion.finish(document.path, draft)
            await self.drafts.documents.delete_tree(document.path)

    def _marked(self, field: str) -> AsyncIterator[Document]:
        query = Query("agents", owner=None, where={field: True}, limit=_PAGE)
        return every(self.drafts.documents, query)
