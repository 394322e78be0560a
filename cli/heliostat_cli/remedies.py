"""What a person may do next about an Execution that ended badly."""

from heliostat_core.conditions import FinishedReason as Reason
from heliostat_core.executions import Execution

_LOOK = "heliostat logs {name} shows every step"
_EACH = "heliostat describe execution {name} shows how each attempt ended"
_REMEDIES: dict[str, str] = {
    Reason.VERIFICATION_FAILED: "the work was refused, not lost: compare the workspace with what "
    "verify said, then fix the prompt (or verify) and run it again; spec.retry.limit lets the "
    "agent try again by itself",
    Reason.AGENT_ERROR: f"{_LOOK}; fix the prompt or the tools",
    Reason.EMPTY_RESULT: "ask in the prompt for a sentence at the end",
    Reason.REFUSAL: "the model refused the task: change the prompt",
    Reason.COMMAND_FAILED: f"{_LOOK}; run the command by hand in the workspace",
    Reason.TURN_LIMIT: "raise spec.limits.maxTurns of the Agent or make the task smaller",
    Reason.COST_LIMIT: "raise spec.limits.maxCostMicros of the Agent or choose a cheaper model",
    Reason.TOKEN_LIMIT: "raise spec.limits.maxTokens of the Agent",
    Reason.START_TIMED_OUT: "mend what kept its pod from starting, or raise "
    "spec.startTimeoutSeconds of the Agent",
    Reason.TIMED_OUT: "raise spec.limits.timeoutSeconds of the Agent",
    Reason.STALLED: f"{_LOOK}; raise spec.runtime.stallSeconds when silence is normal there",
    Reason.OUT_OF_MEMORY: "raise spec.workspace.resources.memory of the Agent",
    Reason.OUT_OF_STORAGE: "have the agent write less, or give spec.workspace.storage a Volume",
    Reason.INIT_CONTAINER_FAILED: _EACH,
    Reason.MODEL_UNAVAILABLE: "choose another spec.model.name, or give the gateway the key of "
    "that model's provider; scripted/NAME needs none",
    Reason.PROVIDER_FAILED: "the model's provider did not answer: try again later",
    Reason.RUNTIME_MISSING: "use the workspace image, or one built on it that has the program",
    Reason.RUN_DOCUMENT_INVALID: "use the workspace image of the operator's own release",
    Reason.KEY_REFUSED: "check that operator and gateway have the same signing keys",
    Reason.START_FAILED: _EACH,
    Reason.EXITED: _LOOK,
    Reason.NO_RESULT: _LOOK,
    Reason.KILLED: _EACH,
    Reason.AWAITING_APPROVAL: "decide on what it asks: kubectl get approvals, docs/approvals.md",
    Reason.APPROVAL_EXPIRED: "run it again and decide in time, or give the ask longer with "
    "spec.approvals.expireSeconds of the Agent",
    Reason.OUTCOME_UNKNOWN: "find out whether its action took place before it is run again: "
    "kubectl get approvals says which",
    Reason.GUARD_BYPASSED: f"{_LOOK}: something in the pod answered for the guard; do not run it "
    "again before you know what",
    Reason.ASK_INVALID: "use the workspace image of the operator's own release",
    Reason.ASK_LIMIT: "allow by a rule of spec.approvals what it asks for again and again, or make "
    "the task smaller",
    Reason.INFRASTRUCTURE_LIMIT: _EACH,
    Reason.AGENT_DELETED: "apply the Agent again and make a new Execution",
    Reason.PROMPT_INVALID: "give the missing value with --parameter NAME=VALUE",
    Reason.PROMPT_TOO_LONG: "shorten --input and --parameter; put long material in a file",
    Reason.DEADLINE_PASSED: "make a new Execution with a later spec.deadlineTime",
}


def remedy_for(execution: Execution) -> str:
    """A sentence, or nothing when there is nothing to mend."""
    found = _REMEDIES.get(execution.finished_reason, "")
    return found.format(name=execution.metadata.name)
