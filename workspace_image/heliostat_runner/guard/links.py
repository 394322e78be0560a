"""Paths that lead elsewhere than their letters say: the policy reads letters, here the disk is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from heliostat_policy.rules import Call, Policy, Verdict, judge

from ..jsonvalue import text_at
from .protocol import Question


def find_stricter_place(policy: Policy, verdict: Verdict, question: Question, root: str) -> str:
    """Where a path of the call really leads, if what happens there is held to stricter rules.

    Empty where the letters do not deceive. Of a call that reads, only the tool Read says which
    file.
    """
    by_class = replace(policy, rules=tuple(each for each in policy.rules if not each.tool))
    tool = "Read" if question.tool == "Read" else "Write"
    read = text_at(question.input, "file_path") if tool == "Read" else ""
    for real in _real_paths([*verdict.writes, *filter(None, [read])], question.cwd):
        found = judge(by_class, Call(tool, {"file_path": real}, root, root)).decision
        if found.strictness > verdict.decision.strictness:
            return real
    return ""


def _real_paths(paths: Sequence[str], cwd: str) -> list[str]:
    """Those that links lead elsewhere."""
    plain = [os.path.normpath(os.path.join(cwd, path)) for path in paths]
    return [real for path in plain if (real := os.path.realpath(path)) != path]
