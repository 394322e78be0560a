"""Stores and a log in memory that die under ingest, before or after a call took effect."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from heliostat_api.documents.actions import read_text
from heliostat_api.documents.files import WorkFile
from heliostat_api.documents.port import UnavailableError
from heliostat_api.documents.transcripts import Position, SequenceGapError
from heliostat_api.events.log import Logged, Report, Slice


@dataclass
class Fate:
    """One word for each call: "before" and "after" end it there, anything else lets it be."""

    words: list[str] = field(default_factory=list)

    def draw(self) -> str:
        return self.words.pop(0) if self.words else ""


def _die(word: str, moment: str) -> None:
    if word == moment:
        raise UnavailableError("the store is away")


@dataclass
class MemoryTranscripts:
    """What ingest asks of a transcript store."""

    fate: Fate = field(default_factory=Fate)
    lines: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    positions: dict[tuple[str, int], Position] = field(default_factory=dict)

    async def position(self, uid: str, attempt: int) -> Position:
        return self.positions.get((uid, attempt), Position())

    async def append(self, uid: str, attempt: int, first: int, lines: Sequence[str]) -> Position:
        return await self._advance(uid, attempt, first, lines)

    async def lose(self, uid: str, attempt: int, first: int, count: int) -> Position:
        before = await self.position(uid, attempt)
        position = await self._advance(uid, attempt, first, ["LOST"] * count)
        return await self._set(
            uid, attempt, replace(position, lost=before.lost + position.next - before.next)
        )

    async def end(self, uid: str, attempt: int, total: int, lost: int) -> Position:
        position = await self._advance(uid, attempt, total, [])
        return await self._set(uid, attempt, replace(position, lost=lost, ended=True))

    async def _advance(self, uid: str, attempt: int, first: int, lines: Sequence[str]) -> Position:
        word = self.fate.draw()
        _die(word, "before")
        position = await self.position(uid, attempt)
        if first > position.next:
            raise SequenceGapError(position.next)
        stored = self.lines.setdefault((uid, attempt), [])
        stored += lines[position.next - first :]
        position = await self._set(uid, attempt, replace(position, next=len(stored)))
        _die(word, "after")
        return position

    async def _set(self, uid: str, attempt: int, position: Position) -> Position:
        self.positions[uid, attempt] = position
        return position


@dataclass
class MemoryLog:
    """An event log in memory; a key is heard once."""

    fate: Fate = field(default_factory=Fate)
    heard: dict[str, list[Report]] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        word = self.fate.draw()
        _die(word, "before")
        if (audience, key) not in self.keys:
            self.keys.add((audience, key))
            self.heard.setdefault(audience, []).append(report)
        _die(word, "after")

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        reports = [report for name in audiences for report in self.heard.get(name, [])]
        logged = tuple(Logged(number, report) for number, report in enumerate(reports, 1))
        return Slice(logged[after : after + limit], len(logged))

    async def end(self) -> int:
        return sum(map(len, self.heard.values()))

    async def wait(self, audiences: Collection[str], after: int, seconds: float) -> None:
        del audiences, after, seconds

    async def forget(self, audience: str) -> None:
        self.heard.pop(audience, None)

    async def erase(self, audience: str) -> None:
        self.heard.pop(audience, None)

    async def close(self) -> None:
        return None


class NoFiles:
    """Takes every file and keeps none."""

    async def position(self, uid: str, file: WorkFile) -> int:
        del uid
        return file.size

    async def write(self, uid: str, file: WorkFile, offset: int, content: bytes) -> int:
        del uid, file
        return offset + len(content)


@dataclass
class MemoryActions:
    """Keeps them as they come, by run and digest."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)

    async def put(self, uid: str, digest: str, content: bytes) -> None:
        read_text(digest, content)
        self.kept[uid, digest] = content

    async def get(self, uid: str, digest: str) -> bytes | None:
        return self.kept.get((uid, digest))
