"""Decides what the script answers: one tool call after the other, then words. Pure.

All of it follows from the request's own messages, so any replica goes on where another stopped.
"""

import re
from collections.abc import Iterable
from typing import Final

from heliostat_json.objects import JsonObject
from heliostat_scripted.conversation import Conversation
from heliostat_scripted.designer.forms import Wish, read_wish, speaks_of_a_file, speaks_of_a_limit
from heliostat_scripted.designer.texts import say
from heliostat_scripted.scenario import Pace, Recording
from heliostat_scripted.script import Action, Script, Text, ToolUse, answer, seed_of

WORKER: Final = "scripted/worker"
_HANGUL = re.compile(r"[가-힣]")
_ABOUT_AN_AGENT = re.compile(r"^Agent: \S", re.MULTILINE)
_Call = tuple[str, JsonObject, str]
"""A tool, its input, and the words before it."""


def answer_designer(seen: Conversation, recordings: Iterable[Recording], pace: Pace) -> Script:
    """Gives the next answer of the designer."""
    wish, is_korean = read_wish(seen.said, recordings), bool(_HANGUL.search(seen.said))
    has_agent = bool(_ABOUT_AN_AGENT.search(seen.system))
    calls = [each for each in _plan(wish, has_agent, is_korean) if each[0] in seen.offers]
    done = len(seen.recent_calls)
    actions: tuple[Action, ...]
    if seen.result_error:
        actions = (Text(say("failed", is_korean, result=seen.result)),)
    elif done < len(calls):
        tool, given, words = calls[done]
        use = ToolUse(f"toolu_{seed_of(seen, 'designer')}", tool, given)
        actions = (Text(words), use) if words else (use,)
    else:
        actions = (Text(_last_words(wish, seen, is_korean)),)
    if not seen.turn:
        actions = (Text(say("script", is_korean) + "\n\n"), *actions)
    return answer(seen, "designer", actions, pace)


def _plan(wish: Wish, has_agent: bool, is_korean: bool) -> list[_Call]:
    """Lists all calls that the words lead to, in order; some of them may be made already."""
    if wish.command:
        return [(wish.command, {}, "")] if has_agent or wish.command == "list_models" else []
    if wish.is_ambiguous or not (has_agent or wish.task):
        return []
    calls: list[_Call] = []
    if wish.task or wish.name:
        calls.append(_save(wish, has_agent, is_korean))
    if wish.schedule is not None:
        words = say("set_schedule", is_korean)
        calls.append(("set_schedule", {"schedule": wish.schedule}, words))
    if wish.task:
        calls.append(("run_test", {}, say("run_test", is_korean)))
    return calls


def _save(wish: Wish, has_agent: bool, is_korean: bool) -> _Call:
    """Changes only what was said of an agent that is there; a new one needs name and model."""
    said: JsonObject = {
        **({"name": wish.name} if wish.name else {}),
        **({"prompt": wish.task} if wish.task else {}),
    }
    if has_agent:
        return "save_agent", said, say("change", is_korean)
    name = wish.name or say("new_agent", is_korean)
    description = say("description", is_korean)
    given: JsonObject = {**said, "name": name, "description": description, "model": WORKER}
    return "save_agent", given, say("save" if wish.name else "unnamed", is_korean, name=name)


def _last_words(wish: Wish, seen: Conversation, is_korean: bool) -> str:
    """Says what the calls did, and what was not read."""
    if wish.command and seen.recent_calls:
        return say("answer", is_korean, tool=wish.command, result=seen.result)
    if not seen.recent_calls:
        key = "no_agent" if wish.command else "which" if wish.is_ambiguous else "what"
        return say(key, is_korean)
    keys = [
        *(["task"] if wish.task else []),
        *(["untimed"] if wish.task and not wish.schedule else []),
        *(["file"] if speaks_of_a_file(wish.task) else []),
        *(["limit"] if speaks_of_a_limit(wish.task) else []),
        "activate",
    ]
    return "\n\n".join(say(each, is_korean) for each in keys)
