"""The run document: what the operator asks of one attempt, checked field by field.

Strict on purpose: an unknown field may be a rule that this runner would silently not keep.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from .jsonvalue import JsonObject, JsonValue, load

VERSION = 1
_LONG_TEXT = 1 << 20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DocumentError(Exception):
    """A field of the run document is not what it must be; the text names both."""


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


def parse_document(text: str) -> RunDocument:
    """Raises DocumentError, which names the field and what it must be."""
    try:
        value = load(text)
    except ValueError as error:
        raise DocumentError(f"run.json must be JSON: {error}") from error
    if not isinstance(value, dict):
        raise DocumentError("run.json must be a JSON object")
    fields = _Fields(value, "")
    if fields.count("version", 1) != VERSION:
        raise DocumentError(
            f"version must be {VERSION}: this image's runner knows no other; "
            "use a workspace image of the operator's release"
        )
    return _read_document(fields)


def _read_document(fields: _Fields) -> RunDocument:
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
    )
    fields.refuse_others()
    return document


def _read_runtime(fields: _Fields) -> Runtime:
    runtime = fields.object("runtime", "type", "command", "stallSeconds")
    name = runtime.text("type")
    if name not in list(RuntimeType):
        raise DocumentError("runtime.type must be ClaudeCode or Command")
    command = runtime.texts("command")
    if (name == RuntimeType.COMMAND) != bool(command):
        raise DocumentError("runtime.command must be set for Command, and for Command only")
    return Runtime(RuntimeType(name), command, runtime.count("stallSeconds", 1))


def _read_rules(tools: _Fields, name: str) -> tuple[str, ...]:
    rules = tools.texts(name)
    if not all(rule[0].isalpha() for rule in rules):
        # "--dangerously-..." would be an option of Claude Code's command line
        raise DocumentError(f"tools.{name} must be rules that start with the name of a tool")
    return rules


def _read_limits(fields: _Fields) -> Limits:
    limits = fields.object("limits", "timeoutSeconds", "maxTurns", "maxTokens", "maxCostMicros")
    limits.count_or_none("maxCostMicros")  # the gateway's to keep: the key carries the cap
    return Limits(
        timeout_seconds=limits.count("timeoutSeconds", 1),
        max_turns=limits.count_or_none("maxTurns"),
        max_tokens=limits.count_or_none("maxTokens"),
    )


def _read_verify(fields: _Fields) -> Verify | None:
    verify = fields.object_or_none("verify", "command", "files")
    if verify is None:
        return None
    files = verify.texts("files")
    if any(name.startswith("/") or ".." in name.split("/") for name in files):
        raise DocumentError("verify.files must be paths inside the workspace")
    return Verify(verify.texts("command"), files)


def _read_api(fields: _Fields) -> Api | None:
    api = fields.object_or_none("api", "url", "deliverySeconds", "fileBytes", "filesBytes")
    if api is None:
        return None
    return Api(
        _read_url(api),
        api.count("deliverySeconds", 0),
        api.count_or_none("fileBytes"),
        api.count_or_none("filesBytes"),
    )


def _read_proxy(fields: _Fields) -> Proxy | None:
    proxy = fields.object_or_none("proxy", "url", "direct")
    return None if proxy is None else Proxy(_read_url(proxy), proxy.texts("direct"))


def _read_url(fields: _Fields) -> str:
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


class _Fields:
    """One JSON object of the document; remembers which members were asked for."""

    def __init__(self, value: JsonObject, path: str, known: Sequence[str] = ()) -> None:
        self._value = value
        self.path = path
        self._known = set(known)
        if known:
            self.refuse_others()

    def refuse_others(self) -> None:
        for name in sorted(self._value.keys() - self._known):
            raise DocumentError(
                f"{self.path}{name} must not be set: this image's runner does not know it; "
                "use a workspace image of the operator's release"
            )

    def _get(self, name: str) -> JsonValue:
        self._known.add(name)
        return self._value.get(name)

    def _error(self, name: str, must: str) -> DocumentError:
        return DocumentError(f"{self.path}{name} must be {must}")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._get(name)
        if not isinstance(value, str) or "\0" in value or len(value) > _LONG_TEXT:
            raise self._error(name, "a text of at most 1 MiB without NUL")
        if not value and not empty:
            raise self._error(name, "a text that is not empty")
        return value

    def uuid(self, name: str) -> str:
        value = self.text(name)
        if not _UUID.fullmatch(value):
            raise self._error(name, "a UUID in small letters")
        return value

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self._error(name, "true or false")
        return value

    def count(self, name: str, least: int) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._error(name, f"a whole number of at least {least}")
        return value

    def count_or_none(self, name: str) -> int | None:
        return None if self._get(name) is None else self.count(name, 1)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; an absent one is empty."""
        value = self._get(name)
        items = [] if value is None else value
        texts = (
            [item for item in items if isinstance(item, str) and item and "\0" not in item]
            if isinstance(items, list)
            else None
        )
        if texts is None or not isinstance(items, list) or len(texts) != len(items):
            raise self._error(name, "a list of texts that are not empty")
        return tuple(texts)

    def object(self, name: str, *known: str) -> _Fields:
        value = self._get(name)
        if not isinstance(value, dict):
            raise self._error(name, "an object with " + ", ".join(known))
        return _Fields(value, f"{self.path}{name}.", known)

    def object_or_none(self, name: str, *known: str) -> _Fields | None:
        return None if self._get(name) is None else self.object(name, *known)

    def objects(self, name: str, *known: str) -> list[_Fields]:
        value = self._get(name)
        items = [] if value is None else value
        if not isinstance(items, list):
            raise self._error(name, "a list of objects with " + ", ".join(known))
        found = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self._error(f"{name}[{index}]", "an object with " + ", ".join(known))
            found.append(_Fields(item, f"{self.path}{name}[{index}].", known))
        return found
