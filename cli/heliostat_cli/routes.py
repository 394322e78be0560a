"""What `heliostat gateway` says of routes: mistakes of a file, and the plan for a model."""

import json
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from heliostat_cli.errors import FAILED, USAGE, UsageError
from heliostat_cli.screen import Terminal
from heliostat_cli.tables import MISSING, render_table
from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.providers.scripted import ScriptedProvider, open_scripted
from heliostat_gateway.providers.session import SharedSession
from heliostat_gateway.routes.explanation import Explanation, explain
from heliostat_gateway.routes.reading import Finding, RoutesError, read_routes
from heliostat_gateway.routes.routing import Router
from heliostat_gateway.routes.table import RouteTable
from heliostat_gateway.serving.routers import (
    build_router,
    build_validation_context,
)
from heliostat_gateway.settings import Settings, SettingsError, read_settings

_PRICES = (
    ("INPUT", "input"),
    ("OUTPUT", "output"),
    ("CACHE READ", "cache_read"),
    ("WRITE 5M", "cache_write_5m"),
    ("WRITE 1H", "cache_write_1h"),
)


def check(terminal: Terminal, file: Path | None, *, as_json: bool) -> int:
    """Tells every mistake of a routes file. Returns the exit code."""
    settings = _settings()
    path = file or settings.routes_file
    if path is None:
        raise UsageError(
            "no routes file is given", "Name it, or set HELIOSTAT_GATEWAY_ROUTES_FILE."
        )
    findings: tuple[Finding, ...] = ()
    table = RouteTable()
    try:
        table = read_routes(path, build_validation_context(_scripted(settings))).table
    except RoutesError as error:
        findings = error.findings
    if as_json:
        terminal.raw(_dump({"file": str(path), "mistakes": [_finding(each) for each in findings]}))
    elif findings:
        for each in findings:
            terminal.line(str(each))
    else:
        terminal.line(f"{path.name} is good: {_count(table)}")
    return USAGE if findings else 0


def show_plan(
    terminal: Terminal, model: str, agent: str, routes: Path | None, *, as_json: bool
) -> int:
    """Tells the plan for a model. Returns the exit code: 1 when nobody would answer."""
    settings = _settings()
    if routes is not None:
        settings = settings.model_copy(update={"routes_file": routes})
    caller = Caller(key="", kind=KeyKind.SERVICE, account="", agent=agent)
    told = explain(_router(settings), model, caller, datetime.now(UTC))
    if as_json:
        terminal.raw(told.model_dump_json(by_alias=True, indent=2))
    else:
        terminal.line(render_plan(told))
    return 0 if told.served else FAILED


def render_plan(told: Explanation) -> str:
    """A plan for people: facts, then the candidates as a table."""
    facts = [("model", told.model), ("agent", told.agent)]
    facts += [("because" if not index else "", each) for index, each in enumerate(told.because)]
    if told.persona is not None:
        defaults = ", ".join(f"{name}={json.dumps(v)}" for name, v in told.persona.defaults.items())
        size = f"{told.persona.system_characters} characters of system prompt"
        facts.append(("persona", f"{told.persona.name}: {size}; defaults: {defaults or 'none'}"))
    if told.timeouts is not None:
        timeouts = told.timeouts
        facts.append(
            (
                "timeouts",
                f"first token {timeouts.first_token_seconds:g} s, "
                f"idle {timeouts.idle_seconds:g} s, total {timeouts.total_seconds:g} s",
            )
        )
        kept = f"exact, {told.cache_ttl_seconds} s" if told.cache_ttl_seconds else "off"
        facts.append(("cache", kept))
    if not told.served:
        facts.append(("refused", f"{told.reason.value}: {told.message}"))
    lines = [f"{name:<10} {value}" for name, value in facts if value]
    return "\n".join([*lines, *_candidates(told)])


def _candidates(told: Explanation) -> list[str]:
    rows = [
        [
            str(number),
            each.provider,
            each.model,
            each.credential,
            *(each.price.get(kind, MISSING) for _, kind in _PRICES),
        ]
        for number, each in enumerate(told.candidates, 1)
    ]
    dropped = [f"dropped    {each.provider}/{each.model}: {each.why}" for each in told.dropped]
    if not rows:
        return dropped
    header = ["", "PROVIDER", "MODEL", "KEY", *(title for title, _ in _PRICES)]
    note = "Prices: dollars per million tokens of a small request."
    return [*dropped, "", render_table(header, rows), "", note]


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        raise UsageError(str(error), "Fix the setting and try again.") from error


def _scripted(settings: Settings) -> ScriptedProvider:
    try:
        return open_scripted(settings)
    except SettingsError as error:
        raise UsageError(str(error), "Fix the setting and try again.") from error


def _router(settings: Settings) -> Router:
    scripted = _scripted(settings)
    try:
        return build_router(settings, scripted, SharedSession())
    except SettingsError as error:
        raise UsageError(
            str(error), "`heliostat gateway check FILE` tells every mistake."
        ) from error


def _finding(each: Finding) -> JsonValue:
    return {"line": each.line, "place": each.place, "message": each.message}


def _count(table: RouteTable) -> str:
    counts = {
        "model": table.models,
        "alias": table.aliases,
        "persona": table.personas,
        "rule": table.rules,
        "price": table.prices,
        "provider": table.servers,
    }
    return ", ".join(f"{len(each)} x {name}" for name, each in counts.items() if each) or "empty"


def _dump(value: JsonValue) -> str:
    return json.dumps(value, indent=2)
