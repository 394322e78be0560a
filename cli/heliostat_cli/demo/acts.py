"""The two acts of the demo: which agent, on what, and how it has to end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heliostat_api.samples import SALES, read_text
from heliostat_cli.embedded.documents import child, copy_document
from heliostat_cli.errors import UsageError
from heliostat_cli.manifests import read_manifest
from heliostat_core.agents import DEFAULT_MODEL
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.worlds import AGENT, JsonObject

PROVIDERS = ("scripted", "anthropic")
_KEY = "ANTHROPIC_API_KEY"


@dataclass(frozen=True)
class Act:
    """One agent's turn: its manifest, what people should look at, and the expected end."""

    file: str
    title: str
    expected: FinishedReason


ACTS = (
    Act(
        "sales.yaml",
        "An agent gets the sales, writes a Python program, runs it and reports. Then verify adds "
        "the sales up\n   by itself and compares: success is not the agent's word.",
        FinishedReason.VERIFIED,
    ),
    Act(
        "hurried.yaml",
        "An agent that is told to use five sales only. It says that it is done; verify says no.",
        FinishedReason.VERIFICATION_FAILED,
    ),
)


def check_provider(provider: str, environ: Mapping[str, str]) -> None:
    """Raises UsageError for an unknown provider, or when the key of the real one is missing."""
    if provider not in PROVIDERS:
        raise UsageError(
            f"--provider {provider!r} is not known", f"Write {' or '.join(PROVIDERS)}."
        )
    if provider == "anthropic" and not environ.get(_KEY):
        raise UsageError(
            f"--provider anthropic needs {_KEY}, and it is not set",
            f"export {_KEY}=... (only the gateway gets it, never the agent), or take "
            "--provider scripted, which needs no key.",
        )


def lay_out(folder: Path) -> None:
    """Put the demo's files where people can read and change them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SALES, *(act.file for act in ACTS)):
        (folder / name).write_text(read_text(name), encoding="utf-8")


def read_sales(path: Path) -> str:
    """The CSV's text. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--csv: {path} can't be read: {error}",
            "Give a CSV with the columns date, region, product, units, unit_price.",
        ) from error


def read_agent(path: Path, provider: str) -> JsonObject:
    """The Agent of a file; with the real provider the same prompt goes to the default model."""
    agent = copy_document(read_manifest(path).of(AGENT)[0])
    if provider == "anthropic":
        child(child(agent, "spec"), "model")["name"] = DEFAULT_MODEL
    return agent


def is_as_expected(act: Act, execution: Execution) -> bool:
    return execution.finished_reason == act.expected
