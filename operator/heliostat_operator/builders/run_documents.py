"""The run document: all that the runner is told. docs/runner.md has the contract."""

from heliostat_core.egress import Domain
from heliostat_core.executions import Execution
from heliostat_core.worlds import JsonObject
from heliostat_operator.runs.actions import StartAttempt
from heliostat_operator.runs.prompts import finished_prompt
from heliostat_operator.settings import FILE_BYTES, FILES_BYTES, OperatorSettings

VERSION = 1
TERMINATION_GRACE_SECONDS = 30
_RUNNER_GRACE_SECONDS = 20


def build_run_document(
    execution: Execution, start: StartAttempt, settings: OperatorSettings, proxy: str = ""
) -> JsonObject:
    """Instants and durations in seconds, money in micro-dollars. `proxy` leads outside."""
    spec, attempt, trigger = start.frozen, start.attempt, execution.spec.trigger
    return {
        "version": VERSION,
        "execution": {
            "namespace": execution.metadata.namespace,
            "name": execution.metadata.name,
            "uid": execution.metadata.uid,
        },
        "agent": {"name": execution.spec.agent_ref.name},
        "attempt": attempt.number,
        "correlationId": execution.correlation_id,
        # Its time is ours: the runner knows these two.
        "trigger": {"kind": trigger.kind, "id": trigger.id},
        "runtime": _runtime(start),
        "prompt": finished_prompt(spec, execution.spec),
        "input": execution.spec.input,
        "parameters": [each.to_json() for each in execution.spec.parameters],
        "model": spec.model.name,
        "tools": {"allow": spec.tools.allow, "deny": spec.tools.deny},
        "limits": {
            "timeoutSeconds": start.timeout_seconds,
            "maxTurns": spec.limits.max_turns,
            "maxTokens": spec.limits.max_tokens,
            "maxCostMicros": spec.limits.max_cost_micros,
        },
        "verify": _verify(start),
        "gateway": {"url": settings.gateway_url},
        **_api(settings),
        **_proxy(start, proxy),
        "storage": spec.workspace.storage.type,
        "session": {
            "id": start.resume_session or attempt.session_id,
            "resume": start.resume_session is not None,
        },
        "graceSeconds": _RUNNER_GRACE_SECONDS,
    }


def _api(settings: OperatorSettings) -> JsonObject:
    """Left out without an api: a runner of an earlier release would refuse the field."""
    if not settings.api_url:
        return {}
    # So are bounds that are the runner's own.
    one, all_ = settings.file_bytes, settings.files_bytes
    return {
        "api": {
            "url": settings.api_url,
            "deliverySeconds": settings.delivery_seconds,
            **({"fileBytes": one} if one != FILE_BYTES else {}),
            **({"filesBytes": all_} if all_ != FILES_BYTES else {}),
        }
    }


def _proxy(start: StartAttempt, url: str) -> JsonObject:
    """Left out where none is needed. Addresses are reached without it."""
    if not url:
        return {}
    targets = [each.target for each in start.frozen.workspace.egress]
    return {"proxy": {"url": url, "direct": [str(e) for e in targets if not isinstance(e, Domain)]}}


def _runtime(start: StartAttempt) -> JsonObject:
    runtime = start.frozen.runtime
    if runtime.command is not None:
        return {
            "type": "Command",
            "command": runtime.command,
            "stallSeconds": runtime.stall_seconds,
        }
    return {"type": "ClaudeCode", "stallSeconds": runtime.stall_seconds}


def _verify(start: StartAttempt) -> JsonObject | None:
    verify = start.frozen.verify
    if verify is None:
        return None
    return {"command": verify.command or (), "files": verify.files or ()}
