"""The Agent resource: what a team declares."""

from heliostat_core.agents.agent import Agent, AgentSpec
from heliostat_core.agents.approvals import ApprovalRule, Approvals
from heliostat_core.agents.limits import History, Limits, Retry
from heliostat_core.agents.models import DEFAULT_MODEL, DEFAULT_TOOLS, Model, ToolRule, Tools
from heliostat_core.agents.pod_template import PodMetadata, PodTemplate
from heliostat_core.agents.runtime import (
    Argument,
    ClaudeCode,
    Command,
    RelativePath,
    Runtime,
    Verify,
)
from heliostat_core.agents.status import AgentStatus, LastExecution
from heliostat_core.agents.workspace import EnvVar, Resources, Storage, Workspace

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_TOOLS",
    "Agent",
    "AgentSpec",
    "AgentStatus",
    "ApprovalRule",
    "Approvals",
    "Argument",
    "ClaudeCode",
    "Command",
    "EnvVar",
    "History",
    "LastExecution",
    "Limits",
    "Model",
    "PodMetadata",
    "PodTemplate",
    "RelativePath",
    "Resources",
    "Retry",
    "Runtime",
    "Storage",
    "ToolRule",
    "Tools",
    "Verify",
    "Workspace",
]
