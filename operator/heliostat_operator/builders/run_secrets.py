"""The Secret of one attempt: run document, execution key, values of Secret Manager."""

import base64
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from heliostat_core.agents import AgentSpec
from heliostat_core.egress import Domain
from heliostat_core.executions import Attempt, Execution, ExecutionSpec
from heliostat_core.names import EXECUTION_KEY_KEY, RUN_DOCUMENT_KEY
from heliostat_core.worlds import SECRET, JsonObject
from heliostat_operator.builders.guards import build_guard, guard_document
from heliostat_operator.builders.run_objects import managed_key, owned_metadata
from heliostat_operator.model.effects import StartAttempt
from heliostat_operator.settings import FILE_BYTES, FILES_BYTES, OperatorSettings
from heliostat_policy.rules import Mode

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


VERSION = 1
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
        **_guard(execution, start, settings),
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


def _guard(execution: Execution, start: StartAttempt, settings: OperatorSettings) -> JsonObject:
    """Left out where no rules apply: a runner of an earlier release would refuse the field."""
    guard = build_guard(execution, start.frozen, settings)
    return {"guard": guard_document(guard, start.answers)} if guard else {}


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


NO_VALUES: Final[Mapping[str, SecretStr]] = MappingProxyType({})


def build_secret(
    execution: Execution,
    attempt: Attempt,
    run_document: JsonObject,
    key: str,
    values: Mapping[str, SecretStr] = NO_VALUES,
) -> JsonObject:
    """Made before the Job, never changed afterwards. `values` are those of Secret Manager."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "metadata": owned_metadata(execution, attempt.job_name, attempt.number),
        "type": "heliostat.dev/attempt",
        "immutable": True,
        "data": {
            RUN_DOCUMENT_KEY: _encoded(encode_run_document(run_document)),
            EXECUTION_KEY_KEY: _encoded(key.encode()),
            **{
                managed_key(name): _encoded(value.get_secret_value().encode())
                for name, value in values.items()
            },
        },
    }


def encode_run_document(run_document: JsonObject) -> bytes:
    """As the runner reads it."""
    return json.dumps(run_document, ensure_ascii=False).encode()


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


SECRET_BYTES = 1 << 20
"""What Kubernetes lets a Secret hold."""

# The execution key lies beside it, and a later attempt's document is a few bytes longer.
_ROOM = 8192
ROOM_OF_ANSWERS = 20 * 4800
"""What people say of twenty asks, each in at most 1,024 letters of four bytes."""


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
    guard = build_guard(execution, agent, settings)
    asks = guard is not None and guard.can_ask and guard.mode is Mode.ENFORCE
    most = SECRET_BYTES - _ROOM - (ROOM_OF_ANSWERS if asks else 0)
    if size + kept <= most:
        return None
    spec = execution.spec
    prompt = _bytes(finished_prompt(agent, spec.model_copy(update={"input": ""})))
    values = sum(_bytes(each.value) for each in spec.parameters)
    return (
        f"The run document has {size} bytes, values of Secret Manager {kept}; a Secret carries "
        f"{most}. The Agent's spec.prompt with spec.parameters put in has "
        f"{prompt} bytes, spec.parameters {values}, spec.input {_bytes(spec.input)}. Make a new "
        "Execution with less in them, or name each parameter once in the prompt; long material "
        "belongs in a file that the agent reads, and fewer secrets leave room."
    )


def _bytes(text: str) -> int:
    return len(text.encode())
