"""Where a path leads: inside of the workspace, outside, or to something that is guarded."""

import posixpath
import re
from enum import StrEnum
from typing import Final


class Place(StrEnum):
    """Where a path leads, by its letters alone: no file is looked at."""

    INSIDE = "Inside"
    GUARDED = "Guarded"
    DEVICE = "Device"
    OUTSIDE = "Outside"


DEVICES: Final = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty"})

_GUARDED_FOLDERS: Final = frozenset({".heliostat", ".claude"})
_GIT_OF_CODE: Final = frozenset({"hooks", "config", "config.worktree", "info", "modules"})
# Programs read these from the folder in which they start, and run what stands in them.
_GUARDED_NAMES: Final = frozenset(
    {".mcp.json", ".envrc", ".gitattributes", ".gitmodules", ".rgignore"}
)
_HOME_DOTFILES: Final = re.compile(
    r"^\.(?:bash.*|profile|zsh.*|zprofile|login|inputrc|gitconfig|npmrc|pypirc|netrc|curlrc|wgetrc"
    r"|vimrc|config|local|ssh|aws|docker|kube|gnupg|cache|git-credentials|pythonrc.*|ripgreprc)$"
)
_SECRETS: Final = re.compile(
    r"(?:^|/)(?:\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.azure|\.git-credentials|\.netrc|\.pgpass"
    r"|\.npmrc|\.pypirc|\.vault-token|\.boto|gcloud|gh/hosts\.yml|\.claude\.json|\.credentials\.json"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|shadow|sudoers|\.env(?:\.[\w.-]+)?|credentials(?:\.json)?"
    r"|service[-_]account[\w.-]*\.json|[\w.-]+\.(?:pem|key|p12|pfx|keystore|jks))(?:/|$)"
    r"|^/(?:var/)?run/secrets(?:/|$)|^/proc/(?:[^/]+/)*(?:environ|mem|maps|cmdline|fd)(?:/|$)"
    r"|^/dev/(?!null$|zero$|stdin$|stdout$|stderr$|tty$|u?random$)"
)


def resolve(path: str, cwd: str) -> str:
    """The absolute path without `.` and `..`, by its letters alone."""
    whole = posixpath.normpath(posixpath.join(cwd, path))
    return "/" + whole.lstrip("/")


def place_of(path: str, cwd: str, root: str) -> Place:
    """Where a change of `path` would take effect."""
    whole = resolve(path, cwd)
    if whole in DEVICES:
        return Place.DEVICE
    base = resolve(root, "/")
    if base == "/" or not whole.startswith(base + "/"):
        return Place.OUTSIDE
    parts = whole[len(base) + 1 :].split("/")
    return Place.GUARDED if _is_guarded(parts) else Place.INSIDE


def _is_guarded(parts: list[str]) -> bool:
    lowered = [each.lower() for each in parts]
    if any(each in _GUARDED_FOLDERS for each in lowered):
        return True
    if any(
        each == ".git" and (index + 1 == len(lowered) or lowered[index + 1] in _GIT_OF_CODE)
        for index, each in enumerate(lowered)
    ):
        return True
    return lowered[-1] in _GUARDED_NAMES or any(_HOME_DOTFILES.match(each) for each in lowered)


def is_secret(path: str, cwd: str) -> bool:
    """Whether reading `path` would show a credential, as far as its name says."""
    return _SECRETS.search(path) is not None or _SECRETS.search(resolve(path, cwd)) is not None
