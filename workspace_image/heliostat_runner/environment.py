"""The environment of child programs: what they need, the agent's own, nothing of the runner's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from .document import RunDocument
from .settings import Settings

# Names that are the platform's: an agent's own setting of one would switch provider, settings
# source or update channel behind the operator's back; HELIOSTAT_ and KUBERNETES_ tell about us.
_OURS = re.compile(
    r"HELIOSTAT_|KUBERNETES_|ANTHROPIC_|CLAUDE|OPENAI_|DISABLE_|API_TIMEOUT_MS$|BASH_(DEFAULT|MAX)_"
)
BASH_MAX_SECONDS = 600
"""Claude Code ends a Bash call after at most this long."""
_MAX_RETRIES = "4"
"""Claude Code's own attempts for one turn: about 9 s, a gateway's restart. Each is counted."""
_LONGEST = 128 * 1024
"""Bytes of one variable: Linux starts no program with a longer one."""
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ALIASES = ("HAIKU", "SONNET", "OPUS", "FABLE")


def build_base(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The container's environment without ours, with a home inside the state folder."""
    own = {name: value for name, value in environ.items() if not _OURS.match(name)}
    return (
        {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
        }
        | own
        | {"HOME": str(settings.home), "PWD": str(settings.workspace)}
    )


def build_task(document: RunDocument) -> dict[str, str]:
    """The task in variables, for commands; what is too long for one is left out."""
    parameters = {
        f"HELIOSTAT_PARAMETER_{_variable(parameter.name)}": parameter.value
        for parameter in document.parameters
    }
    task = {"HELIOSTAT_INPUT": document.input, "HELIOSTAT_PROMPT": document.prompt} | parameters
    return {name: value for name, value in task.items() if _fits(name, value)}


def _fits(name: str, value: str) -> bool:
    return len(f"{name}={value}".encode()) < _LONGEST


def build_command(
    environ: Mapping[str, str], settings: Settings, document: RunDocument, key: str
) -> dict[str, str]:
    """For runtime.command: gateway and key for both dialects."""
    return (
        build_base(environ, settings)
        | build_task(document)
        | {
            "ANTHROPIC_BASE_URL": document.gateway_url,
            "ANTHROPIC_API_KEY": key,
            "OPENAI_BASE_URL": f"{document.gateway_url}/v1",
            "OPENAI_API_KEY": key,
        }
        | _proxied(document, key)
    )


def build_verify(
    environ: Mapping[str, str], settings: Settings, document: RunDocument
) -> dict[str, str]:
    """For verify.command: no key, since judging needs no model."""
    return build_base(environ, settings) | build_task(document)


def build_claude(
    environ: Mapping[str, str], settings: Settings, document: RunDocument, key: str
) -> dict[str, str]:
    return (
        build_base(environ, settings)
        | _pinned_models(document.model)
        | {
            "ANTHROPIC_BASE_URL": document.gateway_url,
            "ANTHROPIC_API_KEY": key,
            "CLAUDE_CONFIG_DIR": str(settings.home / ".claude"),
            # no telemetry home, no update of the locked version
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # a second answer for the same turn only where it is counted (docs/runner.md)
            "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
            "CLAUDE_CODE_MAX_RETRIES": _MAX_RETRIES,
            "CLAUDE_CODE_NO_MODEL_FALLBACK": "1",
            # one result is the end: nothing goes on behind it
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
            "CLAUDE_CODE_DISABLE_CRON": "1",
            # the prompt holds foreign input: "@path" in it must not read files
            "CLAUDE_CODE_DISABLE_FILE_MENTIONS": "1",
            "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            "BASH_MAX_TIMEOUT_MS": str(BASH_MAX_SECONDS * 1000),
        }
        | _proxied(document, key)
        | (_unproxied_hook(environ) if document.guard and not document.proxy else {})
    )


def _unproxied_hook(environ: Mapping[str, str]) -> dict[str, str]:
    """Claude Code asks its hook by the proxy of the environment, loopback or not."""
    names = [name for name in ("NO_PROXY", "no_proxy") if environ.get(name)] or ["NO_PROXY"]
    own = {name: environ.get(name, "") for name in names}
    return {
        name: value if value == "*" else ",".join(filter(None, [value, *_LOCAL]))
        for name, value in own.items()
    }


def _proxied(document: RunDocument, key: str) -> dict[str, str]:
    """How curl, git, pip and the like find the way outside: by the key they say who they are."""
    proxy = document.proxy
    if proxy is None:
        return {}
    scheme, _, place = proxy.url.partition("://")
    api = [document.api.url] if document.api else []
    own = [str(urlsplit(url).hostname) for url in (document.gateway_url, *api)]
    url, direct = f"{scheme}://heliostat:{key}@{place}", ",".join([*_LOCAL, *own, *proxy.direct])
    # Both spellings: curl reads http_proxy in small letters only.
    names = {"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": direct}
    return names | {name.lower(): value for name, value in names.items()}


def _pinned_models(model: str) -> dict[str, str]:
    """Side calls (a fetched page's summary) and sub-agents use the agent's model, too.

    Only Anthropic's own names leave Claude Code its cheaper side models: behind another name
    nobody promises that the gateway serves them.
    """
    if model.startswith("claude-"):
        return {}
    return {f"ANTHROPIC_DEFAULT_{alias}_MODEL": model for alias in _ALIASES} | {
        "ANTHROPIC_SMALL_FAST_MODEL": model
    }


def _variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)
