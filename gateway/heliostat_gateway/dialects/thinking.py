"""How hard a model thinks: budgets and efforts, between the dialects.

The inner form is that of Messages (`thinking`, `output_config.effort`), with one more effort,
`minimal`, which Messages lacks.
"""

from typing import Final

from heliostat_json.objects import JsonObject, count_at, object_at, text_at

# A budget of at most so many tokens is an effort of ...; above the last it is "xhigh".
EFFORT_OF_BUDGET: Final = ((4_096, "low"), (16_384, "medium"), (32_768, "high"))
GEMINI_LEVELS: Final = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}


def read_effort(effort: str, forced_tool: bool) -> JsonObject:
    """The inner fields of a `reasoning_effort`.

    Anthropic does not think where a tool is forced: then only the effort is said.
    """
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    fields: JsonObject = {"output_config": {"effort": effort}}
    return fields if forced_tool else {"thinking": {"type": "adaptive"}, **fields}


def effort_of(inner: JsonObject) -> str | None:
    """The `reasoning_effort` of a request; None when the model may decide."""
    thinking = object_at(inner, "thinking")
    if thinking.get("type") == "disabled":
        return "none"
    if effort := text_at(object_at(inner, "output_config"), "effort"):
        return effort
    if thinking.get("type") == "enabled":
        budget = count_at(thinking, "budget_tokens")
        return next((effort for most, effort in EFFORT_OF_BUDGET if budget <= most), "xhigh")
    return None


def gemini_thinking(inner: JsonObject) -> JsonObject:
    """Gemini's `thinkingConfig`; empty when the request says nothing about thinking."""
    thinking = object_at(inner, "thinking")
    if thinking.get("type") == "disabled":
        return {"thinkingBudget": 0}
    shown: JsonObject = {}
    if thinking:
        shown = {"includeThoughts": thinking.get("display") != "omitted"}
    if thinking.get("type") == "enabled":
        return {**shown, "thinkingBudget": count_at(thinking, "budget_tokens")}
    level = GEMINI_LEVELS.get(text_at(object_at(inner, "output_config"), "effort"))
    return {**shown, "thinkingLevel": level} if level else shown
