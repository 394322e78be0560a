"""From facts to a verdict: why Claude Code stopped, decided purely.

`subtype` is never asked: an API failure ends with `subtype: success` and `is_error: true`. A good
exit code does not count either where the last call failed: its text is the error's.
"""

from __future__ import annotations

import re

from .conversation import Conversation, Final
from .reasons import Reason, Verdict

# The gateway's words for a cap that several keys share: a provider's 429 has others.
_BUDGET = re.compile(r"The budget \S+ has reached its .*")
_CONNECTION_ERRORS = frozenset(
    {"connection_failed", "server_error", "overloaded", "rate_limit", "timeout"}
)


def decide_claude(
    conversation: Conversation, exit_code: int, killed_by_runner: bool, stderr: str
) -> Verdict | None:
    """Why Claude Code ended by itself; None = it did its work."""
    final = conversation.final
    if final is None:
        return _without_result(exit_code, stderr)
    if final.stop_reason == "refusal":
        return Verdict(
            Reason.REFUSAL,
            "The model refused the task. Change the prompt or the input: "
            f"{_first_line(final.text)}",
        )
    if final.terminal_reason == "max_turns":
        return Verdict(
            Reason.TURN_LIMIT_REACHED,
            f"Stopped after {conversation.turns} turns. Raise limits.maxTurns "
            "or give the agent less to do at once.",
        )
    if final.is_error or final.api_status or conversation.api_error:
        return _failed(final, conversation.api_error)
    if final.terminal_reason != "completed":
        return Verdict(
            Reason.AGENT_ERROR,
            f"Claude Code stopped early ({final.terminal_reason or 'no reason'}).",
        )
    if exit_code > 0 and not killed_by_runner:
        return Verdict(
            Reason.AGENT_ERROR,
            f"Claude Code said that it is done, but exited with code {exit_code}: "
            f"{_last_line(stderr)}",
        )
    if not final.text.strip():
        return Verdict(
            Reason.EMPTY_RESULT,
            "The agent ended without a word. Ask in the prompt for a closing report.",
        )
    return None


def _without_result(exit_code: int, stderr: str) -> Verdict:
    if exit_code < 0:
        return Verdict(
            Reason.AGENT_ERROR,
            f"Claude Code was ended by signal {-exit_code} before its result. "
            "Look at memory and at what the agent's own commands end.",
        )
    return Verdict(
        Reason.AGENT_ERROR,
        f"Claude Code exited with code {exit_code} without a result: {_last_line(stderr)}",
    )


def _failed(final: Final, api_error: str) -> Verdict:
    text = _first_line(final.text)
    status = final.api_status
    if status in (402, 429) and (budget := _BUDGET.search(text)):
        return Verdict(_reached(text), f"A spending limit is used up: {budget[0]}")
    if status == 402:
        return _limit_reached(text)
    if status in (401, 403):
        return Verdict(
            Reason.KEY_REFUSED,
            f"The gateway refused the execution key ({status}): {text}. "
            "The key may be revoked or expired, or gateway and operator do not share keys.",
        )
    if status == 404:
        return Verdict(
            Reason.MODEL_UNAVAILABLE,
            f"The gateway serves no such model: {text} Change model.name "
            "or give the gateway a provider key.",
        )
    if _is_provider_failure(status, api_error):
        shown = f" ({status})" if status else ""
        return Verdict(
            Reason.PROVIDER_FAILED,
            f"The model could not be reached{shown}: {text} "
            "It is tried again later; see the gateway if it persists.",
        )
    return Verdict(Reason.AGENT_ERROR, f"Claude Code failed: {text}")


def _limit_reached(text: str) -> Verdict:
    if _reached(text) is Reason.TOKEN_LIMIT_REACHED:
        return Verdict(
            Reason.TOKEN_LIMIT_REACHED,
            f"The token limit is used up: {text} Raise limits.maxTokens.",
        )
    return Verdict(
        Reason.COST_LIMIT_REACHED, f"The cost limit is used up: {text} Raise limits.maxCostMicros."
    )


def _reached(text: str) -> Reason:
    is_tokens = "token" in text.lower()
    return Reason.TOKEN_LIMIT_REACHED if is_tokens else Reason.COST_LIMIT_REACHED


def _is_provider_failure(status: int | None, api_error: str) -> bool:
    if status is None:
        return api_error in _CONNECTION_ERRORS
    return status in (408, 429) or status >= 500


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:500]


def _last_line(text: str) -> str:
    return text.strip().rsplit("\n", 1)[-1][-500:] or "nothing on stderr"
