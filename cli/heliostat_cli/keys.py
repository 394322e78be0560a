"""`heliostat gateway keys`: user and service keys of a gateway that runs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from heliostat_cli.admin import ADMIN_KEY, ADMIN_URL, open_admin
from heliostat_cli.durations import format_age, format_instant
from heliostat_cli.errors import UsageError
from heliostat_cli.options import JsonOption
from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import utc_now
from heliostat_cli.tables import MISSING, render_table
from heliostat_gateway.access.key_documents import (
    IssuedKeyView,
    KeyCaps,
    KeyList,
    KeyView,
    RevokedKeyView,
)
from heliostat_gateway.access.keys import PREFIX, split_key

app = typer.Typer(
    help="Make, list, rotate and revoke user and service keys.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

UrlOption = Annotated[
    str | None, typer.Option("--url", help=f"The gateway's address; default: {ADMIN_URL}.")
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--admin-key-file", metavar="FILE", help=f"File with the admin key; default: {ADMIN_KEY}."
    ),
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the key, hsk_...")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    user: Annotated[
        str | None, typer.Option("--user", help="User who owns the key; omit for a service key.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Scopes: models, admin, api. Default: models."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="A model name that it may ask for; * is any text."),
    ] = None,
    budget: Annotated[
        list[str] | None, typer.Option("--budget", help="A budget that its requests count on.")
    ] = None,
    max_cost_micros: Annotated[
        int | None, typer.Option("--max-cost-micros", help="Cap, in millionths of a dollar.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", help="Cap on tokens.")] = None,
    max_turns: Annotated[int | None, typer.Option("--max-turns", help="Cap on calls.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="No cap is ever overshot; holds more per call.")
    ] = False,
    expires_seconds: Annotated[
        int | None,
        typer.Option("--expires-seconds", help="How long it is good; default: for ever."),
    ] = None,
    url: UrlOption = None,
    admin_key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print its secret, which cannot be shown again.

    The text alone is on stdout, what is said about it on stderr.
    """
    caps = {"maxCostMicros": max_cost_micros, "maxTokens": max_tokens, "maxTurns": max_turns}
    wanted: dict[str, object] = {
        "name": name,
        "kind": "service" if user is None else "user",
        "user": user,
        "scopes": scope,
        "models": model,
        "budgets": budget,
        "caps": {**_given(caps), "strict": strict},
        "expiresSeconds": expires_seconds,
    }
    issued = open_admin(url, admin_key_file).ask(
        IssuedKeyView, "/keys", method="POST", body=_given(wanted)
    )
    _show_issued(issued, as_json=as_json)


@app.command("list")
def list_(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Only ids that begin so.")
    ] = PREFIX,
    url: UrlOption = None,
    admin_key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys, revoked ones too, oldest first; never their secrets."""
    asked = {"prefix": split_key(prefix)[0] if prefix.startswith(PREFIX) else prefix}
    found = open_admin(url, admin_key_file).ask(KeyList, "/keys", asked)
    if as_json:
        _show_document(found)
    elif found.keys:
        Terminal().line(render_keys(found.keys, utc_now()))
    else:
        Terminal().note("no keys")


@app.command()
def rotate(
    key: IdArgument,
    grace_seconds: Annotated[
        int, typer.Option("--grace-seconds", help="How long the old text stays good.")
    ] = 3600,
    url: UrlOption = None,
    admin_key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rotate a key and print the new secret; the old one stays valid for the grace period."""
    path = f"/keys/{_key_id(key)}/rotate"
    issued = open_admin(url, admin_key_file).ask(
        IssuedKeyView, path, method="POST", body={"graceSeconds": grace_seconds}
    )
    _show_issued(issued, as_json=as_json)


@app.command()
def revoke(
    key: IdArgument,
    url: UrlOption = None,
    admin_key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key and its open streams, on every gateway. May be repeated."""
    path = f"/keys/{_key_id(key)}"
    revoked = open_admin(url, admin_key_file).ask(RevokedKeyView, path, method="DELETE")
    if as_json:
        _show_document(revoked)
        return
    where = "everywhere" if revoked.everywhere else "here; other gateways hear of it later"
    Terminal().line(
        f"{revoked.details.id} is revoked {where}; open streams ended: {revoked.streams_ended}"
    )


def render_keys(keys: Sequence[KeyView], now: datetime) -> str:
    """One row a key."""
    header = ["ID", "NAME", "OF", "SCOPES", "MODELS", "LIMITS", "AGE", "USED", "STATE"]
    return render_table(header, [_row(each, now) for each in keys])


def _row(key: KeyView, now: datetime) -> list[str]:
    used = key.last_used_time
    return [
        key.id,
        key.name,
        key.user or key.kind.value,
        ",".join(key.scopes),
        ",".join(key.models),
        _limits(key.caps, key.budgets),
        format_age(key.created_time, now),
        MISSING if used is None else format_age(used, now),
        _state(key, now),
    ]


def _limits(caps: KeyCaps, budgets: Sequence[str]) -> str:
    told = caps.model_dump(mode="json", by_alias=True, exclude_none=True)
    strict = ["strict"] if told.pop("strict") else []
    limits = [f"{name}={value}" for name, value in told.items()]
    return ",".join([*limits, *strict, *(f"budget={each}" for each in budgets)]) or MISSING


def _state(key: KeyView, now: datetime) -> str:
    if key.revoked_time is not None:
        return f"revoked {format_instant(key.revoked_time)}"
    if key.expires_time is None:
        return "good"
    word = "until" if now < key.expires_time else "expired"
    return f"{word} {format_instant(key.expires_time)}"


def _show_issued(issued: IssuedKeyView, *, as_json: bool) -> None:
    terminal = Terminal()
    if as_json:
        _show_document(issued)
        return
    terminal.raw(issued.key)
    told = f"{issued.details.id} ({issued.details.name}): its text is shown only now"
    if issued.old_key_until_time is not None:
        told += f"; the old one is good until {format_instant(issued.old_key_until_time)}"
    terminal.note(told)


def _show_document(document: BaseModel) -> None:
    Terminal().raw(json.dumps(document.model_dump(mode="json", by_alias=True), indent=2))


def _key_id(text: str) -> str:
    """The id alone: of a key's whole text, the secret stays here."""
    key_id = split_key(text)[0]
    if not (text.startswith(PREFIX) and key_id.removeprefix(PREFIX).isalnum()):
        raise UsageError(
            f"the id of a key begins with {PREFIX}", "heliostat gateway keys list shows them."
        )
    return key_id


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in (None, [])}
