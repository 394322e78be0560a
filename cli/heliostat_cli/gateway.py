"""`heliostat gateway ...`: for whoever runs the gateway."""

import typer

app = typer.Typer(
    name="gateway",
    help="Run parts of the gateway.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def gateway() -> None:
    """Run parts of the gateway."""


@app.command()
def writer() -> None:
    """Write the ledger that gateways share through Redis (REDIS_URL) into its file.

    One for all gateways; settings are those of the gateway. Exit code 2: a setting is wrong, or
    another writer uses the folder.
    """
    from heliostat_gateway.writer.__main__ import main

    raise typer.Exit(main())
