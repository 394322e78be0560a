"""Log lines: one JSON object each, with what it is about, and never a secret.

Every service writes them the same way, so that one query finds a run in all of them.
"""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_SUBJECT: ContextVar[dict[str, str] | None] = ContextVar("subject", default=None)
_MASK: Final = "***"
# Keys of ours and of providers, tokens, and passwords in addresses: whoever put one into a message
# or an error did not mean to.
_SECRETS: Final = re.compile(
    r"""\b(?:sk|hsk|key|AIza|ghp|xox[a-z])[-_][A-Za-z0-9_-]{16,}
    | \bAIza[A-Za-z0-9_-]{30,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)
    | (?i:(?<=bearer\ ))[A-Za-z0-9._~+/=-]{8,}
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?-----END[ A-Z]*PRIVATE\ KEY-----""",
    re.VERBOSE | re.DOTALL,
)


def begin_lines(**subject: str) -> None:
    """From now on this task's lines are about this, and about nothing else."""
    _SUBJECT.set({name: value for name, value in subject.items() if value})


def add_to_lines(**subject: str) -> None:
    """This task's lines say this, too."""
    begin_lines(**{**subject_of_lines(), **subject})


def subject_of_lines() -> dict[str, str]:
    """What this task's lines are about."""
    return dict(_SUBJECT.get() or {})


def mask(text: str) -> str:
    """The text without what looks like a secret."""
    return _SECRETS.sub(_MASK, text)


class JsonLines(logging.Formatter):
    """Writes a record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
            **(_SUBJECT.get() or {}),
        }
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line)


class TextLines(logging.Formatter):
    """Writes a record for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the error below it."""
        return mask(super().format(record))


def set_up_lines(formatter: logging.Formatter | None = None, level: int = logging.INFO) -> None:
    """All of this process's lines go to stderr, as JSON where nothing else is said."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter or JsonLines())
    logging.basicConfig(level=level, handlers=[handler])
