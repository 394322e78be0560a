"""Transcripts: what attempts wrote, line by line, kept as chunks beside the execution.

The position document says what is stored. It is written in the same commit as the chunks and only
if nobody wrote it meanwhile, so that a line is stored once, whoever delivers it and how often.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from heliostat_api.documents.chunks import Chunk, cut, join, read_chunk
from heliostat_api.documents.port import (
    ConflictError,
    CursorError,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
    StoreError,
    TooLargeError,
    UnavailableError,
)
from heliostat_api.documents.queries import Place, QueryError, write_cursor

COMMIT_BYTES = 2 * 2**20
PAGE_BYTES = 2**20
MOST_LINES = 1000
_TRIES = 50
_FIRST_CHUNKS = 8
_MOST_CHUNKS = 128
_LAST_ID = "~"
"""Behind every id of a chunk."""


class SequenceGapError(StoreError):
    """Lines before these are not stored yet; `next` is the first that is missing."""

    def __init__(self, next_: int) -> None:
        super().__init__(f"lines from {next_} on are missing: send them first")
        self.next = next_


@dataclass(frozen=True)
class Position:
    """What is stored of an attempt: lines up to `next`, without `lost` of them, in `size` bytes."""

    next: int = 0
    lost: int = 0
    ended: bool = False
    size: int = field(default=0, compare=False)

    def fields(self) -> Fields:
        return {"next": self.next, "lost": self.lost, "ended": self.ended, "size": self.size}


@dataclass(frozen=True)
class TranscriptPage:
    """Consecutive raw lines from number `first` on. Lost lines end a page: the next page's
    `first` tells how many. `next` is the cursor of what follows, None at the present end."""

    first: int
    events: tuple[str, ...]
    next: str | None


Step = Callable[[Position], "tuple[Position, Sequence[Chunk]]"]
"""What to store next and the position after it; the same position when all is done."""


class Transcripts:
    """All transcripts of a store. Every call may be repeated and raises StoreErrors.

    Of an attempt `most_bytes` are kept at most (0: all); what comes after is marked as lost.
    """

    def __init__(self, documents: Documents, most_bytes: int = 0) -> None:
        self._documents = documents
        self._most_bytes = most_bytes

    async def position(self, uid: str, attempt: int) -> Position:
        """Where delivery goes on."""
        return (await self._position(uid, attempt))[0]

    async def append(self, uid: str, attempt: int, first: int, lines: Sequence[str]) -> Position:
        """Stores lines `first` and following, without those that are stored already.

        Raises SequenceGapError, TooLargeError for a line of more than 2 MiB, and ValueError for a
        line break within a line.
        """

        def step(position: Position) -> tuple[Position, Sequence[Chunk]]:
            _refuse_gap(position, first)
            new = lines[position.next - first :]
            if new and not (fitting := self._fitting(position, new)):
                full = replace(position, size=self._most_bytes)
                return _losing(full, attempt, position.next + len(new))
            chunks = _one_commit(cut(attempt, position.next, new and fitting))
            stored = sum(len(each.text.encode()) for each in chunks)
            end = chunks[-1].next if chunks else position.next
            return replace(position, next=end, size=position.size + stored), chunks

        return await self._advance(uid, attempt, step)

    def _fitting(self, position: Position, lines: Sequence[str]) -> Sequence[str]:
        """Those for which there is room. After the first one without, none: there is one gap."""
        if not self._most_bytes:
            return lines
        size = position.size
        for number, line in enumerate(lines):
            size += len(line.encode()) + 1
            if size > self._most_bytes:
                return lines[:number]
        return lines

    async def lose(self, uid: str, attempt: int, first: int, count: int) -> Position:
        """Marks lines that nobody has any more. Raises SequenceGapError."""

        def step(position: Position) -> tuple[Position, Sequence[Chunk]]:
            _refuse_gap(position, first)
            return _losing(position, attempt, max(first + count, position.next))

        return await self._advance(uid, attempt, step)

    async def end(self, uid: str, attempt: int, total: int, lost: int) -> Position:
        """Marks an attempt as complete: `total` lines, `lost` of them. Raises SequenceGapError.

        What comes later all the same is stored too.
        """

        def step(position: Position) -> tuple[Position, Sequence[Chunk]]:
            _refuse_gap(position, total)
            return replace(position, lost=max(lost, position.lost), ended=True), []

        return await self._advance(uid, attempt, step)

    async def read(
        self, uid: str, attempt: int, after: str | None = None, limit: int = 200
    ) -> TranscriptPage:
        """A page: at most `limit` lines (1 to 1000) and a mebibyte, but one line at least.

        `after` is the cursor of the page before: the number of the line to begin with. Raises
        CursorError.
        """
        if not 1 <= limit <= MOST_LINES:
            raise QueryError(f"limit {limit}: must be 1 to {MOST_LINES}")
        start = _line_number(after)
        query = _chunks_query(uid, attempt)
        begin = await self._chunk_before(query, start) if start else 0
        query = replace(query, after=write_cursor(query, Place(begin - 1, _LAST_ID)))
        return await self._page(query, start, limit)

    async def tail(self, uid: str, attempt: int, count: int) -> tuple[str, ...]:
        """Of the last `count` lines those that are not lost."""
        total = (await self.position(uid, attempt)).next
        lines: list[str] = []
        after: str | None = str(max(0, total - count))
        while after is not None:
            page = await self.read(uid, attempt, after)
            lines += page.events
            after = page.next
        return tuple(lines)

    async def _position(self, uid: str, attempt: int) -> tuple[Position, Expected | str]:
        found = await self._documents.get(_position_path(uid, attempt))
        return (_position(found.fields), found.version) if found else (Position(), Expected.ABSENT)

    async def _advance(self, uid: str, attempt: int, step: Step) -> Position:
        """Steps until nothing is left; a step that somebody else's write made wrong is repeated."""
        failures = 0
        while True:
            position, version = await self._position(uid, attempt)
            after, chunks = step(position)
            if after == position:
                return position
            writes = [Put(f"executions/{uid}/chunks/{each.id}", each.fields()) for each in chunks]
            try:
                await self._documents.commit(
                    Put(_position_path(uid, attempt), after.fields(), version), *writes
                )
                if step(after)[0] == after:
                    return after
            except ConflictError as error:
                failures += 1
                if failures == _TRIES:
                    raise UnavailableError(f"too many deliver {error.path} at once") from error

    async def _chunk_before(self, query: Query, line: int) -> int:
        """The first line of the chunk that a line is in; 0 when nothing is stored."""
        backwards = replace(query, descending=True, limit=1)
        backwards = replace(backwards, after=write_cursor(backwards, Place(line, _LAST_ID)))
        found = (await self._documents.query(backwards)).documents
        return read_chunk(found[0]).first if found else 0

    async def _page(self, query: Query, start: int, limit: int) -> TranscriptPage:
        chunks: list[Chunk] = []
        while True:
            page = await self._documents.query(query)
            chunks += map(read_chunk, page.documents)
            events = [(number, line) for number, line in join(chunks) if number >= start]
            is_full = (
                len(events) > limit or sum(len(line.encode()) for _, line in events) > PAGE_BYTES
            )
            if page.next is None or is_full:
                return _cut_page(events, start, limit)
            # Small chunks are read in ever larger numbers, large ones a few at a time.
            query = replace(query, after=page.next, limit=min(2 * query.limit, _MOST_CHUNKS))


def _losing(position: Position, attempt: int, end: int) -> tuple[Position, Sequence[Chunk]]:
    """Lines up to `end` are gone, and a mark says so."""
    lost = end - position.next
    mark = [Chunk(attempt, position.next, end, "")] if lost else []
    return replace(position, next=end, lost=position.lost + lost), mark


def _cut_page(events: Sequence[tuple[int, str]], start: int, limit: int) -> TranscriptPage:
    """What of these lines is one page."""
    if not events:
        return TranscriptPage(start, (), None)
    first = events[0][0]
    chosen: list[str] = []
    size = 0
    for number, line in events[:limit]:
        size += len(line.encode())
        if number != first + len(chosen) or (chosen and size > PAGE_BYTES):
            break
        chosen.append(line)
    following = events[len(chosen)][0] if len(chosen) < len(events) else None
    return TranscriptPage(first, tuple(chosen), None if following is None else str(following))


def _one_commit(chunks: Sequence[Chunk]) -> list[Chunk]:
    """As many as one commit takes; the parts of a line stay together. Raises TooLargeError."""
    chosen: list[Chunk] = []
    size = 0
    for _, parts in groupby(chunks, lambda each: each.first):
        line = list(parts)
        size += sum(len(each.text.encode()) for each in line)
        if size > COMMIT_BYTES:
            break
        chosen += line
    if chunks and not chosen:
        raise TooLargeError(f"line {chunks[0].first} has more than {COMMIT_BYTES} bytes")
    return chosen


def _refuse_gap(position: Position, first: int) -> None:
    if first > position.next:
        raise SequenceGapError(position.next)


def _line_number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 12):
        raise CursorError(f"{cursor!r} is no cursor of a transcript: leave it out to begin anew")
    return int(cursor)


def _position(fields: Mapping[str, object]) -> Position:
    match fields:
        case {"next": int(next_), "lost": int(lost), "ended": bool(ended)}:
            size = fields.get("size")
            return Position(next_, lost, ended, size if isinstance(size, int) else 0)
    raise StoreError("the position of the transcript is damaged")


def _position_path(uid: str, attempt: int) -> str:
    return f"executions/{uid}/attempts/{attempt:04d}"


def _chunks_query(uid: str, attempt: int) -> Query:
    return Query(
        f"executions/{uid}/chunks",
        owner=None,
        where={"attempt": attempt},
        order="first",
        descending=False,
        limit=_FIRST_CHUNKS,
    )
