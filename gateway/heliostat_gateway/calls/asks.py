"""A request as its caller sent it."""

from dataclasses import dataclass
from functools import cached_property

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_json.objects import JsonObject


@dataclass(frozen=True)
class Ask:
    """What is asked, by whom, in which dialect."""

    dialect: Dialect
    path: str
    query: str
    headers: Headers  # end-to-end, without the caller's credentials
    body: bytes
    document: JsonObject  # the body, parsed
    caller: Caller

    @cached_property
    def is_stream(self) -> bool:
        """Whether the answer shall come event by event."""
        return self.document.get("stream") is True

    @cached_property
    def session(self) -> str:
        """What the key is about, else Claude Code's session id; empty for other clients."""
        if self.caller.session:
            return self.caller.session
        return next((v for name, v in self.headers if name == "x-claude-code-session-id"), "")
