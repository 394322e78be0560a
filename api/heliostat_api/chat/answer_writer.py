"""Writes one answer: every change goes to the event log, the document follows as a checkpoint.

The log comes first, so that a reader of the document and then the log has seen everything. The
document carries the lease: a writer that can't renew it must stop, and another may end the message.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from heliostat_api.chat.message_events import (
    MessageEvent,
    apply_event,
    conversation_topic,
    text_of,
    view_message,
    view_part,
)
from heliostat_api.chat.schemas import (
    Change,
    DeltaFrame,
    MessageFrame,
    Part,
    PartFrame,
    StatusCode,
    StatusPart,
)
from heliostat_api.documents.port import ConflictError, Document, Documents, Fields, Put, StoreError
from heliostat_api.documents.writes import size_of
from heliostat_api.events.log import EventLog
from heliostat_api.records.conversations import MessageRecord, MessageState, read_message
from heliostat_core.agents import DEFAULT_MODEL

LEASE: Final = timedelta(seconds=15)
RENEWAL_SECONDS: Final = 4.0
MOST_BYTES: Final = 400_000
"""An answer may be this large before another model call: a document has a mebibyte."""
Language = Literal["ko", "en"]

_WORDS: Final[Mapping[Language, Mapping[StatusCode, str]]] = {
    "en": {
        StatusCode.SCRIPT: "No model answers here, a script does: {said}",
        StatusCode.STOPPED: "Stopped.",
        StatusCode.INTERRUPTED: "The server that answered went away. What it said is kept; press "
        "Continue to go on. Nothing is asked again by itself.",
        StatusCode.CAP_REACHED: "Your limit for model calls is reached. {said}",
        StatusCode.UNAVAILABLE: "The model can't be reached now: {said} Say it again in a moment.",
        StatusCode.FAILED: "The model call failed: {said}",
    },
    "ko": {
        StatusCode.SCRIPT: "모델이 아니라 스크립트가 답합니다. {said}",
        StatusCode.STOPPED: "중지했습니다.",
        StatusCode.INTERRUPTED: "답하던 서버가 사라졌습니다. 지금까지 한 말은 남아 있습니다. "
        "계속을 누르면 이어집니다. 저절로 다시 묻지 않습니다.",
        StatusCode.CAP_REACHED: "모델 호출 한도에 도달했습니다. {said}",
        StatusCode.UNAVAILABLE: "지금은 모델에 연결할 수 없습니다: {said} "
        "잠시 뒤에 다시 말해 주세요.",
        StatusCode.FAILED: "모델 호출이 실패했습니다: {said}",
    },
}
_NO_WAY: Final[Mapping[Language, str]] = {
    "en": "there is no way to {usual}. Set ANTHROPIC_API_KEY or HELIOSTAT_API_CHAT_MODEL.",
    "ko": "{usual}에 연결할 방법이 없습니다. ANTHROPIC_API_KEY 또는 HELIOSTAT_API_CHAT_MODEL을 "
    "설정하세요.",
}
_CHOSEN: Final[Mapping[Language, str]] = {
    "en": "HELIOSTAT_API_CHAT_MODEL is {wanted}.",
    "ko": "HELIOSTAT_API_CHAT_MODEL이 {wanted}입니다.",
}
_TOO_LONG: Final[Mapping[Language, str]] = {
    "en": "That took {turns} steps without an end. Say “go on” to let it continue.",
    "ko": "{turns}단계를 거쳤지만 끝나지 않았습니다. 이어 가려면 “계속해 줘”라고 말해 주세요.",
}
_CUT: Final[Mapping[Language, str]] = {
    "en": "The answer reached its greatest length. Say “go on” to let it continue.",
    "ko": "답이 최대 길이에 도달했습니다. 이어 가려면 “계속해 줘”라고 말해 주세요.",
}


class LostError(Exception):
    """Another replica ended this message meanwhile: what this one knows of it is out of date."""


def language_of(text: str) -> Language:
    """The language is Korean where that is asked for, else English."""
    return "ko" if text == "ko" else "en"


def build_status(code: StatusCode, language: Language, said: str = "") -> StatusPart:
    """Says how an answer ended, in the person's language; `said` is the message of the refusal."""
    return StatusPart(code=code, text=_WORDS[language][code].format(said=said).strip())


def script_status(wanted: str, language: Language) -> StatusPart:
    """Says why a script answers: it is `wanted`, or no model can be reached."""
    words = _CHOSEN if wanted else _NO_WAY
    said = words[language].format(usual=DEFAULT_MODEL, wanted=wanted)
    return build_status(StatusCode.SCRIPT, language, said)


def step_limit_status(turns: int, language: Language) -> StatusPart:
    """Says that the answer took all the steps that one answer may take."""
    return StatusPart(code=StatusCode.STOPPED, text=_TOO_LONG[language].format(turns=turns))


def token_limit_status(language: Language) -> StatusPart:
    """Says that the model used all the tokens that one call may use."""
    return StatusPart(code=StatusCode.STOPPED, text=_CUT[language])


def message_path(conversation: str, message: str) -> str:
    """The path names the document of a message."""
    return f"conversations/{conversation}/messages/{message}"


def fields_of_message(record: MessageRecord, before: Fields) -> Fields:
    """The fields are those of the whole document, unknown ones kept."""
    return {**before, **replace(record, content=text_of(record)).fields()}


@dataclass
class AnswerWriter:
    """Writes one try to answer. `document` is the message as this try took it."""

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
        """Adds a part at the end; returns its index."""
        index = len(self.record.parts)
        await self.put(index, part)
        return index

    async def put(self, index: int, part: Part) -> None:
        """Adds or replaces a part."""
        await self._publish(PartFrame(message=self.record.id, index=index, part=part))

    async def append(self, index: int, text: str) -> None:
        """Appends text to a text part."""
        await self._publish(DeltaFrame(message=self.record.id, index=index, text=text))

    async def end(self, state: MessageState, status: StatusPart | None = None) -> None:
        """Publishes the message as it ended, and saves it. Raises LostError."""
        if status is not None:
            await self.add(status)
        self.record = replace(self.record, state=state)
        await self._publish(MessageFrame(message=view_message(self.record)))
        await self.save()

    async def open(self, request: str) -> None:
        """Records that a model call of this answer began, before anything of it is shown, so that
        a later try can find out what it cost. Raises LostError."""
        requests = (*self.record.requests, request)
        self.record = replace(self.record, requests=requests, open_request=request)
        await self.save()

    def settle(self, nanos: int) -> None:
        """Records what the open call cost."""
        cost = self.record.cost_nanos + nanos
        self.record = replace(self.record, cost_nanos=cost, open_request="")

    @property
    def has_script_status(self) -> bool:
        """Whether the person was told that a script answers."""
        parts = map(view_part, self.record.parts)
        return any(isinstance(p, StatusPart) and p.code is StatusCode.SCRIPT for p in parts)

    @property
    def is_full(self) -> bool:
        """Whether the document has no room for another step."""
        return size_of(self.document.path, fields_of_message(self.record, {})) > MOST_BYTES

    async def save(self) -> None:
        """Saves a checkpoint, with a new lease while the answer is written. Raises LostError,
        StoreError."""
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
        """Reads the document as it is now. A save of ours that was cancelled may have come through;
        another epoch is another writer's."""
        found = await self.documents.get(self.document.path)
        if found is None or read_message(found).epoch != self.record.epoch:
            raise LostError(self.document.path)
        self.document = found

    async def _publish(self, change: Change) -> None:
        record = self.record
        event = MessageEvent(
            change, record.epoch, record.seq + 1, record.cost_nanos, record.open_request
        )
        topic = conversation_topic(self.conversation)
        try:
            await self.log.append(topic, event.to_report(self.clock()), event.key)
        except (StoreError, asyncio.CancelledError):
            self.record = replace(record, seq=event.seq)  # it may be there all the same
            raise
        # Only now: a checkpoint must never be ahead of the log.
        self.record = apply_event(self.record, event)
