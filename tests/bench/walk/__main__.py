"""`make walk`: the files of ours that three requests pass, and how many they may be."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.walk.flows import walk_chat_answer, walk_execution, walk_model_call
from bench.walk.limits import CHAT_ANSWER, EXECUTION, MODEL_CALL, Limit
from tools.machine import find_control_plane_programs

Walk = Callable[[Path], Awaitable[list[str]]]


def lines_of(what: str, files: list[str], limit: Limit) -> list[str]:
    """The files, and how their number compares."""
    verdict = "met" if len(files) <= limit.wanted else f"{len(files) - limit.wanted} too many"
    head = f"{what}: {len(files)} files; wanted {limit.wanted} ({verdict}), allowed {limit.today}"
    return [head, *(f"  {each}" for each in files)]


def show(what: str, walk: Walk, limit: Limit) -> bool:
    """Walks and prints; whether it is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        files = asyncio.run(_await(walk(Path(folder))))
    sys.stdout.write("\n".join(lines_of(what, files, limit)) + "\n\n")
    sys.stdout.flush()
    return len(files) <= limit.today


async def _await(walk: Awaitable[list[str]]) -> list[str]:
    return await walk


def main() -> int:
    """1 if a walk is longer than it may be."""
    allowed = [show("A streamed model call", walk_model_call, MODEL_CALL)]
    allowed.append(show("An answer in the chat", walk_chat_answer, CHAT_ANSWER))
    programs = find_control_plane_programs()
    if programs is None:
        sys.stdout.write("From an Execution to its Job: no control plane here, see make test\n")
    else:
        allowed.append(
            show(
                "From an Execution to its Job",
                lambda folder: walk_execution(folder, programs),
                EXECUTION,
            )
        )
    return 0 if all(allowed) else 1


if __name__ == "__main__":
    sys.exit(main())
