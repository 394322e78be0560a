"""Whether what a run takes along fits its Secret: what does not is refused at admission."""

from collections.abc import Mapping

from pydantic import SecretStr

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Attempt, Execution
from heliostat_operator.builders.run_documents import build_run_document
from heliostat_operator.builders.secrets import encode_run_document
from heliostat_operator.runs.actions import StartAttempt
from heliostat_operator.runs.prompts import finished_prompt
from heliostat_operator.settings import OperatorSettings

SECRET_BYTES = 1 << 20
"""What Kubernetes lets a Secret hold."""

# The execution key lies beside it, and a later attempt's document is a few bytes longer.
_ROOM = 8192


def too_long(
    execution: Execution,
    agent: AgentSpec,
    attempt: Attempt,
    settings: OperatorSettings,
    secrets: Mapping[str, SecretStr],
) -> str | None:
    """What is too long and what to do about it, or None when all fits.

    `secrets` are values of Secret Manager, which lie beside the document.
    """
    start = StartAttempt(attempt, agent, agent.limits.timeout_seconds, None)
    size = len(encode_run_document(build_run_document(execution, start, settings)))
    kept = sum(_bytes(each.get_secret_value()) for each in secrets.values())
    if size + kept <= SECRET_BYTES - _ROOM:
        return None
    spec = execution.spec
    prompt = _bytes(finished_prompt(agent, spec.model_copy(update={"input": ""})))
    values = sum(_bytes(each.value) for each in spec.parameters)
    return (
        f"The run document has {size} bytes, values of Secret Manager {kept}; a Secret carries "
        f"{SECRET_BYTES - _ROOM}. The Agent's spec.prompt with spec.parameters put in has "
        f"{prompt} bytes, spec.parameters {values}, spec.input {_bytes(spec.input)}. Make a new "
        "Execution with less in them, or name each parameter once in the prompt; long material "
        "belongs in a file that the agent reads, and fewer secrets leave room."
    )


def _bytes(text: str) -> int:
    return len(text.encode())
