"""What `heliostat policy check` does: commands from stdin, a verdict for each."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from heliostat_cli.errors import UsageError
from heliostat_cli.manifests import read_documents
from heliostat_cli.screen import Terminal
from heliostat_core.reading import number, part, parts, text, values
from heliostat_core.worlds import AGENT, JsonObject
from heliostat_policy.json_values import JsonValue
from heliostat_policy.rules import (
    Call,
    InvalidPolicy,
    Policy,
    Verdict,
    check_examples,
    judge,
    read_rules,
)

WORKSPACE: Final = "/workspace"


def check(terminal: Terminal, file: Path | None, *, as_json: bool) -> int:
    """Tells what becomes of each command of stdin. Returns the exit code."""
    policy = Policy() if file is None else read_policy(file)
    for command in _commands():
        verdict = judge(policy, Call("Bash", {"command": command}, WORKSPACE, WORKSPACE))
        terminal.raw(_as_json(command, verdict) if as_json else _as_columns(command, verdict))
    return 0


def read_policy(path: Path) -> Policy:
    """The policy of a file's only Agent. Raises UsageError that names the rule and the remedy."""
    agents = [each for each in read_documents(path) if text(each, "kind") == AGENT.name]
    if len(agents) != 1:
        raise UsageError(
            f"{path} declares {len(agents)} Agents", "Give a file with one Agent, or no file."
        )
    spec = part(agents[0], "spec")
    found = part(spec, "approvals").get("rules", [])
    try:
        rules = read_rules(_plain(found))
        policy = Policy(
            rules=rules,
            egress=bool(values(spec, "workspace", "egress")),
            secret_refs=bool(values(spec, "workspace", "secretRefs")),
            hosts=tuple(text(each, "host") for each in _egress(spec)),
            quorum=number(spec, "approvals", "quorum") or 1,
        )
    except InvalidPolicy as error:
        raise UsageError(f"{path}: spec.approvals.{error}", "Fix the named field.") from error
    for fault in check_examples(rules):
        does = "does not match" if fault.list == "match" else "matches"
        raise UsageError(
            f"{path}: spec.approvals.rules[{fault.rule}] {does} {fault.example!r}, an example of "
            f"its {fault.list}",
            "Change the rule or the example.",
        )
    return policy


def _egress(spec: JsonObject) -> tuple[JsonObject, ...]:
    return tuple(parts(spec, "workspace", "egress"))


def _plain(value: object) -> JsonValue:
    """The same value, in the policy's own type."""
    found: JsonValue = json.loads(json.dumps(value))
    return found


def _commands() -> Iterator[str]:
    """Lines of stdin that are not blank. Raises UsageError for one that is no text."""
    for number_, line in enumerate(sys.stdin.buffer, start=1):
        try:
            command = line.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise UsageError(
                f"line {number_} of stdin is not UTF-8", "Give text, one command a line."
            ) from error
        if "\0" in command:
            raise UsageError(
                f"line {number_} of stdin holds a NUL character", "Give text, one command a line."
            )
        if command.strip():
            yield command


def _as_json(command: str, verdict: Verdict) -> str:
    return json.dumps(
        {
            "command": command,
            "decision": verdict.decision,
            "class": verdict.class_,
            "reason": verdict.reason,
        },
        ensure_ascii=False,
    )


def _as_columns(command: str, verdict: Verdict) -> str:
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in command)
    return f"{verdict.decision:6}  {verdict.class_:13}  {verdict.reason:17}  {shown}"
