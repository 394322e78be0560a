"""All of a person's things as files: what `GET /api/me/archive` sends.

Read page by page while it is sent, so that it takes no more memory for much than for little.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from heliostat_api.account.zips import Entry
from heliostat_api.agents.reading import is_shown, view_detail
from heliostat_api.base.person import Person
from heliostat_api.base.views import ExecutionView
from heliostat_api.documents.files import Files, WorkFile
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import Document, Documents, Fields, Query, Value
from heliostat_api.documents.transcripts import MOST_LINES, TranscriptPage, Transcripts
from heliostat_api.documents.values import map_in
from heliostat_api.records.conversations import read_conversation
from heliostat_api.records.executions import view_execution
from heliostat_api.records.fields import SPEC, VIEW
from heliostat_api.records.names import slug
from heliostat_api.records.revisions import view_revision_detail
from heliostat_api.webhooks.records import TOLD, told_of

_PAGE: Final = 20
_README: Final = """All that Heliostat keeps of you.

{time} - {person}

agents/NAME-ID/agent.yaml            an agent: `kubectl apply -f`, or import it in the dashboard
agents/NAME-ID/revisions/N.json      each state in which it was saved
executions/UID/execution.json        a run: what it was asked, what came of it, what it cost
executions/UID/transcript-N.jsonl    what its attempt N wrote, one JSON document a line; one with
                                     "subtype": "lost" stands for lines that are lost
executions/UID/files/N/...           files that attempt N made or changed
approvals/ID.json                    what a run asked to do, who decided, what came of it
conversations/ID.json                a conversation with all of its messages
triggers/ID.json                     a key by which other programs start an agent, without it
webhooks/ID.json, deliveries/ID.json who is told of what, and what was sent

Times are RFC 3339 in UTC, money is micro-dollars (1000000 is one dollar).
The values of secrets are not here: nobody can read them, only runs use them.
"""


@dataclass(frozen=True)
class Archive:
    """Reads what is a person's."""

    documents: Documents
    transcripts: Transcripts
    files: Files
    clock: Callable[[], datetime]

    async def entries(self, person: Person) -> AsyncIterator[Entry]:
        """Every file. Raises StoreErrors."""
        now = self.clock()
        said = _README.format(time=now.isoformat(timespec="seconds"), person=person.id)
        yield Entry("README.txt", now, _whole(said))
        async for document in self._own("agents", person):
            if is_shown(document):
                async for entry in self._agent(document):
                    yield entry
        async for document in self._own("executions", person):
            async for entry in self._execution(document):
                yield entry
        async for document in self._own("conversations", person):
            if read_conversation(document).deleting:
                continue
            name = f"conversations/{document.id}.json"
            yield Entry(name, self._time(document), self._conversation(document))
        async for entry in self._told(person):
            yield entry

    async def _told(self, person: Person) -> AsyncIterator[Entry]:
        """What is one file each."""
        for collection in ("approvals", *TOLD):
            async for document in self._own(collection, person):
                told = asked_of(document) if collection == "approvals" else told_of(document)
                yield Entry(f"{document.path}.json", self._time(document), _whole(_text(told)))

    async def _agent(self, document: Document) -> AsyncIterator[Entry]:
        detail = view_detail(document)
        folder, time = f"agents/{slug(detail.name)}-{document.id}", self._time(document)
        yield Entry(f"{folder}/agent.yaml", time, _whole(detail.yaml))
        query = Query(f"{document.path}/revisions", None, order="number", limit=_PAGE)
        async for found in every(self.documents, query):
            revision = view_revision_detail(found, None)
            text = revision.model_dump_json(by_alias=True, exclude={"changes"}, indent=2)
            name = f"{folder}/revisions/{revision.number}.json"
            yield Entry(name, revision.created_time, _whole(text))

    async def _execution(self, document: Document) -> AsyncIterator[Entry]:
        folder, time = f"executions/{document.id}", self._time(document)
        view = view_execution(document)
        told = {**view.model_dump(mode="json", by_alias=True), SPEC: document.fields.get(SPEC)}
        yield Entry(f"{folder}/execution.json", time, _whole(_text(told)))
        for attempt in _attempts(view):
            if (await self.transcripts.position(document.id, attempt)).next:
                lines = self._transcript(document.id, attempt)
                name = f"{folder}/transcript-{attempt}.jsonl"
                yield Entry(name, time, lines, is_large=True)
        for file in await self.files.list(document.id):
            name = f"{folder}/files/{file.attempt}/{safe_path(file)}"
            yield Entry(name, time, self.files.read(document.id, file))

    async def _transcript(self, uid: str, attempt: int) -> AsyncIterator[bytes]:
        number, cursor = 0, None
        while True:
            page = await self.transcripts.read(uid, attempt, cursor, MOST_LINES)
            yield "".join(f"{line}\n" for line in _lines(number, page)).encode()
            number, cursor = page.first + len(page.events), page.next
            if cursor is None:
                break
        if missing := (await self.transcripts.position(uid, attempt)).next - number:
            yield f"{_lost(number, missing)}\n".encode()

    async def _conversation(self, document: Document) -> AsyncIterator[bytes]:
        head = _text({"id": document.id, **document.fields})
        yield f'{head.removesuffix("}").rstrip()},\n  "messages": ['.encode()
        query = Query(
            f"{document.path}/messages", None, order="timestamp", descending=False, limit=_PAGE
        )
        comma = ""
        async for message in every(self.documents, query):
            yield f"{comma}\n{_text({'id': message.id, **message.fields})}".encode()
            comma = ","
        yield b"\n]}\n"

    def _own(self, collection: str, person: Person) -> AsyncIterator[Document]:
        return every(self.documents, Query(collection, person.id, limit=_PAGE))

    def _time(self, document: Document) -> datetime:
        created = document.fields.get("createdAt")
        return created if isinstance(created, datetime) else self.clock()


def asked_of(document: Document) -> Fields:
    """What a run asked to do, as people were shown it."""
    return {"id": document.id, **map_in(document.fields, VIEW)}


def safe_path(file: WorkFile) -> str:
    """Of a file in an archive: on no system does it lead out of the folder that it is unpacked in.

    Ingest took no `..` between slashes; elsewhere other letters part names.
    """
    return file.path.replace("\\", "_").replace(":", "_")


def _attempts(view: ExecutionView) -> Iterable[int]:
    """Those that the record tells of; the first may deliver before it does."""
    return sorted({1, *(each.number for each in view.attempts)})


def _lines(number: int, page: TranscriptPage) -> list[str]:
    """With a mark for what is missing before the page; `number` is the line to come."""
    missing = page.first - number if page.events else 0
    return [*([_lost(number, missing)] if missing else []), *page.events]


def _lost(first: int, count: int) -> str:
    return json.dumps({"type": "heliostat", "subtype": "lost", "first": first, "count": count})


async def _whole(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


def _text(fields: Fields) -> str:
    return json.dumps(fields, indent=2, ensure_ascii=False, default=_instant)


def _instant(value: Value) -> str:
    """What of a document JSON has no form for."""
    assert isinstance(value, datetime)
    return value.isoformat()
