"""Claude Code's side calls: titles, names, summaries, probes. They are no turn of a scenario.

Recognised by the client's own words; all but compaction also by offering no tools, so that a
plain SDK request never counts as one by accident.
"""

import hashlib
import json
import re

from heliostat_scripted.conversation import Conversation
from heliostat_scripted.examples import example
from heliostat_scripted.script import Script, Text, counted_usage

_COMPACTION = re.compile(r"create a detailed summary of the conversation so far")
_ASIDE = re.compile(
    r"session title|sentence-case title|kebab-case name|issue title|isNewTopic"
    r"|summar(y|ize) (of )?(the|this|what|tool)|Web page content:",
    re.IGNORECASE,
)
_TITLE = "Scripted session"


def side_answer(seen: Conversation) -> Script | None:
    """The answer to a side call; None when the request is a turn of the scenario."""
    if _COMPACTION.search(seen.said):
        return _script(seen, f"<summary>\nThe task: {seen.prompt[:2000]}\n</summary>")
    if seen.offers:
        return None
    if seen.said == "quota" or "x-anthropic-billing-header" in seen.system:
        return _script(seen, _words(seen)) if _is_aside(seen) else None
    return None


def _is_aside(seen: Conversation) -> bool:
    return seen.said == "quota" or bool(_ASIDE.search(seen.system) or _ASIDE.search(seen.said))


def _words(seen: Conversation) -> str:
    if seen.schema:
        return json.dumps(example(seen.schema))
    return "scripted-session" if "kebab-case" in seen.system + seen.said else _TITLE


def _script(seen: Conversation, text: str) -> Script:
    actions = (Text(text),)
    digest = hashlib.sha256(f"{seen.model}{seen.system}{seen.said}".encode()).hexdigest()
    return Script(
        id=f"msg_{digest[:22]}",
        model=seen.model,
        actions=actions,
        usage=counted_usage(seen.characters, actions),
        stop_reason="end_turn",
    )
