"""What every meter has in common: usage as it stands, whatever happens next."""

from abc import ABC, abstractmethod

from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.money.usage import Usage, counted_input, with_counted_output
from heliostat_gateway.sse import Event
from heliostat_json.encoding import parse_object
from heliostat_json.objects import JsonObject


class Meter(ABC):
    """What one answer has used so far. It reads what passes by and changes nothing.

    `final` says that the provider's own final usage arrived, so that the bill is known exactly;
    `stopped` that the answer is complete; `began` that any of it came, pings and errors apart;
    `visible` that there is output to see.
    """

    def __init__(self, request_bytes: int) -> None:
        self._counted = counted_input(request_bytes)
        self._reported: Usage | None = None
        self._characters = 0
        self.final = False
        self.stopped = False
        self.began = False
        self.visible = False
        self.error: tuple[str, str] | None = None  # type and message of an error event

    @property
    def has_report(self) -> bool:
        """Whether the provider has said anything about usage."""
        return self._reported is not None

    def usage(self) -> Usage:
        """What the request costs if it ends now."""
        if self._reported is None:
            return with_counted_output(self._counted, self._characters)
        if self.final:
            return self._reported
        return with_counted_output(self._reported, self._characters)

    def read_message(self, body: bytes) -> JsonObject:
        """A whole answer. Raises MalformedAnswerError when it is none.

        One without usage (some servers say nothing of it) counts by what it shows.
        """
        message = parse_object(body) or {}
        usage, shown = self._usage_of_message(message), self._shown_in(message)
        if usage is None and shown is None:
            raise MalformedAnswerError("The provider's answer has neither output nor usage.")
        self._reported, self._characters = usage, shown or 0
        self.final = usage is not None
        self.began = self.stopped = self.visible = True
        return message

    def read_event(self, event: Event) -> None:
        """One event of a stream. Raises MalformedAnswerError when its data is no JSON object."""
        if not event.data:
            return
        fields = parse_object(event.data)
        if fields is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        self._read(fields)
        if self.error is None and fields.get("type") != "ping":
            self.began = True

    @abstractmethod
    def _shown_in(self, message: JsonObject) -> int | None:
        """Characters that a whole answer shows; None when it has no place for any."""

    @abstractmethod
    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        """The usage in a whole answer; None when there is none."""

    @abstractmethod
    def _read(self, fields: JsonObject) -> None:
        """Takes note of one event's data."""
