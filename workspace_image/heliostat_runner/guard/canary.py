"""Tries the hook before Claude Code is started: an action that must be asked about must be."""

from __future__ import annotations

import http.client
import secrets
from urllib.parse import urlsplit

from ..api import in_thread
from ..jsonvalue import JsonObject, dump, load
from .hook_settings import Hook
from .protocol import Permission, build_canary, read_permission

_SECONDS = 10.0


async def try_hook(hook: Hook | None, cwd: str) -> str:
    """Asks as Claude Code does; returns what is wrong, empty when the event came back deferred."""
    if hook is None:
        return "the file of settings names no hook"
    event = build_canary(f"canary_{secrets.token_hex(8)}", cwd)
    return await in_thread(lambda: _try(hook, event))


def _try(hook: Hook, event: JsonObject) -> str:
    parts = urlsplit(hook.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_SECONDS)
    headers = {"Authorization": hook.secret, "Content-Type": "application/json"}
    try:
        connection.request("POST", parts.path or "/", dump(event).encode(), headers)
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        return f"the hook does not answer ({type(error).__name__})"
    finally:
        connection.close()
    if status != 200:
        return f"the hook answers with status {status}"
    try:
        answer = load(body)
    except ValueError:
        answer = None
    permission = read_permission(answer) if isinstance(answer, dict) else ""
    if permission != Permission.DEFER:
        return f"the hook lets an action pass that must wait ({permission or 'no decision'})"
    return ""
