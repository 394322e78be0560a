"""Streams of model answers: translated, and what is in them."""

from collections.abc import Iterable

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError, StreamFaultError
from heliostat_gateway.dialects.translation import stream_translation
from heliostat_gateway.sse import EventReader
from heliostat_json.objects import JsonObject, parse_object
from support.golden import asked_by

CREATED = 1_790_000_000


def translated(chunks: Iterable[bytes], source: Dialect, target: Dialect) -> str:
    """All that the caller sees; a failure as a comment at its end."""
    reader = EventReader()
    translation = stream_translation(source, target, asked_by(target), CREATED)
    seen: list[bytes] = []
    try:
        for chunk in chunks:
            for event in reader.feed(chunk):
                seen += translation.feed(event)
        seen += translation.finish()
    except MalformedAnswerError as error:
        seen.append(f": malformed: {error}\n\n".encode())
    except StreamFaultError as error:
        seen.append(f": fault: {error}\n\n".encode())
    return b"".join(seen).decode()


def is_whole(stream: str) -> bool:
    """Whether what the caller saw did not end in a failure."""
    return ": malformed" not in stream and ": fault" not in stream


def objects_of(stream: str) -> list[JsonObject]:
    """The JSON objects that a stream's events hold, in order."""
    events = EventReader().feed(stream.encode())
    return [found for event in events if (found := parse_object(event.data))]
