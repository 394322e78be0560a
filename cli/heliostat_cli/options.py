"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from heliostat_cli.documents import Output
from heliostat_cli.worlds import WorldName

WorldOption = Annotated[
    WorldName | None,
    typer.Option(
        "--world",
        help="Which world: embedded (this machine) or cluster. Default: cluster with --context or "
        "HELIOSTAT_WORLD=cluster, else embedded.",
        show_default=False,
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option("--context", help="Context of the kubeconfig; means the cluster."),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        help="Namespace of the objects; default: that of the kubeconfig's context, or default.",
    ),
]
FileNamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", help="Namespace; default: the file's own, else the context's."
    ),
]
OutputOption = Annotated[
    Output | None,
    typer.Option("--output", "-o", help="Output format instead of a table.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KindArgument = Annotated[
    str, typer.Argument(metavar="KIND", help="agents or executions; also KIND/NAME.")
]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Names of that kind.")
]
ExecutionArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of an Execution.")]
FilesOption = Annotated[
    list[Path], typer.Option("--filename", "-f", help="YAML file; may be given several times.")
]
