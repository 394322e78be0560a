"""Files that a run made or changed, for its owner. They are a stranger's content.

A browser shows pictures, texts and tables, everything else is a download; nothing of it is ever
a page or a script of our origin.
"""

import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from heliostat_api.base.views import ExecutionView, View
from heliostat_api.documents.files import Files, WorkFile
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.web.problems import NotFoundProblem

_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_TEXTS: Final = frozenset(
    {"text/plain", "text/csv", "text/markdown", "text/tab-separated-values", "application/json"}
)
_LAST_LINES: Final = 10
"""After the runner's word about files come its last words and no others."""
HARMLESS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
}


class FileView(View):
    """A file as an attempt left it. `path` is relative to the workspace, `size` in bytes."""

    id: str
    attempt: int
    path: str
    size: int
    sha256: str
    is_shown: bool
    """Whether a browser may show it; else it is a download."""


class LeftOutFileView(View):
    """A file that was not kept, and why."""

    path: str
    why: str


class LeftOutView(View):
    """What an attempt made and nobody kept: `count` files, the first hundred of them by name.

    With a `why` of its own no file of the attempt was looked for at all.
    """

    attempt: int
    count: int
    files: tuple[LeftOutFileView, ...]
    why: str


class FileList(View):
    """What a run made or changed, the latest first, and what of it was not kept."""

    items: tuple[FileView, ...]
    left_out: tuple[LeftOutView, ...]


async def list_files(files: Files, transcripts: Transcripts, run: ExecutionView) -> FileList:
    """Those that are there as a whole; what was left out, the runner says at an attempt's end."""
    items = tuple(view_file(each) for each in await files.list(run.id))
    attempts = [each.number for each in run.attempts] or [1]
    left_out = [
        read_left_out(number, await transcripts.tail(run.id, number, _LAST_LINES))
        for number in attempts
    ]
    return FileList(items=items, left_out=tuple(filter(None, left_out)))


def read_left_out(attempt: int, lines: Sequence[str]) -> LeftOutView | None:
    """From an attempt's last events; None when nothing was left out."""
    for line in reversed(lines):
        match json.loads(line):
            case {"type": "heliostat", "subtype": "files", "leftOutCount": int(count)} as event if (
                count > 0
            ):
                files = event.get("leftOut")
                named = _named(files) if isinstance(files, list) else ()
                return LeftOutView(attempt=attempt, count=count, files=named, why="")
            case {"type": "heliostat", "subtype": "files", "why": str(why)}:
                return LeftOutView(attempt=attempt, count=0, files=(), why=why)
    return None


def _named(files: Sequence[object]) -> tuple[LeftOutFileView, ...]:
    named: list[LeftOutFileView] = []
    for each in files:
        match each:
            case {"path": str(path), "why": str(why)}:
                named.append(LeftOutFileView(path=path, why=why))
    return tuple(named)


def view_file(file: WorkFile) -> FileView:
    """What is told of it."""
    return FileView(
        id=file.id,
        attempt=file.attempt,
        path=file.path,
        size=file.size,
        sha256=file.sha256,
        is_shown=shown_type(file.path) is not None,
    )


async def download(files: Files, uid: str, file_id: str) -> StreamingResponse:
    """Its bytes. Raises NotFoundProblem."""
    file = await files.find(uid, file_id)
    if file is None:
        raise NotFoundProblem("file")
    shown = shown_type(file.path)
    return StreamingResponse(
        files.read(uid, file),
        media_type=shown or "application/octet-stream",
        headers={
            **HARMLESS,
            "Content-Length": str(file.size),
            "Content-Disposition": disposition(file.path, is_shown=shown is not None),
            "ETag": f'"{file.sha256}"',
        },
    )


def shown_type(path: str) -> str | None:
    """The media type under which a browser may show it; texts of every kind as plain text."""
    guessed, encoding = mimetypes.guess_type(path, strict=False)
    if encoding is not None:
        return None
    if guessed in _PICTURES:
        return guessed
    return "text/plain; charset=utf-8" if guessed in _TEXTS else None


def disposition(path: str, *, is_shown: bool) -> str:
    """With the file's own name (RFC 6266), whatever letters it has."""
    name = quote(path.rpartition("/")[2], safe="")
    return f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{name}"


FILE_RESPONSES: Final[Mapping[int | str, dict[str, object]]] = {
    200: {
        "description": "The file's bytes.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
