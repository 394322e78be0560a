"""The tables of docs/dialects.md, from those that the translation itself uses."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from heliostat_gateway.dialects import Dialect, faults, reasons, thinking
from heliostat_gateway.dialects.conditions import is_set
from heliostat_gateway.dialects.fields import Rule, Treatment
from heliostat_gateway.dialects.treatments import rules_for
from tools.sections import table

ORDER = (Treatment.REFUSED, Treatment.DROPPED, Treatment.CARRIED)


def build_treatments(source: Dialect, target: Dialect) -> str:
    """One row for each rule: what is refused first, then what is dropped, then the rest."""
    rules = rules_for(source, target)
    rows = [build_row(rule) for kind in ORDER for rule in rules if rule.treatment is kind]
    return table(("field", "when", "what", "note"), rows)


def build_row(rule: Rule) -> tuple[str, ...]:
    always = "set" if rule.treatment is Treatment.CARRIED or rule.when is is_set else "given"
    return (f"`{rule.name}`", rule.said or always, rule.treatment.value, rule.note)


def build_pairs(header: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> str:
    """A table of words and what they become."""
    return table(header, [(f"`{word}`", f"`{meaning}`") for word, meaning in pairs])


def build_gemini_reasons() -> str:
    failures = [(f"`{word}`", "502: no answer") for word in reasons.GEMINI_FAILURES]
    rows = [(f"`{word}`", f"`{stop}`") for word, stop in reasons.FROM_GEMINI.items()]
    return table(("finishReason", "stop_reason"), rows + failures)


def build_efforts() -> str:
    budgets = [(f"up to {most:,}", f"`{effort}`") for most, effort in thinking.EFFORT_OF_BUDGET]
    return table(("budget_tokens", "reasoning_effort"), [*budgets, ("more", "`xhigh`")])


def build_errors() -> str:
    rows = [
        (f"`{kind}`", f"`{said}`", f"`{code}`" if code else "null")
        for kind, (said, code) in faults.CHAT_OF_KIND.items()
    ]
    return table(("Messages: type", "chat: type", "chat: code"), rows)


# Part of the page -> its table, in the order of the page.
SECTIONS: Mapping[str, Callable[[], str]] = {
    "chat-to-messages": partial(build_treatments, Dialect.CHAT, Dialect.MESSAGES),
    "chat-to-gemini": partial(build_treatments, Dialect.CHAT, Dialect.GEMINI),
    "messages-to-chat": partial(build_treatments, Dialect.MESSAGES, Dialect.CHAT),
    "messages-to-gemini": partial(build_treatments, Dialect.MESSAGES, Dialect.GEMINI),
    "budgets": build_efforts,
    "levels": partial(build_pairs, ("effort", "thinkingLevel"), [*thinking.GEMINI_LEVELS.items()]),
    "stops-to-chat": partial(
        build_pairs, ("stop_reason", "finish_reason"), [*reasons.TO_CHAT.items()]
    ),
    "stops-of-chat": partial(
        build_pairs, ("finish_reason", "stop_reason"), [*reasons.FROM_CHAT.items()]
    ),
    "stops-of-gemini": build_gemini_reasons,
    "errors": build_errors,
}
