"""Whoever comes at any moment sees the same: a snapshot, or what is missing after a cursor."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.answer_writer import AnswerWriter, fields_of_message, message_path
from heliostat_api.chat.conversation_repository import ConversationRepository, path_of
from heliostat_api.chat.message_events import conversation_topic, read_event
from heliostat_api.chat.schemas import TextPart
from heliostat_api.chat.service import ConversationReader
from heliostat_api.documents.port import Document, Documents, Put
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.log import EventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageRecord,
    MessageState,
    Role,
)
from support.chatting import apply
from support.firestore_emulator import FirestoreEmulator
from support.stores import open_emulated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = Person("ann", PersonKind.GUEST)
TALK, ANSWER = "conversation-1", "message-1"


@dataclass
class Screen:
    """A client that came at some moment."""

    cursor: int
    messages: dict[str, dict[str, JsonValue]] = field(default_factory=dict)

    async def catch_up(self, log: EventLog) -> None:
        """What is missing after its cursor."""
        found = await log.read([conversation_topic(TALK)], self.cursor)
        assert not found.has_gap
        for each in found.reports:
            change = read_event(each.report).change
            apply(self.messages, change.model_dump(mode="json", by_alias=True))
        self.cursor = found.end


async def come(reading: ConversationReader) -> Screen:
    snapshot = await reading.snapshot(ANN, TALK)
    screen = Screen(snapshot.cursor)
    apply(screen.messages, snapshot.model_dump(mode="json", by_alias=True))
    return screen


async def begin(documents: Documents) -> Document:
    """An answer without a word yet, whose lease is over."""
    talk = ConversationRecord(
        TALK, ANN.id, created_at=NOW, state=ConversationState.ANSWERING, answer=ANSWER
    )
    blank = MessageRecord(
        ANSWER, Role.ASSISTANT, timestamp=NOW, state=MessageState.WRITING, epoch=1, lease_until=NOW
    )
    path = message_path(TALK, ANSWER)
    await documents.commit(
        Put(path_of(TALK), talk.fields()), Put(path, fields_of_message(blank, {}))
    )
    document = await documents.get(path)
    assert document is not None
    return document


async def play(documents: Documents, folder: Path, steps: Sequence[str]) -> None:
    """A writer writes, saves and ends; screens come and catch up in between."""
    log = SqliteEventLog(folder / "e.sqlite")
    repository = ConversationRepository(documents, log, lambda: NOW)
    document = await begin(documents)
    writer = AnswerWriter(documents, log, lambda: NOW, TALK, document)
    await writer.save()
    reading = ConversationReader(repository, AnswerRecovery(repository))
    screens: list[Screen] = []
    for step in steps:
        match step:
            case "part":
                await writer.add(TextPart(text="part"))
            case "text" if writer.record.parts:
                await writer.append(len(writer.record.parts) - 1, "+")
            case "save":
                await writer.save()
            case "come":
                screens.append(await come(reading))
            case "catch up" if screens:
                await screens[0].catch_up(log)
    await writer.end(MessageState.DONE)
    last = await come(reading)
    for each in screens:
        await each.catch_up(log)
        assert each.messages == last.messages
    await log.close()
    await documents.close()


@settings(deadline=None, max_examples=40)  # every step writes to a disk
@given(st.lists(st.sampled_from(["part", "text", "text", "save", "come", "catch up"]), max_size=12))
def test_whenever_a_screen_comes_it_ends_with_the_same(steps: list[str]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(play(open_sqlite(folder / "d.sqlite"), folder, steps))


async def test_the_same_holds_in_firestore(
    firestore_emulator: FirestoreEmulator, tmp_path: Path
) -> None:
    steps = ("part", "come", "text", "save", "text", "come", "part", "catch up")
    await play(open_emulated(firestore_emulator), tmp_path, steps)


async def test_an_answer_without_a_writer_is_found_and_marked_in_firestore(
    firestore_emulator: FirestoreEmulator, tmp_path: Path
) -> None:
    documents, log = open_emulated(firestore_emulator), SqliteEventLog(tmp_path / "e.sqlite")
    repository = ConversationRepository(documents, log, lambda: NOW)
    await begin(documents)
    await AnswerRecovery(repository).recover_all()
    [message] = await repository.latest_messages(TALK)
    page = await ConversationReader(repository, AnswerRecovery(repository)).page(ANN, None, 10)
    assert message.state is MessageState.INTERRUPTED
    assert [(each.id, each.state) for each in page.items] == [(TALK, "interrupted")]
    await log.close()
    await documents.close()
