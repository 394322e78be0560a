"""Says to the agent, in English, why a call happens, waits or is refused."""

from typing import Final

from heliostat_policy.classes import Decision
from heliostat_policy.effects import Effect, Reason

_WHY: Final = {
    Reason.READS: "it only reads",
    Reason.WRITES_INSIDE: "it writes inside of the workspace",
    Reason.RUNS_CODE: "it runs code, and what that does can't be told from the command",
    Reason.REACHES_NETWORK: "it reaches the network",
    Reason.SENDS: "it sends data out",
    Reason.PUBLISHES: "it publishes something",
    Reason.PAYS: "it costs money",
    Reason.CHANGES_OUTSIDE: "it changes something outside of the workspace",
    Reason.GUARDED_PATH: "it changes a file that other programs obey",
    Reason.CREDENTIAL: "it touches a credential",
    Reason.UNKNOWN_TOOL: "nobody has said what this tool does",
    Reason.UNKNOWN_PROGRAM: "nobody has said what this program does",
    Reason.UNKNOWN_OPTION: "nobody has said what this program does with these arguments",
    Reason.NOT_STATIC: "what it does is known only when it runs",
    Reason.UNREADABLE: "this part of the command can't be read for certain",
}
_WHAT: Final = {
    Decision.ALLOW: "Allowed",
    Decision.ASK: "A person is asked",
    Decision.REFUSE: "Refused",
}


def words_of(effect: Effect, decision: Decision, by_rule: bool) -> str:
    """One sentence: what becomes of the call, why, and what it is about."""
    about = f" ({effect.target[:200]})" if effect.target else ""
    by = " by a rule of the Agent" if by_rule else ""
    return f"{_WHAT[decision]}{by}: {_WHY[effect.reason]}{about}."
