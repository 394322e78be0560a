"""Where the runner finds and leaves things: its own environment variables, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .files import Bounds

_FOLDERS = {
    "HELIOSTAT_RUN_DIR": "/run/heliostat",
    "HELIOSTAT_WORKSPACE": "/workspace",
    "HELIOSTAT_TERMINATION_LOG": "/dev/termination-log",
}
_NUMBERS = {
    "HELIOSTAT_LINGER_SECONDS": 20,
    "HELIOSTAT_SPOOL_BYTES": 8 << 20,
    "HELIOSTAT_TRANSCRIPT_BYTES": 256 << 20,
    "HELIOSTAT_FILE_BYTES": 20 << 20,
    "HELIOSTAT_FILES_BYTES": 100 << 20,
}


class SettingError(Exception):
    """An environment variable is not what it must be; the text names both."""


@dataclass(frozen=True)
class Settings:
    run_dir: Path
    workspace: Path
    state_dir: Path
    termination_log: Path
    claude_binary: Path | None
    linger_seconds: float
    """How long Claude Code may go on living after its final result."""
    spool_bytes: int
    """Events that neither the workspace nor the api could take wait in memory, at most so many."""
    transcript_bytes: int
    """The file of the transcript may have so many."""
    bounds: Bounds
    """Of the files that are delivered."""

    @property
    def home(self) -> Path:
        return self.state_dir / "home"

    def transcript(self, attempt: int) -> Path:
        return self.state_dir / f"transcript-{attempt}.jsonl"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises SettingError. HELIOSTAT_CLAUDE_BINARY and HELIOSTAT_LINGER_SECONDS are for tests."""
    workspace = _folder(environ, "HELIOSTAT_WORKSPACE")
    state = environ.get("HELIOSTAT_STATE_DIR")
    binary = environ.get("HELIOSTAT_CLAUDE_BINARY")
    return Settings(
        run_dir=_folder(environ, "HELIOSTAT_RUN_DIR"),
        workspace=workspace,
        state_dir=_absolute("HELIOSTAT_STATE_DIR", state) if state else workspace / ".heliostat",
        termination_log=_folder(environ, "HELIOSTAT_TERMINATION_LOG"),
        claude_binary=_absolute("HELIOSTAT_CLAUDE_BINARY", binary) if binary else None,
        linger_seconds=float(_number(environ, "HELIOSTAT_LINGER_SECONDS")),
        spool_bytes=_number(environ, "HELIOSTAT_SPOOL_BYTES"),
        transcript_bytes=_number(environ, "HELIOSTAT_TRANSCRIPT_BYTES"),
        bounds=Bounds(
            _number(environ, "HELIOSTAT_FILE_BYTES"), _number(environ, "HELIOSTAT_FILES_BYTES")
        ),
    )


def _number(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name) or str(_NUMBERS[name])
    if not (value.isascii() and value.isdecimal()):
        raise SettingError(f"{name} must be a whole number, not {value!r}")
    return int(value)


def _folder(environ: Mapping[str, str], name: str) -> Path:
    return _absolute(name, environ.get(name) or _FOLDERS[name])


def _absolute(name: str, value: str) -> Path:
    path = Path(value)
    if not path.is_absolute():
        raise SettingError(f"{name} must be an absolute path, not {value!r}")
    return path
