"""What the guard tells the agent: why a call did not happen, and what to do instead."""

from __future__ import annotations

_GO_ON = "Do not try to reach the same by another way. Go on without it, or say what is missing."

SIBLING = (
    "Another action of this answer waits for a person's decision, and nothing else is done until "
    "then. Make this call again when the run goes on."
)
SUB_AGENT = (
    "This action needs a person's decision, and a sub-agent cannot ask for one: "
    "ask from the main thread. End the sub-agent and make this call there."
)
BACKGROUND = (
    "This action needs a person's decision, and an action in the background cannot wait for one. "
    "Make the call again without run_in_background."
)
TOO_LARGE = (
    "This action needs a person's decision, and its input is too large to be shown: at most 512 "
    "KiB. Write the data to a file first, then make a call that names the file."
)
ELSEWHERE = (
    "This action needs a person's decision, and it goes on in the workspace's own folder. "
    "Change back to that folder first, then make the call from there, with the paths that it needs."
)
UNATTENDED = (
    "This action needs a person's decision, and nobody is asked in this run: it is refused. "
    f"{_GO_ON}"
)
NO_STORAGE = (
    "This action needs a person's decision, and this run cannot wait for one because its "
    f"workspace is not kept: it is refused. {_GO_ON}"
)
TOO_MANY = f"This action needs a person's decision, and this run has asked often enough. {_GO_ON}"
NOT_LISTED = f"The agent's tools.allow does not name this call: it is refused. {_GO_ON}"
SPENT = (
    "This action was approved once and has been started already. Its outcome is not known, and it "
    "is not done again. Look at what is there before you go on."
)
EXPIRED = (
    "This action was approved, but the time in which it could begin is over. Nothing was done. "
    "Make the call again if it is still needed: a person is asked again."
)
NO_MARK = (
    "This action was approved, but the workspace takes no note of it, so that it might be done "
    f"twice: it was not begun. {_GO_ON}"
)
NO_JUDGEMENT = "This call could not be judged by the rules of the agent: it is refused."


def refused(why: str) -> str:
    return f"{why} {_GO_ON}"


def denied(reason: str) -> str:
    given = f": {reason.rstrip('.')}" if reason else ""
    return f"A person has denied this action{given}. {_GO_ON}"


def done(receipt: str) -> str:
    result = f"; result: {receipt}" if receipt else ""
    return f"It was done already{result}. It is not done a second time."


def changed(why: str = "") -> str:
    told = f" ({why.rstrip('.')})" if why else ""
    return (
        "The action is no longer the one that was approved: its input, its folder or a file that "
        f"it uses has changed{told}. Nothing was done. Make the call again if it is still needed: "
        "a person is asked again."
    )


def linked(path: str) -> str:
    return (
        f"A link leads this call to {path}, which it does not name. Nothing was done. "
        "Make the call with the path itself, so that it can be judged."
    )


def cannot_be_asked(why: str) -> str:
    return f"This action needs a person's decision, and it cannot be shown to one: {why}"
