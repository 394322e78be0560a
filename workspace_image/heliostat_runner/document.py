"""The run document: what the operator asks of one attempt, checked field by field.

Strict on purpose: an unknown field may be a rule that this runner would silently not keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from .fields import DocumentError, Fields
from .guard.document import GuardTerms, read_guard
from .jsonvalue import load

VERSION = 1


class RuntimeType(StrEnum):
    CLAUDE_CODE = "ClaudeCode"
    COMMAND = "Command"


@dataclass(frozen=True)
class Runtime:
    type: RuntimeType
    command: tuple[str, ...]
    stall_seconds: int


@dataclass(frozen=True)
class Limits:
    timeout_seconds: int
    max_turns: int | None
    max_tokens: int | None


@dataclass(frozen=True)
class Verify:
    command: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    name: str
    value: str


@dataclass(frozen=True)
class Api:
    """Who takes the transcript while it is written."""

    url: str
    delivery_seconds: int
    """How long the attempt's end may wait until all is taken."""
    file_bytes: int | None = None
    """The largest file that it takes; None: the runner's own bound."""
    files_bytes: int | None = None
    """All files together."""


@dataclass(frozen=True)
class Proxy:
    """The way outside, for an agent that names domains; `direct` is reached without it."""

    url: str
    direct: tuple[str, ...]


@dataclass(frozen=True)
class RunDocument:
    namespace: str
    execution: str
    uid: str
    agent: str
    attempt: int
    correlation_id: str
    runtime: Runtime
    prompt: str
    input: str
    parameters: tuple[Parameter, ...]
    model: str
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    limits: Limits
    verify: Verify | None
    gateway_url: str
    api: Api | None
    proxy: Proxy | None
    session: str
    resume: bool
    grace_seconds: int
    guard: GuardTerms | None = None


def parse_document(text: str) -> RunDocument:
    """Raises DocumentError, which names the field and what it must be."""
    try:
        value = load(text)
    except ValueError as error:
        raise DocumentError(f"run.json must be JSON: {error}") from error
    if not isinstance(value, dict):
        raise DocumentError("run.json must be a JSON object")
    fields = Fields(value, "")
    if fields.count("version", 1) != VERSION:
        raise DocumentError(
            f"version must be {VERSION}: this image's runner knows no other; "
            "use a workspace image of the operator's release"
        )
    return _read_document(fields)


def _read_document(fields: Fields) -> RunDocument:
    execution = fields.object("execution", "namespace", "name", "uid")
    fields.object("trigger", "kind", "id")
    runtime = _read_runtime(fields)
    tools = fields.object("tools", "allow", "deny")
    session = fields.object("session", "id", "resume")
    if fields.text("storage") not in ("Ephemeral", "Volume"):
        raise DocumentError("storage must be Ephemeral or Volume")
    document = RunDocument(
        namespace=execution.text("namespace"),
        execution=execution.text("name"),
        uid=execution.text("uid"),
        agent=fields.object("agent", "name").text("name"),
        attempt=fields.count("attempt", 1),
        correlation_id=fields.text("correlationId", empty=True),
        runtime=runtime,
        prompt=fields.text("prompt", empty=runtime.type is RuntimeType.COMMAND),
        input=fields.text("input", empty=True),
        parameters=tuple(
            Parameter(item.text("name"), item.text("value", empty=True))
            for item in fields.objects("parameters", "name", "value")
        ),
        model=fields.text("model", empty=runtime.type is RuntimeType.COMMAND),
        allow=_read_rules(tools, "allow"),
        deny=_read_rules(tools, "deny"),
        limits=_read_limits(fields),
        verify=_read_verify(fields),
        gateway_url=_read_url(fields.object("gateway", "url")),
        api=_read_api(fields),
        proxy=_read_proxy(fields),
        session=session.uuid("id"),
        resume=session.flag("resume"),
        grace_seconds=fields.count("graceSeconds", 1),
        guard=_read_guard(fields, runtime),
    )
    fields.refuse_others()
    return document


def _read_runtime(fields: Fields) -> Runtime:
    runtime = fields.object("runtime", "type", "command", "stallSeconds")
    name = runtime.text("type")
    if name not in list(RuntimeType):
        raise DocumentError("runtime.type must be ClaudeCode or Command")
    command = runtime.texts("command")
    if (name == RuntimeType.COMMAND) != bool(command):
        raise DocumentError("runtime.command must be set for Command, and for Command only")
    return Runtime(RuntimeType(name), command, runtime.count("stallSeconds", 1))


def _read_guard(fields: Fields, runtime: Runtime) -> GuardTerms | None:
    guard = read_guard(fields)
    if guard is not None and guard.is_enforced and runtime.type is RuntimeType.COMMAND:
        raise DocumentError(
            "guard must not be Enforce for a runtime of type Command: it asks before no action"
        )
    return guard


def _read_rules(tools: Fields, name: str) -> tuple[str, ...]:
    rules = tools.texts(name)
    if not all(rule[0].isalpha() for rule in rules):
        # "--dangerously-..." would be an option of Claude Code's command line
        raise DocumentError(f"tools.{name} must be rules that start with the name of a tool")
    return rules


def _read_limits(fields: Fields) -> Limits:
    limits = fields.object("limits", "timeoutSeconds", "maxTurns", "maxTokens", "maxCostMicros")
    limits.count_or_none("maxCostMicros")  # the gateway's to keep: the key carries the cap
    return Limits(
        timeout_seconds=limits.count("timeoutSeconds", 1),
        max_turns=limits.count_or_none("maxTurns"),
        max_tokens=limits.count_or_none("maxTokens"),
    )


def _read_verify(fields: Fields) -> Verify | None:
    verify = fields.object_or_none("verify", "command", "files")
    if verify is None:
        return None
    files = verify.texts("files")
    if any(name.startswith("/") or ".." in name.split("/") for name in files):
        raise DocumentError("verify.files must be paths inside the workspace")
    return Verify(verify.texts("command"), files)


def _read_api(fields: Fields) -> Api | None:
    api = fields.object_or_none("api", "url", "deliverySeconds", "fileBytes", "filesBytes")
    if api is None:
        return None
    return Api(
        _read_url(api),
        api.count("deliverySeconds", 0),
        api.count_or_none("fileBytes"),
        api.count_or_none("filesBytes"),
    )


def _read_proxy(fields: Fields) -> Proxy | None:
    proxy = fields.object_or_none("proxy", "url", "direct")
    return None if proxy is None else Proxy(_read_url(proxy), proxy.texts("direct"))


def _read_url(fields: Fields) -> str:
    url = fields.text("url").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise DocumentError(f"{fields.path}url must start with http:// or https://")
    try:
        parts = urlsplit(url)
        complete = parts.hostname is not None and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise DocumentError(f"{fields.path}url must name a host, and a port from 1 to 65535 if any")
    return url
