"""Plays the demo in an embedded world of its own, and tells what it does while it does it."""

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from heliostat_api.samples import SALES
from heliostat_cli.demo.acts import (
    ACTS,
    Act,
    check_provider,
    is_as_expected,
    lay_out,
    read_agent,
    read_sales,
)
from heliostat_cli.embedded.folders import StateFolder, own_folder
from heliostat_cli.errors import FAILED
from heliostat_cli.following import find_workspace
from heliostat_cli.hosting import open_folder
from heliostat_cli.running import Ran, Request, follow_run, leave, start
from heliostat_cli.screen import Terminal
from heliostat_cli.summary import Workspace, render_rows, render_summary
from heliostat_cli.worlds import OpenWorld

_NAMESPACE = "default"
_ANSWERS = {
    "scripted": "answered by the scripted provider: no key, nothing leaves this machine",
    "anthropic": "answered by Anthropic's API with your key, which only the gateway sees",
}


async def demo(
    terminal: Terminal,
    provider: str,
    folder: Path | None,
    csv: Path | None,
    environ: Mapping[str, str],
) -> int:
    """Exit code 0 when both agents behaved as they should."""
    check_provider(provider, environ)
    began = time.monotonic()
    root = (folder or own_folder(environ).root / "demo").absolute()
    lay_out(root)
    sales = read_sales(csv or root / SALES)
    terminal.line(f"Heliostat demo: real Claude Code, {_ANSWERS[provider]}.")
    wrong = 0
    async with open_folder(StateFolder(root), hosted=True) as opened:
        terminal.line(f"world: {opened.name}, namespace {_NAMESPACE}")
        for number, act in enumerate(ACTS, 1):
            terminal.line(f"\n{number}. {act.title}\n")
            ran = await _play(opened, terminal, act, root, provider, sales)
            if ran.interrupted:
                return ran.exit_code
            wrong += not is_as_expected(act, ran.execution)
            if act is ACTS[-1]:
                await leave(opened, ran.execution)
    seconds = time.monotonic() - began
    terminal.line(f"\n{render_end(wrong, seconds)}\n\n{render_next(root, provider)}")
    return FAILED if wrong else 0


async def _play(
    opened: OpenWorld, terminal: Terminal, act: Act, root: Path, provider: str, sales: str
) -> Ran:
    agent = read_agent(root / act.file, provider)
    name = act.file.removesuffix(".yaml")
    request = Request(name, _NAMESPACE, agent, input_text=sales)
    execution = await start(opened, terminal, request)
    ran = await follow_run(opened, terminal, execution, cancels=True)
    workspace = await find_workspace(opened, ran.execution)
    terminal.line("")
    terminal.line(render_summary(ran.execution, ran.narrator, workspace))
    if workspace is not None:
        terminal.line(render_pieces(workspace))
    terminal.line(render_verdict(act, ran))
    return ran


def render_pieces(workspace: Workspace) -> str:
    """The report's table and the picture's path."""
    report, picture = workspace.folder / "report.md", workspace.folder / "chart.png"
    lines = report.read_text(errors="replace").splitlines() if report.is_file() else []
    return render_rows(
        [
            ("report", "\n".join(line for line in lines if line.startswith("|"))),
            ("picture", str(picture) if picture.is_file() else ""),
        ]
    )


def render_verdict(act: Act, ran: Ran) -> str:
    reason = ran.execution.finished_reason
    if is_as_expected(act, ran.execution):
        return render_rows([("as expected", f"it had to end as {act.expected}")])
    return render_rows([("UNEXPECTED", f"it had to end as {act.expected}, not as {reason}")])


def render_end(wrong: int, seconds: float) -> str:
    if wrong:
        return f"{wrong} of {len(ACTS)} agents did not behave as they should ({seconds:.1f} s)."
    return f"Both behaved as they should ({seconds:.1f} s)."


def render_next(root: Path, provider: str) -> str:
    """Commands that work as they stand."""
    program = "heliostat" if shutil.which("heliostat") else sys.argv[0]
    home = f"HELIOSTAT_HOME={root} {program}"
    rows = [
        f"Next (the files are in {root}; each demo writes them anew):",
        f"  {program} run {root}/sales.yaml --input @{root}/{SALES}",
        f"  {home} get executions",
        f"  {home} describe agent sales",
        f"  {program} dev   the dashboard, in the browser",
    ]
    if provider == "scripted":
        rows.append(f"  ANTHROPIC_API_KEY=... {program} demo --provider anthropic")
    return "\n".join(rows)
