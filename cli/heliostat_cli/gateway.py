"""`heliostat gateway`: what concerns the LLM gateway alone, without a world."""

from pathlib import Path
from typing import Annotated

import typer

from heliostat_cli import keys
from heliostat_cli.errors import UsageError
from heliostat_cli.options import JsonOption
from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import exit_with, finish
from heliostat_gateway.reports.exports import Bucket

app = typer.Typer(
    help="Check, explain, audit and try the LLM gateway, make its keys, run parts of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(keys.app, name="keys")


@app.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Default: that of HELIOSTAT_GATEWAY_ROUTES_FILE."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Validate a routes file and list every mistake with its line number.

    Exit code 0: it is good; 2: it has mistakes.
    """
    from heliostat_cli import routes

    exit_with(routes.check(Terminal(), file, as_json=as_json))


@app.command()
def explain(
    model: Annotated[str, typer.Option("--model", help="The name that a caller would use.")],
    agent: Annotated[
        str, typer.Option("--agent", metavar="NAMESPACE/NAME", help="The agent that asks.")
    ] = "",
    routes_file: Annotated[
        Path | None,
        typer.Option(
            "--routes", metavar="FILE", help="Another routes file than that of the settings."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who would answer a model, in which order, at which price, and why.

    It reads the settings of the gateway from this environment; keys are shown by name only.
    Exit code 0: somebody would answer; 1: nobody would.
    """
    from heliostat_cli import routes

    exit_with(routes.show_plan(Terminal(), model, agent, routes_file, as_json=as_json))


@app.command()
def audit(
    export: Annotated[
        Path, typer.Option("--export", metavar="FILE", help="Usage export of the provider.")
    ],
    provider: Annotated[
        str, typer.Option("--provider", help="Whose export it is: anthropic, openai, ...")
    ],
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="FILE", help="The gateway's ledger.sqlite."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", help="The gateway itself; its key is in HELIOSTAT_ADMIN_KEY."),
    ] = None,
    bucket: Annotated[
        Bucket, typer.Option("--bucket", help="Time bucket to compare by, in UTC.")
    ] = Bucket.DAY,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="LEDGER=EXPORT", help="A model that the export renames."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="LEDGER=EXPORT", help="A credential and its id there."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the ledger with a provider's usage export, by time, model and key.

    Exit code 0: equal; 1: different; 2: the export or the ledger can't be read.
    """
    from heliostat_cli import audits

    wanted = audits.Wanted(export, provider, bucket, ledger, url, model or (), key or ())
    exit_with(audits.audit(Terminal(), wanted, as_json=as_json))


@app.command()
def scripted(
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0: any free one.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", metavar="DIR", help="Folder with more scenarios.")
    ] = None,
    default: Annotated[
        str | None,
        typer.Option("--default", metavar="NAME", help="Scenario for every other model name."),
    ] = None,
    bill: Annotated[
        Path, typer.Option("--bill", metavar="FILE", help="Where the invoice is written.")
    ] = Path("scripted-bill.jsonl"),
    api_key: Annotated[
        list[str] | None,
        typer.Option("--api-key", metavar="[NAME=]KEY", help="Accepted key; default: any key."),
    ] = None,
) -> None:
    """Serve scripted model APIs: Anthropic, OpenAI, Gemini on one port.

    It plays scenarios, checks its callers as the real APIs do, fails on request and keeps a bill of
    its own; see docs/scenarios.md. Ctrl-C ends it. Exit code 2: an option or a scenario is wrong.
    """
    from heliostat_scripted.program import Options, ProgramError, serve
    from heliostat_scripted.scenario import ScenarioError

    options = Options(port, host, scenarios, default, bill, tuple(api_key or []))

    async def session() -> int:
        try:
            await serve(options, Terminal().line)
        except (ScenarioError, ProgramError) as error:
            raise UsageError(str(error), "Fix that option or file.") from error
        return 0

    finish(session())


@app.command()
def writer() -> None:
    """Write the ledger that gateways share through Redis (REDIS_URL) into its file.

    One for all gateways; settings are those of the gateway. Exit code 2: a setting is wrong, or
    another writer uses the folder.
    """
    from heliostat_gateway.writer.__main__ import main

    raise typer.Exit(main())
