"""What the script that plays the designer answers: one tool call after the other, then words. Pure.

All of it follows from the request's own messages, so any replica goes on where another stopped.
"""

import re
from dataclasses import dataclass
from typing import Final

from heliostat_gateway.scripted.conversation import Conversation
from heliostat_gateway.scripted.designer.phrases import Phrase, say
from heliostat_gateway.scripted.designer.wishes import Intent, Wish, name_of_task, read_wishes
from heliostat_gateway.scripted.scenario import Pace
from heliostat_gateway.scripted.script import Action, Script, Text, ToolUse, answer, seed_of
from heliostat_json.objects import JsonObject

WORKER: Final = "scripted/worker"
_TOOLS: Final = {
    Intent.TEST: "run_test",
    Intent.RESULT: "read_result",
    Intent.COST: "estimate_cost",
    Intent.MODELS: "list_models",
}
_ABOUT_AN_AGENT = re.compile(r"^Agent: \S", re.MULTILINE)


@dataclass(frozen=True)
class _Call:
    """A tool call and the words before it."""

    tool: str
    input: JsonObject
    words: str = ""


@dataclass(frozen=True)
class _Scene:
    """The conversation as the script understands it."""

    wish: Wish
    tasks: tuple[str, ...]
    name: str
    has_agent: bool


def play_designer(seen: Conversation, pace: Pace) -> Script:
    """The next answer of the designer."""
    scene = _read_scene(seen)
    calls = [each for each in _plan(scene) if each.tool in seen.offers]
    done = len(seen.recent_calls)
    if seen.result_error:
        actions = _words(say(Phrase.REFUSED, scene.wish.language, result=seen.result))
    elif done < len(calls):
        actions = _spoken_call(calls[done], seed_of(seen, "designer"))
    else:
        actions = _words(_last_words(scene, seen))
    return answer(seen, "designer", _introduced(actions, scene, seen), pace)


def _read_scene(seen: Conversation) -> _Scene:
    wishes = read_wishes(seen.words or ("",))
    designs = [each for each in wishes if each.intent is Intent.DESIGN]
    tasks = tuple(dict.fromkeys(each.task for each in designs if each.task))
    names = [each.name for each in wishes if each.name]
    return _Scene(
        wish=wishes[-1],
        tasks=tasks,
        name=names[-1] if names else name_of_task(tasks[0]) if tasks else "",
        has_agent="save_agent" in seen.earlier_calls or bool(_ABOUT_AN_AGENT.search(seen.system)),
    )


def _plan(scene: _Scene) -> list[_Call]:
    """All calls that these words lead to, in order; some of them may be made already."""
    wish = scene.wish
    if wish.intent in _TOOLS:
        return [_Call(_TOOLS[wish.intent], {})] if _can_ask(scene) else []
    if wish.is_several:
        return []
    if not (wish.task or wish.name or wish.schedule) or not (scene.has_agent or scene.tasks):
        return []
    calls = []
    if wish.task or wish.name:
        calls.append(_save(scene))
    if wish.schedule is not None:
        words = say(Phrase.SCHEDULING, wish.language)
        calls.append(_Call("set_schedule", {"schedule": wish.schedule}, words))
    if wish.task:
        calls.append(_Call("run_test", {}, say(Phrase.TESTING, wish.language)))
    return calls


def _can_ask(scene: _Scene) -> bool:
    return scene.has_agent or scene.wish.intent is Intent.MODELS


def _save(scene: _Scene) -> _Call:
    language = scene.wish.language
    words = say(Phrase.SAVING, language, name=scene.name)
    if not scene.wish.task:  # only a new name
        return _Call("save_agent", {"name": scene.name}, words)
    content: JsonObject = {
        "name": scene.name,
        "description": say(Phrase.DESCRIPTION, language, task=scene.tasks[0])[:200],
        "prompt": say(Phrase.REPORT, language, task="\n".join(scene.tasks)),
        "model": WORKER,
    }
    return _Call("save_agent", content, words)


def _spoken_call(call: _Call, seed: str) -> tuple[Action, ...]:
    return (*_words(call.words), ToolUse(f"toolu_{seed}", call.tool, call.input))


def _last_words(scene: _Scene, seen: Conversation) -> str:
    wish = scene.wish
    if wish.intent in _TOOLS:
        asked = bool(seen.recent_calls)
        return say(Phrase.ANSWER if asked else Phrase.NO_AGENT, wish.language, result=seen.result)
    if wish.is_several:
        return say(Phrase.WHICH_ONE, wish.language)
    if wish.unplaced_time and scene.has_agent:
        return say(Phrase.HOW_OFTEN, wish.language, time=wish.unplaced_time)
    if not seen.recent_calls:
        return say(Phrase.WHAT, wish.language)
    said = []
    if wish.assumed_time:
        said.append(say(Phrase.ASSUMED, wish.language, time=wish.assumed_time))
    has_tested = "run_test" in seen.recent_calls
    said.append(say(Phrase.READY if has_tested else Phrase.CHANGED, wish.language))
    if wish.schedule is None and "set_schedule" not in seen.earlier_calls:
        said.append(say(Phrase.NO_SCHEDULE, wish.language))
    return "\n\n".join(said)


def _introduced(
    actions: tuple[Action, ...], scene: _Scene, seen: Conversation
) -> tuple[Action, ...]:
    """The first answer of a conversation says that it is a script's."""
    if seen.turn:
        return actions
    return (Text(say(Phrase.SCRIPT, scene.wish.language) + "\n\n"), *actions)


def _words(text: str) -> tuple[Action, ...]:
    return (Text(text),) if text else ()
