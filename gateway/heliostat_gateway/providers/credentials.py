"""Keys of providers: where they come from, and which of them there are now."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from pydantic import SecretStr

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_LONGEST_KEY = 8192
_NUMBER = re.compile(r"_([2-9]|[1-9][0-9]{1,3})")


@dataclass(frozen=True)
class Credential:
    """One key of a provider. `name` is the variable or file that it came from, never the key."""

    name: str
    secret: SecretStr


NO_CREDENTIAL: Final = Credential("no-key", SecretStr(""))  # for providers that need none


class CredentialSource(Protocol):
    """Where keys are kept: the environment, files, a secret manager."""

    def credentials(self, variable: str) -> tuple[Credential, ...]:
        """The keys `VARIABLE`, `VARIABLE_2`, `VARIABLE_3`, ... that there are now, in order."""
        ...


@dataclass(frozen=True)
class EnvironmentKeys:
    """Keys from environment variables, as they were at the start."""

    variables: Mapping[str, SecretStr]
    _found: dict[str, tuple[Credential, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def credentials(self, variable: str) -> tuple[Credential, ...]:
        """The keys of a variable and of its numbered forms."""
        found = self._found.get(variable)
        if found is None:
            found = self._found[variable] = pick(variable, self.variables)
        return found


@dataclass
class FolderKeys:
    """Keys from files of a folder that are named as the variables, looked at once a second at most.

    A change of a known key counts once the file has rested for a second, or is the same at two
    looks: a half-written file never replaces a good key. A file that is gone takes its key along.
    """

    folder: Path
    clock: Callable[[], float] = time.time
    _looked: float = float("-inf")
    _keys: dict[str, SecretStr] = field(default_factory=dict)
    _signatures: dict[str, "_Signature"] = field(default_factory=dict)  # of what was read
    _waiting: dict[str, "_Signature"] = field(default_factory=dict)  # of what may be unfinished
    _is_blind: bool = False  # the folder can't be read: what is known stays

    def credentials(self, variable: str) -> tuple[Credential, ...]:
        """The keys of the files of this name and of its numbered forms."""
        now = self.clock()
        if not 0 <= now - self._looked < _LOOK_SECONDS:
            self._looked = now
            self._look(now)
        return pick(variable, self._keys)

    def _look(self, now: float) -> None:
        try:
            found = _find_files(self.folder)
        except OSError as error:
            if not self._is_blind:
                _LOG.warning("the folder of provider keys can't be read: %s", error.strerror)
            self._is_blind = True
            return
        self._is_blind = False
        for name in self._signatures.keys() - found.keys():
            del self._signatures[name]
            self._keys.pop(name, None)
        for name, signature in found.items():
            if self._signatures.get(name) != signature and self._is_finished(name, signature, now):
                self._take(name, signature)
        self._waiting = found

    def _is_finished(self, name: str, signature: "_Signature", now: float) -> bool:
        rested = now - signature.changed_ns / 1e9 >= _LOOK_SECONDS
        return rested or name not in self._keys or self._waiting.get(name) == signature

    def _take(self, name: str, signature: "_Signature") -> None:
        self._signatures[name] = signature
        secret = _read_key(self.folder / name)
        if secret is not None:
            self._keys[name] = secret


@dataclass(frozen=True)
class AllKeys:
    """Several sources as one; of one name the first source wins."""

    sources: tuple[CredentialSource, ...]

    def credentials(self, variable: str) -> tuple[Credential, ...]:
        """The keys of all sources, in order of their numbers."""
        found: dict[str, SecretStr] = {}
        for source in reversed(self.sources):
            found |= {each.name: each.secret for each in source.credentials(variable)}
        return pick(variable, found)


@dataclass(frozen=True)
class _Signature:
    changed_ns: int
    size: int
    inode: int


def pick(variable: str, keys: Mapping[str, SecretStr]) -> tuple[Credential, ...]:
    """The keys of a variable and of its numbered forms, in order of their numbers."""
    numbered = []
    for name, secret in keys.items():
        if name == variable:
            numbered.append((1, Credential(name, secret)))
        elif name.startswith(variable):
            number = _NUMBER.fullmatch(name, len(variable))
            if number is not None:
                numbered.append((int(number[1]), Credential(name, secret)))
    return tuple(credential for _, credential in sorted(numbered, key=lambda pair: pair[0]))


def _find_files(folder: Path) -> dict[str, _Signature]:
    """The files of a folder by name. Raises OSError."""
    found = {}
    for path in folder.iterdir():
        if not path.name.startswith(".") and path.is_file():
            state = path.stat()
            found[path.name] = _Signature(state.st_mtime_ns, state.st_size, state.st_ino)
    return found


def is_one_word(text: str) -> bool:
    """Whether a text can be a key: not empty, not several words, not binary."""
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and 0 < len(text) <= _LONGEST_KEY


def _read_key(path: Path) -> SecretStr | None:
    """The key in a file, or None when there is no usable one: empty, several words, binary."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not is_one_word(text):
        _LOG.warning("provider key file %s holds no key and is not used", path.name)
        return None
    return SecretStr(text)
