"""The caller's limit of output tokens: a real model stops there, whatever it still had to say."""

from dataclasses import replace

from heliostat_scripted.script import Action, Script, Text, Thinking, ToolUse, shown

_CHARACTERS_PER_TOKEN = 4


def limited_script(script: Script, most: int | None) -> Script:
    """`script` with at most `most` output tokens; None is no limit."""
    if most is None or script.usage.output <= most:
        return script
    usage = script.usage.model_copy(
        update={"output": most, "thinking": min(script.usage.thinking, most)}
    )
    actions = _shortened(script.actions, most * _CHARACTERS_PER_TOKEN)
    return replace(script, actions=actions, usage=usage, stop_reason="max_tokens")


def _shortened(actions: tuple[Action, ...], characters: int) -> tuple[Action, ...]:
    """Actions up to so many characters. A tool call that does not fit is left out whole."""
    kept: list[Action] = []
    left = characters
    for action in actions:
        if isinstance(action, Text | Thinking):
            kept.append(replace(action, text=action.text[:left]))
        elif not isinstance(action, ToolUse) or len(shown(action)) <= left:
            kept.append(action)
        left -= len(shown(action))
        if left <= 0:
            break
    return tuple(kept)
