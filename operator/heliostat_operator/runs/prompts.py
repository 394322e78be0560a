"""The finished prompt of a run: the Agent's text with the Execution's parameters and input."""

import re

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import ExecutionSpec

_PLACEHOLDER = re.compile(r"\$\{parameters\.([A-Za-z0-9_]+)\}")


def missing_parameters(prompt: str, spec: ExecutionSpec) -> list[str]:
    """Names that the prompt asks for and the Execution does not give, in order."""
    given = {each.name for each in spec.parameters}
    asked = dict.fromkeys(_PLACEHOLDER.findall(prompt))
    return [name for name in asked if name not in given]


def finished_prompt(agent: AgentSpec, spec: ExecutionSpec) -> str:
    """The prompt with every placeholder replaced once; the input follows after an empty line."""
    values = {each.name: each.value for each in spec.parameters}
    text = _PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group(0)), agent.prompt)
    return f"{text}\n\n{spec.input}" if spec.input else text
