"""An action in full: what is shown to people, and what its digest is computed from."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from heliostat_policy.json_values import (
    JsonObject,
    JsonValue,
    NotCanonical,
    dump_canonical,
    load_canonical,
)

__all__ = [
    "CanonicalAction",
    "JsonObject",
    "NotCanonical",
    "Operand",
    "canonical_bytes",
    "digest_of",
    "read_action",
]

_VERSION: Final = 1


@dataclass(frozen=True)
class Operand:
    """A file that the action executes or sends, with the digest of its content."""

    path: str
    sha256: str


@dataclass(frozen=True)
class CanonicalAction:
    """What would happen: two actions are the same if and only if their canonical bytes are."""

    tool: str
    args: JsonObject = field(hash=False)
    cwd: str
    egress: tuple[str, ...] = ()
    operands: tuple[Operand, ...] = ()
    workspace: str = ""
    policy: str = ""
    execution: str = ""

    def to_json(self) -> JsonObject:
        """Gives the form that is written, with its version."""
        egress: list[JsonValue] = list(self.egress)
        operands: list[JsonValue] = [
            {"path": each.path, "sha256": each.sha256} for each in self.operands
        ]
        return {
            "v": _VERSION,
            "tool": self.tool,
            "args": self.args,
            "target": {"cwd": self.cwd, "egress": egress},
            "operands": operands,
            "workspace": self.workspace,
            "policy": self.policy,
            "execution": self.execution,
        }


def canonical_bytes(action: CanonicalAction) -> bytes:
    """Writes the action as RFC 8785. Raises NotCanonical for what has no such form."""
    return dump_canonical(action.to_json())


def digest_of(canonical: bytes) -> str:
    """Names canonical bytes: `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def read_action(canonical: bytes) -> CanonicalAction:
    """Reads what `canonical_bytes` wrote. Raises NotCanonical for anything else."""
    value = load_canonical(canonical)
    if value.get("v") != _VERSION or isinstance(value.get("v"), bool):
        raise NotCanonical("v is not 1")
    target = _object(value, "target")
    action = CanonicalAction(
        tool=_text(value, "tool"),
        args=_object(value, "args"),
        cwd=_text(target, "cwd"),
        egress=tuple(_as_text(each, "target.egress") for each in _list(target, "egress")),
        operands=tuple(_operand(each) for each in _list(value, "operands")),
        workspace=_text(value, "workspace"),
        policy=_text(value, "policy"),
        execution=_text(value, "execution"),
    )
    if canonical_bytes(action) != canonical:
        raise NotCanonical("has members that an action has not")
    return action


def _operand(value: JsonValue) -> Operand:
    if not isinstance(value, dict):
        raise NotCanonical("operands has an entry that is no object")
    return Operand(path=_text(value, "path"), sha256=_text(value, "sha256"))


def _text(value: JsonObject, name: str) -> str:
    return _as_text(value.get(name), name)


def _as_text(value: JsonValue, name: str) -> str:
    if not isinstance(value, str):
        raise NotCanonical(f"{name} is no text")
    return value


def _object(value: JsonObject, name: str) -> JsonObject:
    found = value.get(name)
    if not isinstance(found, dict):
        raise NotCanonical(f"{name} is no object")
    return found


def _list(value: JsonObject, name: str) -> list[JsonValue]:
    found = value.get(name)
    if not isinstance(found, list):
        raise NotCanonical(f"{name} is no list")
    return found
