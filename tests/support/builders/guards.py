"""The member `guard` of run documents, and the rules in it."""

from collections.abc import Mapping

VERSION = "sha256:" + "0" * 64
DIGEST = "sha256:" + "d" * 64


def make_rule(decision: str, *argv: str) -> dict[str, object]:
    """A rule about commands that begin with these words."""
    return {"decision": decision, "argv": list(argv)}


def make_guard(*rules: Mapping[str, object], **changes: object) -> dict[str, object]:
    """A run that a person started and that may ask; `changes` are whole members, by their names."""
    return {
        "mode": "Enforce",
        "policy": make_policy(*rules),
        "policyVersion": VERSION,
        "workspace": "sales-1-workspace",
        "egress": ["example.com:443"],
        "unattended": None,
        "canAsk": True,
        "asksLeft": 20,
        "decided": [],
        **changes,
    }


def make_policy(*rules: Mapping[str, object]) -> dict[str, object]:
    """Commands of which no rule says anything are allowed, whatever the program."""
    return {"rules": [*rules, {"decision": "Allow", "tool": "Bash"}]}


def make_decided(decision: str, **changes: object) -> dict[str, object]:
    """One action of the run that was decided; it may begin until 2100."""
    return {
        "approval": "a-1",
        "name": "sales-1-dddd",
        "digest": DIGEST,
        "toolUseId": "toolu_1",
        "decision": decision,
        "reason": "",
        "expires": "2100-01-01T00:00:00Z",
        "receipt": "",
        **changes,
    }
