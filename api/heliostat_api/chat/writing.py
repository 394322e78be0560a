"""Writes one answer: every change goes to the event log, the document follows as a checkpoint.

The log comes first, so that whoever reads the document and then the log has seen everything. The
document carries the lease: who can't renew it must stop, and somebody else may end the message.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.chat.frames import Change, DeltaFrame, MessageFrame, PartFrame
from heliostat_api.chat.journal import (
    Entry,
    applied,
    audience_of,
    text_of,
    view_message,
    view_part,
)
from heliostat_api.chat.views import Part, StatusCode, StatusPart
from heliostat_api.documents.port import ConflictError, Document, Documents, Fields, Put, StoreError
from heliostat_api.documents.writes import size_of
from heliostat_api.events.log import EventLog
from heliostat_api.records.conversations import MessageRecord, MessageState, read_message

LEASE: Final = timedelta(seconds=15)
RENEWAL_SECONDS: Final = 4.0
MOST_BYTES: Final = 400_000
"""Of an answer, before another model call: a document has a mebibyte."""


class LostError(Exception):
    """Somebody else ended this message meanwhile: what we know of it counts no more."""


def message_path(conversation: str, message: str) -> str:
    """Of a message's document."""
    return f"conversations/{conversation}/messages/{message}"


def fields_of_message(record: MessageRecord, before: Fields) -> Fields:
    """The whole document."""
    return {**before, **replace(record, content=text_of(record)).fields()}


@dataclass
class Writer:
    """Of one try to answer. `document` is the message as we took it."""

    documents: Documents
    log: EventLog
    clock: Callable[[], datetime]
    conversation: str
    document: Document
    record: MessageRecord = field(init=False)
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.record = read_message(self.document)

    async def add(self, part: Part) -> int:
        """A part at the end; its index."""
        index = len(self.record.parts)
        await self.put(index, part)
        return index

    async def put(self, index: int, part: Part) -> None:
        """A part added or replaced."""
        await self._change(PartFrame(message=self.record.id, index=index, part=part))

    async def append(self, index: int, text: str) -> None:
        """Text at the end of a text part."""
        await self._change(DeltaFrame(message=self.record.id, index=index, text=text))

    async def tell(self) -> None:
        """The message as a whole."""
        await self._change(MessageFrame(message=view_message(self.record)))

    async def end(self, state: MessageState, status: StatusPart | None = None) -> None:
        """The last word. Raises LostError."""
        if status is not None:
            await self.add(status)
        self.record = replace(self.record, state=state)
        await self.tell()
        await self.save()

    async def open(self, request: str) -> None:
        """A model call of this answer began. It is on the record before anything is said, so that
        whoever goes on after us can ask what it cost. Raises LostError."""
        requests = (*self.record.requests, request)
        self.record = replace(self.record, requests=requests, open_request=request)
        await self.save()

    def settle(self, nanos: int) -> None:
        """The open call cost that much."""
        cost = self.record.cost_nanos + nanos
        self.record = replace(self.record, cost_nanos=cost, open_request="")

    @property
    def has_said_script(self) -> bool:
        """Whether the person was told that a script answers."""
        parts = map(view_part, self.record.parts)
        return any(isinstance(p, StatusPart) and p.code is StatusCode.SCRIPT for p in parts)

    @property
    def is_full(self) -> bool:
        """Whether its document has no room for another step."""
        return size_of(self.document.path, fields_of_message(self.record, {})) > MOST_BYTES

    async def save(self) -> None:
        """The checkpoint, with a new lease while it is written. Raises LostError, StoreError."""
        async with self._saving:
            cursor, record = await self.log.end(), self.record
            until = self.clock() + LEASE if record.state is MessageState.WRITING else None
            saved = replace(record, cursor=cursor, lease_until=until)
            while not await self._commit(saved):
                await self._read_again()
            await self._read_again()

    async def _commit(self, saved: MessageRecord) -> bool:
        fields = fields_of_message(saved, self.document.fields)
        try:
            await self.documents.commit(Put(self.document.path, fields, self.document.version))
        except ConflictError:
            return False
        return True

    async def _read_again(self) -> None:
        """The document as it is now. A save of ours that was cancelled may have come through;
        what is of another epoch is somebody else's."""
        found = await self.documents.get(self.document.path)
        if found is None or read_message(found).epoch != self.record.epoch:
            raise LostError(self.document.path)
        self.document = found

    async def _change(self, change: Change) -> None:
        record = self.record
        entry = Entry(change, record.epoch, record.seq + 1, record.cost_nanos, record.open_request)
        audience = audience_of(self.conversation)
        try:
            await self.log.append(audience, entry.report(self.clock()), entry.key)
        except (StoreError, asyncio.CancelledError):
            self.record = replace(record, seq=entry.seq)  # it may be there all the same
            raise
        # Only now: a checkpoint must never be ahead of the log.
        self.record = applied(self.record, entry)
